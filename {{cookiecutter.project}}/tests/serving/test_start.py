"""What a server refuses to start with, what it says without a model, and what it costs."""

import shutil
from pathlib import Path

import pytest

from {{ cookiecutter.package }} import bundle
from {{ cookiecutter.package }}.serving import predictor
from {{ cookiecutter.package }}.serving.predictor import cpu_limit
from {{ cookiecutter.package }}.serving.server import Place, load_settings
from {{ cookiecutter.package }}.serving.telemetry import FLUSH_SECONDS

import sample_project

from .helpers import ROW, THRESHOLD, Running, score, start, write_bundle, write_settings


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_settings(tmp_path)
    (tmp_path / "bundles").mkdir()
    return tmp_path


def test_no_model_yet_is_a_state(place: Path) -> None:
    running = start(place, "", ENVIRONMENT="dev")
    live, ready = (running.request("GET", f"/v2/health/{name}") for name in ("live", "ready"))
    assert live.status == 200
    assert (ready.status, ready.json["type"]) == (503, "/docs#no-model")
    what = ready.json["detail"]
    assert what.startswith(
        "no model has been promoted in dev yet: run `make pipeline-run ENV=dev` and `make promote ENV=dev REASON=…`; "
    )
    predict = running.predict(ROW)
    assert (predict.status, predict.json["type"]) == (503, "/docs#no-model")
    counted = running.metrics()
    assert counted["model_ready"] == 0
    assert counted['inference_errors_total{kind="no-model"}'] == 1, "the probe is none"
    assert running.stop() == 0
    assert [line["message"] for line in running.lines if line["log.level"] == "warning"] == [what]
    reasons = {line["message"]: line.get("error.message") for line in running.logged("serving.request")}
    assert reasons == {"/v2/health/live": None, "/v2/health/ready": what, "/v1/predict": what}


