"""From an empty namespace to predictions that equal the laptop's."""

import time
from pathlib import Path

import pytest

from .conftest import LOCAL, World, kubectl, objects, record
from .questions import asked, offline, sample_rows
from .stored import wipe

ROWS = 1000


@pytest.mark.proof(
    "An empty namespace is waiting for a model: its servers live, are not ready, and deploying again changes nothing"
)
def test_an_empty_namespace_waits_for_a_model(world: World) -> None:
    kubectl("delete", "namespace", LOCAL, "--ignore-not-found")
    said = world.make("deploy", "ENV=local")
    assert said.splitlines()[-1].startswith("local is waiting for a model: make ")
    pods = objects("pods", LOCAL, "-l", "app.kubernetes.io/name=serving")
    states = [pod["status"]["containerStatuses"][0] for pod in pods]
    assert [(state["started"], state["ready"], state["restartCount"]) for state in states] == [(True, False, 0)] * 2
    again = world.make("deploy", "ENV=local")
    assert again.splitlines()[-1] == said.splitlines()[-1]
    assert kubectl("diff", "-k", str(world.project / "k8s/overlays/local")) == ""


@pytest.mark.proof(
    "From an empty namespace to the first right prediction, training included, in five minutes on two cores"
)
def test_from_nothing_to_the_first_prediction(world: World, tmp_path: Path) -> None:
    wipe(world)  # of a run before this one
    kubectl("delete", "namespace", LOCAL)
    began = time.monotonic()
    assert world.make("deploy", "ENV=local").splitlines()[-1] == (
        'local is waiting for a model: make pipeline-run ENV=local, then make promote ENV=local REASON="…"'
    )
    trained = world.make("pipeline-run", "ENV=local")
    assert "\nversion 1: bundle " in trained
    promoted = world.make("promote", "ENV=local", "REASON=the first")
    assert "is now the champion of local (version 1)" in promoted
    smoked = world.make("smoke", "ENV=local")
    seconds = time.monotonic() - began
    assert smoked.startswith("version 1 (bundle ")
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
