"""`make pipeline-run`: what is said of a Job that does not start, and of one that nobody follows any more."""

from pathlib import Path

import pytest

from {{ cookiecutter.package }}.cluster import training
from {{ cookiecutter.package }}.cluster.place import Namespace
from {{ cookiecutter.package }}.errors import Refused

from .stand_ins import Api, program

FULL = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 Insufficient cpu.",
}


@pytest.fixture
def waiting(dev: Namespace, api: Api, monkeypatch: pytest.MonkeyPatch) -> Namespace:
    """An environment whose nodes are full."""
    pod = {"spec": {"containers": [{"name": "pipeline", "args": [], "env": []}]}}
    spec = {"schedule": "@daily", "jobTemplate": {"spec": {"template": pod}}}
    api.add(f"/apis/batch/v1/namespaces/{dev.name}/cronjobs/training", spec=spec)
    api.add(f"/api/v1/namespaces/{dev.name}/pods/train", status={"phase": "Pending", "conditions": [FULL]})
    monkeypatch.setattr(training, "START_SECONDS", 0)
    return dev


def jobs(api: Api) -> list[str]:
    return [path.rpartition("/")[2] for path in api.objects if "/jobs/" in path]


def test_a_job_for_which_there_is_no_room_is_deleted(
    waiting: Namespace, api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Refused) as refused:
        training.run(waiting, "")
    why = "waiting for its pod to start; pod train has no node: Unschedulable, 0/1 nodes are available: 1 Insufficient cpu."
    name, _, said = capsys.readouterr().out.removeprefix("job ").strip().partition(": ")
    assert said == why
    assert str(refused.value) == (
        f"job {name}: not done after 0 s: {why}\n  job {name} was deleted, so that it does not train later: "
        "then make pipeline-run ENV=dev again"
    )
    assert jobs(api) == []


def test_a_job_that_cannot_be_deleted_is_named(waiting: Namespace, api: Api) -> None:
    api.forbidden = {("DELETE", f"/apis/batch/v1/namespaces/{waiting.name}/jobs")}
    with pytest.raises(Refused) as refused:
        training.run(waiting, "")
    (name,) = jobs(api)
    command = f"kubectl --context here --namespace {waiting.name} delete job {name}"
    assert str(refused.value).endswith(f"job {name} could not be deleted, and may train later: {command}")


@pytest.mark.parametrize(("ends", "said"), [(0, ""), (1, "job {}: running\n")], ids=["to its end", "broken off"])
def test_nothing_comes_after_the_last_line_of_a_whole_log(
    ends: int,
    said: str,
    waiting: Namespace,
    api: Api,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    api.objects[f"/api/v1/namespaces/{waiting.name}/pods/train"]["status"] = {"phase": "Running"}
    program(tmp_path / "kubectl", f"exit {ends}")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(training, "RUN_SECONDS", 0)
    with pytest.raises(Refused, match=r"not done after 0 s: running$"):
        training.run(waiting, "")
    (name,) = jobs(api)
    assert capsys.readouterr().out == f"job {name}: its pod has started\n{said.format(name)}"


def test_who_stops_following_is_told_how_to_follow_and_how_to_stop(dev: Namespace) -> None:
    kubectl = f"kubectl --context here --namespace {dev.name}"
    assert training.goes_on(dev, "training-1") == (
        f"job training-1 goes on: follow it with {kubectl} logs --follow job/training-1, "
        f"stop it with {kubectl} delete job training-1"
    )
