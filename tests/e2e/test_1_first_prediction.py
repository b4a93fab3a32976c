"""From an empty namespace to predictions that equal the laptop's."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import LOCAL, World, kubectl, objects, record
from .questions import asked, offline, sample_rows
from .serving import SERVING
from .stored import wipe

ROWS = 1000


@dataclass(frozen=True)
class First:
    """A namespace that was not there: its first deployment, and when that began."""

    said: str
    began: float


@pytest.fixture(scope="module")
def first(world: World) -> First:
    if kubectl("get", "namespace", LOCAL, "--ignore-not-found"):  # of a run before this one
        wipe(world)
        kubectl("delete", "namespace", LOCAL)
    began = time.monotonic()
    return First(world.make("deploy", "ENV=local"), began)


@pytest.mark.proof(
    "An empty namespace is waiting for a model: its servers live, are not ready, and deploying again changes nothing"
)
def test_an_empty_namespace_waits_for_a_model(world: World, first: First) -> None:
    waiting = 'local is waiting for a model: make pipeline-run ENV=local, then make promote ENV=local REASON="…"'
    assert first.said.splitlines()[-1] == waiting
    pods = objects("pods", LOCAL, "-l", SERVING)
    states = [pod["status"]["containerStatuses"][0] for pod in pods]
    assert [(state["started"], state["ready"], state["restartCount"]) for state in states] == [(True, False, 0)] * 2
    assert world.make("deploy", "ENV=local").splitlines()[-1] == waiting
    assert kubectl("diff", "-k", str(world.project / "k8s/overlays/local")) == ""


@pytest.mark.proof(
    "From an empty namespace to the first right prediction, training included, in five minutes on two cores"
)
def test_from_nothing_to_the_first_prediction(world: World, first: First) -> None:
    assert "\nversion 1: bundle " in world.make("pipeline-run", "ENV=local")
    promoted = world.make("promote", "ENV=local", "REASON=the first")
    assert "is now the champion of local (version 1)" in promoted
    assert world.make("smoke", "ENV=local").startswith("version 1 (bundle ")
    # The second deployment, of the test above, is among it.
    seconds = time.monotonic() - first.began
    record("1-first-prediction", empty_to_first_prediction_seconds=round(seconds, 1))
    assert seconds <= 300


@pytest.mark.proof("A thousand predictions through the Service equal the laptop's offline scores to 1e-6")
def test_predictions_equal_the_laptops(world: World, node_port: str, tmp_path: Path) -> None:
    rows = sample_rows(world, ROWS)
    expected = offline(world, rows, tmp_path)
    answers = asked(world, node_port, rows)
    assert len(answers) == len(expected) == ROWS
    largest = max(abs(answer - score) for answer, score in zip(answers, expected, strict=True))
    record("1-first-prediction", rows=ROWS, largest_difference=largest)
    assert largest <= 1e-6
    assert len({round(score, 6) for score in expected}) > ROWS / 10  # they do differ


def test_status_agrees(world: World) -> None:
    lines = [line.strip() for line in world.make("status", "ENV=local").splitlines()]
    served = [line for line in lines if line.startswith(("annotation", "pod serving-"))]
    champion = next(line for line in lines if line.startswith("champion"))
    assert len(served) == 3
    assert {line.split()[-1] for line in served} == {champion.split()[2]}