@pytest.mark.parametrize(
    ("variables", "verbs"),
    [
        ({}, "run `make train` and `make promote REASON=…`, then `make serve` again"),
        ({"ENVIRONMENT": "dev"}, "run `make pipeline-run ENV=dev` and `make promote ENV=dev REASON=…`; `make status"),
        (
            {"ENVIRONMENT": "laptop", "PARENT_FD": "3"},
            "run `make train ENV=laptop` and `make promote ENV=laptop REASON=…`, then `make serve ENV=laptop` again",
        ),
    ],
    ids=["by hand", "a pod", "make serve"],
)
def test_who_has_no_model_names_the_verbs_that_bring_one(variables: dict[str, str], verbs: str, place: Path) -> None:
    where = variables.get("ENVIRONMENT", "this environment")
    said = Place.read(variables, load_settings(place)).no_model
    assert said.startswith(f"no model has been promoted in {where} yet: {verbs}")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            "staging",
            "run `make promote ENV=staging BUNDLE=… REASON=…` with the champion of dev, which `make status ENV=dev` shows; "
            "`make status ENV=staging` says whether there is one here already",
        ),
        (
            "prod",
            "run `make promote ENV=prod CONTEXT=… BUNDLE=… REASON=…` with the champion of staging, which `make status ENV=staging` "
            "shows; `make status ENV=prod CONTEXT=…` says whether there is one here already",
        ),
        ("local", "run `make pipeline-run ENV=local` and `make promote ENV=local REASON=…`; `make status ENV=local` "),
    ],
)
def test_where_an_environment_comes_before_a_model_moves_from_there(
    environment: str, said: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(sample_project.PROJECT / "tests" / "config" / "gates.yaml", place / "config")
    monkeypatch.setenv("PROJECT_ROOT", str(place))
    found = Place.read({"ENVIRONMENT": environment}, load_settings(place)).no_model
    assert found.startswith(f"no model has been promoted in {environment} yet: {said}")


@pytest.mark.parametrize(
    "gates", ["a typo: [", "environments: {prod: }", "", None], ids=["broken", "empty", "nothing", "none"]
)
def test_what_is_only_for_a_hint_stops_no_server(
    gates: str | None, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if gates is not None:
        (place / "config" / "gates.yaml").write_text(gates)
    monkeypatch.setenv("PROJECT_ROOT", str(place))
    found = Place.read({"ENVIRONMENT": "prod"}, load_settings(place)).no_model
    assert found.startswith(
        "no model has been promoted in prod yet: run `make pipeline-run ENV=prod` and `make promote"
    )


def refusal(place: Path, bundle_id: str, **variables: str) -> str:
    running: Running = start(place, bundle_id, **variables)
    assert running.stop() == 1
    return str(running.lines[-1]["message"])


@pytest.mark.proof(
    "A server refuses a bundle that was changed, or that scores its golden request otherwise than in training"
)
def test_another_golden_score_is_refused(place: Path) -> None:
    bundle_id = write_bundle(place / "bundles", golden=score() + 1e-4)
    assert "the golden request gave" in refusal(place, bundle_id)


def test_the_last_bit_of_the_golden_score_may_differ(place: Path) -> None:
    bundle_id = write_bundle(place / "bundles", golden=score() + 5e-7)
    running = start(place, bundle_id)
    assert running.request("GET", "/v2/health/ready").status == 200
    running.stop()


@pytest.mark.proof(
    "A server refuses a bundle that was changed, or that scores its golden request otherwise than in training"
)
def test_a_changed_bundle_is_refused(place: Path) -> None:
    bundle_id = write_bundle(place / "bundles")
    model = place / "bundles" / bundle_id / "model.onnx"
    content = model.read_bytes()
    model.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "model.onnx has the sha256" in refusal(place, bundle_id)


BUNDLES = Path(__file__).parents[1] / "bundles"
"""One of each format that was ever released; they are never written again."""


@pytest.mark.parametrize("folder", sorted(BUNDLES.glob("*/*")), ids=lambda folder: folder.parent.name)
@pytest.mark.proof("A bundle of every released format is still read, verified and served")
def test_a_bundle_of_every_released_format_is_served(folder: Path, place: Path) -> None:
    shutil.copytree(folder, place / "bundles" / folder.name)
    running = start(place, folder.name)
    assert running.predict(ROW).json["predictions"][0]["score"] == pytest.approx(score(), abs=1e-6)
    running.stop()


def test_every_released_format_has_its_bundle() -> None:
    assert {folder.name for folder in BUNDLES.iterdir()} == {
        f"format-{number}" for number in range(1, bundle.FORMAT + 1)
    }


def test_a_missing_bundle_is_refused(place: Path) -> None:
    assert "manifest.json is missing: this is no bundle" in refusal(place, "0" * 64)


def test_wrong_settings_are_refused(place: Path) -> None:
    write_settings(place, rows=0)
    assert refusal(place, "") == "config/serving.yaml: limits.rows: 0: must be ≥ 1"


def test_a_taken_port_is_refused(place: Path) -> None:
    other = start(place, "")
    message = refusal(place, "", PORT=str(other.port))
    other.stop()
    assert message.startswith(f"port {other.port} on 127.0.0.1: address already in use; stop the program that has it")


@pytest.mark.parametrize(("content", "expected"), [("150000 100000", 2), ("50000 100000", 1), ("400000 100000", 4)])
def test_threads_follow_the_cpu_limit(tmp_path: Path, content: str, expected: int) -> None:
    (tmp_path / "cpu.max").write_text(content)
    assert cpu_limit(tmp_path / "cpu.max") == expected


def test_the_model_runs_on_that_many_threads(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle_id = write_bundle(place / "bundles")
    monkeypatch.setattr(predictor, "cpu_limit", lambda: 3)
    loaded = predictor.Predictor.load(place / "bundles" / bundle_id, bundle_id, "1", 10)
    assert loaded._session.get_session_options().intra_op_num_threads == 3


def test_no_cpu_limit_means_all_cpus(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("max 100000")
    assert cpu_limit(tmp_path / "cpu.max") == cpu_limit(tmp_path / "none") >= 1


def test_drain_is_shorter_than_the_grace_period_of_a_pod() -> None:
    """Kubernetes kills after 30 s unless told otherwise; three failed probes, one a second, must fit into the drain."""
    root = Path(__file__).parents[2]
    settings = load_settings(root)
    assert settings.drain_seconds > 3
    assert settings.drain_seconds + settings.limits.body_seconds + 2 * FLUSH_SECONDS < 30


def test_decision_follows_the_threshold(place: Path) -> None:
    running = start(place, write_bundle(place / "bundles"))
    low = {**ROW, "weight": -10, "age": 0}
    (prediction,) = running.predict(low).json["predictions"]
    assert (prediction["score"] < THRESHOLD, prediction["decision"]) == (True, False)
    running.stop()
