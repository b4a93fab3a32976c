"""What is asked of a Kubeflow Pipelines server, seen by a server that answers as the real one does."""

from pathlib import Path

import pytest

from pipelines import training
from pipelines.client import Refused, Server, check_cron, check_image

from .kubeflow import API, IMAGE, NIGHTLY, Kubeflow

ADA = "Ada Lovelace <ada@example.org>"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    training.write("late", IMAGE, folder)
    return folder / training.IR


def test_submit_sends_the_compiled_pipeline_its_image_and_its_arguments(kubeflow: Kubeflow, package: Path) -> None:
    assert Server(kubeflow.url, "late", "dev").submit(package, "s3://rows/today.parquet", ADA) == "r1"
    assert kubeflow.changes() == [("POST", f"{API}/runs")]
    (body,) = kubeflow.bodies
    assert kubeflow.experiments == {"late-dev": "e1"}
    assert body["experiment_id"] == "e1"
    assert body["runtime_config"]["parameters"] == {
        "environment": "dev",
        "source": "s3://rows/today.parquet",
        "author": ADA,
    }
    executors = body["pipeline_spec"]["pipeline_spec"]["deploymentSpec"]["executors"].values()
    assert {executor["container"]["image"] for executor in executors} == {IMAGE}
    assert "platforms" in body["pipeline_spec"]["platform_spec"]  # without it, tasks would run as root
    assert "pipeline_version_reference" not in body  # that way, the caching setting would be dropped


@pytest.mark.parametrize("many_users", [True, False])
def test_where_and_as_whom_a_run_runs(many_users: bool, kubeflow: Kubeflow, package: Path) -> None:
    """A server of one user has one namespace and one account, and is asked for no other."""
    kubeflow.many_users = many_users
    server = Server(kubeflow.url, "late", "dev")
    server.submit(package, "", ADA)
    server.schedule(package, NIGHTLY, "")
    assert kubeflow.namespaces - {None, ""} == ({"late-dev"} if many_users else set())
    run, schedule = kubeflow.bodies
    assert {body.get("service_account") for body in (run, schedule)} == {"pipeline-tasks" if many_users else None}


def test_schedule_is_made_once_however_often_it_is_asked_for(kubeflow: Kubeflow, package: Path) -> None:
    other = {"recurring_run_id": "other", "display_name": "late-dev-by-hand"}
    kubeflow.schedules = [other]
    server = Server(kubeflow.url, "late", "dev")
    assert server.schedule(package, NIGHTLY, "") == "s1"
    assert kubeflow.changes() == [("POST", f"{API}/recurringruns")]
    assert server.schedule(package, NIGHTLY, "") == "s2"
    assert kubeflow.changes()[1:] == [
        ("POST", f"{API}/recurringruns/s1:disable"),
        ("POST", f"{API}/recurringruns"),
        ("DELETE", f"{API}/recurringruns/s1"),
    ]
    assert [made["recurring_run_id"] for made in kubeflow.schedules] == ["other", "s2"]
    body = kubeflow.bodies[-1]
    assert body["display_name"] == "late-dev"
    assert body["trigger"] == {"cron_schedule": {"cron": NIGHTLY}}
    assert body["mode"] == "ENABLE"
    assert body["max_concurrency"] == 1
    assert body["no_catchup"] is True
    assert body["runtime_config"]["parameters"] == {"environment": "dev", "source": ""}


def test_a_schedule_is_not_deleted_under_its_run(
    kubeflow: Kubeflow, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeflow.schedules = [{"recurring_run_id": "s0", "display_name": "late-dev"}]
    server = Server(kubeflow.url, "late", "dev")
    monkeypatch.setattr(server.client, "disable_recurring_run", lambda schedule: None)
    kubeflow.runs = [{"run_id": "r0", "recurring_run_id": "s0", "state": "RUNNING"}]
    with pytest.raises(Refused, match="schedule s0 is disabled, but its run goes on"):
        server.schedule(package, NIGHTLY, "", patience=0)
    assert ("DELETE", f"{API}/recurringruns/s0") not in kubeflow.requests


@pytest.mark.parametrize("image", ["", "registry/model", "registry/model:1.0", "registry/model@sha256:123"])
def test_an_image_without_a_digest_is_refused(image: str) -> None:
    with pytest.raises(Refused, match="must be an address with a digest"):
        check_image(image)


def test_a_cron_line_of_five_fields_is_refused() -> None:
    assert check_cron(NIGHTLY) == NIGHTLY
    with pytest.raises(Refused, match="must have six fields, seconds first"):
        check_cron("0 3 * * *")
