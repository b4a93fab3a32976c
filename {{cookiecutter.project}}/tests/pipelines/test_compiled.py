"""The policy that every task of the compiled pipeline keeps, read from what is compiled."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf import json_format
from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec, PlatformSpec
from ruamel.yaml import YAML

from {{ cookiecutter.package }} import lineage, steps
from {{ cookiecutter.package }}.settings import LAPTOP, Settings

from pipelines import components, pods, training

import sample_project

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


def pods_of(documents: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What Kubernetes is told of the pod of each task."""
    found = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return {name.removeprefix("exec-"): pod for name, pod in found.items()}


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
    pod = pods_of(documents)[step]
    assert pod["securityContext"] == {"runAsUser": "10001", "runAsGroup": "10001", "runAsNonRoot": True}
    assert int(pod["activeDeadlineSeconds"]) == pods.TIMEOUT_SECONDS
    assert pod["podMetadata"]["labels"]["app.kubernetes.io/name"] == "training"
    (scratch,) = pod["emptyDirMounts"]
    assert scratch["sizeLimit"] == "2Gi"


@pytest.mark.parametrize("step", STEPS)
def test_a_task_that_looks_outside_is_told_where_and_as_whom(step: str, documents: list[dict[str, Any]]) -> None:
    pod = pods_of(documents)[step]
    given = {
        variable["envVar"]: (source[name], variable[key], source.get("optional", False))
        for name, key in (("configMapName", "configMapKey"), ("secretName", "secretKey"))
        for source in [*pod.get("configMapAsEnv", ()), *pod.get("secretAsEnv", ())]
        if name in source
        for variable in source["keyToEnv"]
    }
    if step in training.CACHED:
        assert given == {}
        return
    assert given == {
        "ARTIFACT_URI": ("environment", "artifact_uri", False),
        "MLFLOW_TRACKING_URI": ("environment", "mlflow_uri", False),
        "AWS_ENDPOINT_URL": ("environment", "object_store_endpoint", True),
        "AWS_REGION": ("environment", "region", True),
        "AWS_ACCESS_KEY_ID": ("object-store", "AWS_ACCESS_KEY_ID", True),
        "AWS_SECRET_ACCESS_KEY": ("object-store", "AWS_SECRET_ACCESS_KEY", True),
        "MLFLOW_TRACKING_USERNAME": ("mlflow", "MLFLOW_TRACKING_USERNAME", True),
        "MLFLOW_TRACKING_PASSWORD": ("mlflow", "MLFLOW_TRACKING_PASSWORD", True),
    }


def test_no_environment_is_compiled_in(folder: Path) -> None:
    """One compiled pipeline serves them all: which one is an argument of the run."""
    environments = set(Settings.load(sample_project.root()).gates.environments) - {LAPTOP}
    assert environments
    for name in (training.IR, training.MANIFEST):
        words = set(re.findall(r"[\w-]+", (folder / name).read_text(encoding="utf-8")))
        assert not words & {*environments, *(f"late-{environment}" for environment in environments)}


@pytest.mark.parametrize("given", ["Ada Lovelace <ada@example.org>", ""])
def test_the_bundle_names_who_submitted(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pod the account says nothing; approvals must be another person's."""
    for name, value in {"NAME": "Somebody", "EMAIL": "somebody@example.org"}.items():
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)  # put back afterwards: the component sets them for good
    monkeypatch.setattr(steps, "bundle", lambda settings, *rest: lineage.person(settings.root))
    artifacts = ("training", "evaluation", "model", "report", "exported", "judged", "bundle")
    files = dict.fromkeys(artifacts, SimpleNamespace(path=""))
    trainer = components.bundle.python_func(author=given, data_hash="", **files)
    assert trainer == (given or "Somebody <somebody@example.org>")


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


def test_the_kubernetes_form_holds_what_the_server_reads(folder: Path, documents: list[dict[str, Any]]) -> None:
    """Kubernetes takes anything there, and the server refuses a field that it does not know when the run has begun."""
    _, version = YAML(typ="safe").load_all(folder / training.MANIFEST)
    assert [version["spec"]["pipelineSpec"], version["spec"]["platformSpec"]] == documents
    json_format.ParseDict(documents[0], PipelineSpec())
    json_format.ParseDict(documents[1], PlatformSpec())
    for pod in pods_of(documents).values():
        json_format.ParseDict(pod, KubernetesExecutorConfig())
