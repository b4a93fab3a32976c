"""The verbs that know no cluster: which environments are in one, and what they print and what ends them there."""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.package }} import advice, cli, places
from {{ cookiecutter.package }}.cluster.place import Namespace
from {{ cookiecutter.package }}.errors import Refused, run_program
from {{ cookiecutter.package }}.settings import Settings

import sample_project

from .conftest import VALUES
from .stand_ins import Api, add_deployment, add_pod, program, served

Call = Callable[..., tuple[object, str, str]]


@pytest.fixture
def ending() -> Iterator[set[str]]:
    """At which request of the API this process is told to end; a verb says what that does to it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    yield set()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def call(
    dev: Namespace,
    api: Api,
    ending: set[str],
    empty_registry: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Call]:
    """`python -m <package>` with these words, kubeconfig naming that cluster: exit code, output and errors."""
    registry = shutil.copy(empty_registry, tmp_path)
    values = {"artifact_uri": f"file://{tmp_path}/store", "mlflow_uri": f"sqlite:///{registry}"}
    values |= {"object_store_endpoint": ""}
    (dev.settings.root / "k8s/overlays/dev/environment.yaml").write_text(json.dumps({"data": VALUES | values}))
    monkeypatch.chdir(dev.settings.root)
    versions = ("major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler")
    api.add("/version/", **dict.fromkeys((*versions, "platform"), "1"))
    api.add(f"/api/v1/namespaces/{dev.name}", status={"phase": "Active"})

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        if path.rpartition("/")[2] in ending:
            os.kill(os.getpid(), signal.SIGTERM)
        return api.answer(method, path, body)

    def command_line(*words: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["cli", *words, "--environment", "dev"])
        with pytest.raises(SystemExit) as ended:
            run_program(cli.app)
        return (ended.value.code, *capsys.readouterr())

    with served(answer) as port:
        document = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "it", "user": "me"}}],
            "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "me", "user": {}}],
        }
        (tmp_path / "config").write_text(json.dumps(document))
        program(tmp_path / "kubectl", f"exec /bin/cat {tmp_path / 'config'}")
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "config"))
        yield command_line


def test_status_shows_its_table_whatever_is_wrong(call: Call, dev: Namespace, api: Api) -> None:
    add_deployment(api, dev.name, replicas=0)
    api.add(f"/api/v1/namespaces/{dev.name}/pods", items=[])
    code, said, errors = call("status")
    assert [line.split() for line in said.splitlines()[-2:]] == [["previous", "none"], ["annotation", "a" * 12]]
    assert (code, errors) == (
        1,
        f"refused: serving is scaled to 0, where no autoscaler acts: kubectl --context here --namespace {dev.name} "
        "scale deployment serving --replicas 1\nannotation serves aaaaaaaaaaaa, the champion is nothing: "
        'make promote ENV=dev BUNDLE=aaaaaaaaaaaa REASON="…" makes it the champion\n',
    )


def test_status_names_the_pod_in_trouble(call: Call, dev: Namespace, api: Api) -> None:
    add_deployment(api, dev.name)
    api.objects[f"/apis/apps/v1/namespaces/{dev.name}/deployments/serving"]["spec"]["template"]["metadata"] = {}
    add_pod(api, dev.name, "new", restartCount=2, state={"waiting": {"reason": "CrashLoopBackOff"}})
    code, said, errors = call("status")
    assert [line.split() for line in said.splitlines()[-2:]] == [["annotation", "nothing"], ["pod", "new", "nothing"]]
    assert (code, errors) == (
        1,
        "refused: pod new, container server: CrashLoopBackOff: correct it, then make image ENV=dev, make deploy ENV=dev\n",
    )


def test_status_without_servers_shows_what_the_registry_has(call: Call, dev: Namespace, api: Api) -> None:
    add_deployment(api, dev.name)
    del api.objects[f"/apis/apps/v1/namespaces/{dev.name}/deployments/serving"]
    code, said, errors = call("status")
    assert (code, said.splitlines()[-1].split()) == (1, ["previous", "none"])
    assert errors.startswith("refused: ")
    assert errors.count("not found") == 1


@pytest.mark.parametrize("verb", ["promote", "rollback"])
def test_an_interrupted_change_is_left_to_status(
    verb: str, call: Call, dev: Namespace, api: Api, ending: set[str]
) -> None:
    add_deployment(api, dev.name)
    ending.add("token")
    code, said, errors = call(verb, "--reason", "x")
    advice = "make status ENV=dev completes or reverts what is left open"
    assert (code, said) == (130, "")
    assert f"interrupted: {advice}" in errors  # and, where it is faster, that the API's answer was not awaited
    assert "refused" not in errors


@pytest.mark.parametrize("verb", ["promote", "rollback", "status"])
def test_what_comes_before_the_first_deployment_is_told_so(verb: str, call: Call, dev: Namespace, api: Api) -> None:
    del api.objects[f"/api/v1/namespaces/{dev.name}"]
    values = VALUES | {"mlflow_uri": "http://mlflow.mlops-platform.svc:5000"}
    (dev.settings.root / "k8s/overlays/dev/environment.yaml").write_text(json.dumps({"data": values}))
    code, _, errors = call(verb, *([] if verb == "status" else ["--reason", "x"]))
    assert (code, errors) == (1, f"refused: there is no namespace {dev.name}: make deploy ENV=dev first\n")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A project in which `dev` alone is in a cluster."""
    root = sample_project.write(tmp_path)
    (root / "k8s" / "overlays" / "dev").mkdir(parents=True)
    return Settings.load(root)


def test_an_environment_with_an_overlay_is_in_a_cluster(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARTIFACT_URI", raising=False)
    places.require_here(settings, "laptop", "…")
    with pytest.raises(Refused, match=r"environment dev is in a cluster \(k8s/overlays/dev\): do it there"):
        places.require_here(settings, "dev", "do it there")
    assert advice.training(settings, "dev") == "make pipeline-run ENV=dev"
    assert advice.training(settings, "laptop") == "make train"


def test_where_variables_say_where_everything_is_nothing_is_left_to_reach(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTIFACT_URI", "s3://models")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")
    with places.reached(settings, "dev") as place:
        assert isinstance(place, places.Here)


def test_an_unknown_environment_is_refused_by_name(settings: Settings) -> None:
    with (
        pytest.raises(Refused, match="environment nowhere: not in config"),
        places.reached(settings, "nowhere"),
    ):
        pass
