"""The policy that every task of the compiled pipeline keeps, read from what is compiled."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipelines import training

IMAGE = "registry.example.org/team/model@sha256:" + "0" * 64
STEPS = ("load", "validate", "split", "train", "evaluate", "export", "judge", "bundle", "publish", "register", "refuse")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compiled")
    training.write("late", IMAGE, folder)
    return folder


@pytest.fixture(scope="module")
def documents(folder: Path) -> list[dict[str, Any]]:
    """The pipeline, and what only Kubernetes understands of it."""
    return list(YAML(typ="safe").load_all(folder / training.IR))


@pytest.fixture(scope="module")
def executors(documents: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = documents[0]["deploymentSpec"]["executors"]
    return found


def tasks(documents: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Every task that runs a container, however deep it lies."""
    ir = documents[0]
    graphs = [ir["root"], *ir["components"].values()]
    found = {name: task for graph in graphs for name, task in graph.get("dag", {}).get("tasks", {}).items()}
    return {name: task for name, task in found.items() if not name.startswith("condition")}


def test_every_step_is_a_task(documents: list[dict[str, Any]], executors: dict[str, Any]) -> None:
    assert set(tasks(documents)) == set(STEPS)
    assert set(executors) == {f"exec-{step}" for step in STEPS}


@pytest.mark.proof("Every task of the compiled pipeline is limited in CPU, memory, time and retries, and is not root")
@pytest.mark.parametrize("step", STEPS)
def test_every_task_has_its_limits(step: str, documents: list[dict[str, Any]], executors: dict[str, Any]) -> None:
    container = executors[f"exec-{step}"]["container"]
    resources = container["resources"]
    for wanted in ("resourceCpuRequest", "resourceCpuLimit", "resourceMemoryRequest", "resourceMemoryLimit"):
        assert resources[wanted], wanted
    assert container["image"] == IMAGE
    retry = tasks(documents)[step]["retryPolicy"]
    assert retry["maxRetryCount"] == training.RETRIES
    assert retry["backoffDuration"] == training.BACKOFF
    kubernetes = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"][f"exec-{step}"]
    assert kubernetes["securityContext"]["runAsNonRoot"] is True
    assert int(kubernetes["activeDeadlineSeconds"]) == training.TIMEOUT_SECONDS


def test_nothing_is_installed_when_a_task_runs(executors: dict[str, Any]) -> None:
    commands = [" ".join(executor["container"]["command"]) for executor in executors.values()]
    assert [command for command in commands if "pip install" in command] == []


def test_what_may_change_behind_its_inputs_is_not_cached(documents: list[dict[str, Any]]) -> None:
    cached = {step for step, task in tasks(documents).items() if task["cachingOptions"].get("enableCache")}
    assert not cached & {"load", "evaluate", "judge", "publish", "register", "refuse"}
    assert "train" in cached


def test_a_gate_decides_by_one_value_and_a_refusal_is_a_failed_task(documents: list[dict[str, Any]]) -> None:
    outputs = documents[0]["components"]["comp-judge"]["outputDefinitions"]["parameters"]
    assert outputs == {"Output": {"parameterType": "BOOLEAN"}}
    graphs = documents[0]["components"].values()
    branches = [task for graph in graphs for task in graph.get("dag", {}).get("tasks", {}).values()]
    conditions = sorted(task["triggerPolicy"]["condition"] for task in branches if "triggerPolicy" in task)
    wanted = "inputs.parameter_values['pipelinechannel--judge-Output'] == true"
    assert conditions == [f"!({wanted})", wanted]


def test_two_compilations_are_equal(folder: Path, tmp_path: Path) -> None:
    training.write("late", IMAGE, tmp_path)
    for name in (training.IR, training.MANIFEST):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_the_kubernetes_form_is_named_by_its_content(folder: Path, tmp_path: Path) -> None:
    pipeline, version = YAML(typ="safe").load_all(folder / training.MANIFEST)
    assert (pipeline["kind"], pipeline["metadata"]["name"]) == ("Pipeline", "late-training")
    assert version["kind"] == "PipelineVersion"
    assert version["spec"]["pipelineName"] == "late-training"
    training.write("late", IMAGE.replace("0", "1"), tmp_path)
    _, other = YAML(typ="safe").load_all(tmp_path / training.MANIFEST)
    assert version["metadata"]["name"] != other["metadata"]["name"]
    assert len(f"{'x' * 40}-training-{'0' * 12}") <= 63
