"""The way to an environment's cluster, up to the point where one would have to be there; and what is sent to it."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.package }} import cluster, variables
from {{ cookiecutter.package }}.cluster import deploying, overlay, rollout
from {{ cookiecutter.package }}.cluster.place import Namespace
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.registry import CHAMPION, Registry, Version
from {{ cookiecutter.package }}.settings import Settings

import sample_project

from .stand_ins import Api, program

FILE = "k8s/overlays/dev/environment.yaml"
VALUES = {"environment": "dev", "artifact_uri": "s3://models", "mlflow_uri": "https://mlflow.example.org"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in which `dev` alone is in a cluster."""
    root = sample_project.write(tmp_path / "project")
    write(root, VALUES)
    return root


def write(root: Path, values: dict[str, str]) -> None:
    (root / FILE).parent.mkdir(parents=True, exist_ok=True)
    (root / FILE).write_text(json.dumps({"data": values}))


def refusal(root: Path, environment: str = "dev") -> str:
    with pytest.raises(Refused) as refused:
        overlay.read(Settings.load(root), environment)
    return str(refused.value)


def test_where_an_environment_is(root: Path) -> None:
    settings = Settings.load(root)
    assert overlay.read(settings, "dev").model_dump(exclude_defaults=True) == VALUES
    write(root, VALUES | {"gateway_name": "edge", "registry": "r.example.org"})
    assert overlay.read(settings, "dev").registry == "r.example.org"
    assert overlay.namespace(settings, "dev") == f"{settings.project}-dev"


def test_an_environment_without_an_overlay_is_in_no_cluster(root: Path) -> None:
    said = "environment laptop is in no cluster: k8s/overlays has no folder of that name"
    assert refusal(root, "laptop") == f"{said}; say which: ENV=dev"
    for name in ("staging", "prod"):
        (root / "k8s/overlays" / name).mkdir()
    assert refusal(root, "laptop") == f"{said}; say which: ENV=dev, staging or prod"
    for name in ("dev", "staging", "prod"):
        shutil.rmtree(root / "k8s/overlays" / name)
    assert refusal(root, "laptop") == said
    assert refusal(root, "def").startswith("environment def: not in config/gates.yaml: environments; use one of ")


def test_a_folder_that_was_copied_and_not_changed_is_refused(root: Path) -> None:
    write(root, VALUES | {"environment": "staging"})
    assert refusal(root) == f"{FILE}: data.environment: staging: must be dev, as its folder is called"


@pytest.mark.parametrize("key", ["artifact_uri", "mlflow_uri"])
def test_an_address_that_is_not_there_yet_is_named(key: str, root: Path) -> None:
    write(root, VALUES | {key: ""})
    assert refusal(root) == (
        f"{FILE}: data.{key}: is empty; write the address there: `make overlay-values` does it from Terraform's"
    )
    write(root, {name: value for name, value in VALUES.items() if name != key})
    assert refusal(root) == f"{FILE}: data: {key}: missing: this key is required"


def test_a_file_that_is_not_there_or_empty_is_refused(root: Path) -> None:
    (root / FILE).write_text("")
    assert refusal(root).startswith(f"{FILE}: data: ")
    (root / FILE).unlink()
    assert refusal(root) == f"{FILE}: this file is missing; restore it from Git"


def test_variables_are_there_for_the_block_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "of-the-user")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    values = {"AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    before = dict(os.environ)
    with variables.given(values):
        assert dict(os.environ) == before | values
    assert dict(os.environ) == before
    with pytest.raises(Refused), variables.given(values):
        raise Refused("stops halfway")
    assert dict(os.environ) == before


class Unreached:
    """A cluster whose Secrets are none."""

    def secret(self, namespace: str, name: str) -> None:
        return None


def test_the_store_before_is_where_its_own_overlay_says(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each environment of a cloud has a bucket of its own; a model is promoted out of one into the next."""
    for name in ("ARTIFACT_URI", "ARTIFACT_URI_DEV", "AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    write(root, VALUES | {"artifact_uri": "s3://of-dev"})
    staging = root / "k8s/overlays/staging/environment.yaml"
    staging.parent.mkdir()
    values = VALUES | {
        "environment": "staging",
        "artifact_uri": "s3://of-staging",
        "object_store_endpoint": "",
        "region": "",
    }
    staging.write_text(json.dumps({"data": values}))
    settings = Settings.load(root)
    with overlay.reached(settings, "staging", Unreached()):  # type: ignore[arg-type]
        assert settings.environment("staging").store_uri == f"s3://of-staging/{settings.project}-staging"
        assert settings.environment("dev").store_uri == f"s3://of-dev/{settings.project}-dev"
        assert not {"AWS_ENDPOINT_URL", "AWS_REGION"} & {*os.environ}
    assert "ARTIFACT_URI_DEV" not in os.environ


def answer(root: Path, *words: str, kubeconfig: Path, kubectl: bool = True, contexts: str = "gone") -> str:
    """What `python -m <package>.cluster` refuses with, on a machine that has no cluster."""
    tools = root.parent / "tools"
    tools.mkdir(exist_ok=True)
    if kubectl:
        program(tools / "kubectl", f'case "$*" in "config get-contexts"*) echo {contexts} ;; *) exit 9 ;; esac')
    where = {"PATH": str(tools), "HOME": str(root), "KUBECONFIG": str(kubeconfig)}
    done = subprocess.run(
        [sys.executable, "-m", cluster.__name__, *words],
        cwd=root,
        env=where | {"PYTHONPATH": str(sample_project.PROJECT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """Of a cluster that does not run any more."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server = f"http://127.0.0.1:{unused.getsockname()[1]}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "gone",
        "contexts": [{"name": "gone", "context": {"cluster": "gone", "user": "me"}}],
        "clusters": [{"name": "gone", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": {}}],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(document))
    return file


DEPLOY = ("deploy", "--environment", "dev")


def test_no_kubectl(root: Path, kubeconfig: Path) -> None:
    assert answer(root, *DEPLOY, kubeconfig=kubeconfig, kubectl=False) == (
        "refused: kubectl was not found: install it (https://kubernetes.io/docs/tasks/tools), or put it on PATH"
    )


def test_no_kubeconfig(root: Path, tmp_path: Path) -> None:
    none, empty = tmp_path / "none", tmp_path / "empty"
    assert answer(root, *DEPLOY, kubeconfig=none) == (
        f"refused: no cluster: KUBECONFIG={none}: no such file; correct it, or unset it (then ~/.kube/config is read), "
        "or make a cluster: make cluster"
    )
    empty.write_text("{}")
    said = answer(root, *DEPLOY, kubeconfig=empty)
    assert said.startswith("refused: no cluster: Invalid kube-config file. ")
    assert said.endswith("; name one by KUBECONFIG or `kubectl config use-context`, or make one: make cluster")


def test_no_such_context(root: Path, kubeconfig: Path) -> None:
    elsewhere = (*DEPLOY, "--context", "elsewhere")
    said = "refused: CONTEXT=elsewhere: kubeconfig has no context of that name; there "
    assert answer(root, *elsewhere, kubeconfig=kubeconfig) == f"{said}are: gone"
    assert answer(root, *elsewhere, kubeconfig=kubeconfig, contexts="") == f"{said}is none; make cluster makes one"
    # kubectl knows it, so it is something else that is wrong.
    said = answer(root, *elsewhere, kubeconfig=kubeconfig, contexts="elsewhere")
    assert said.startswith("refused: no cluster: Invalid kube-config file. Expected object with name elsewhere in ")


def test_a_cluster_that_does_not_answer(root: Path, kubeconfig: Path) -> None:
    server = json.loads(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    assert answer(root, *DEPLOY, kubeconfig=kubeconfig) == (
        f"refused: could not reach the cluster: {server} (context gone) does not answer; is the cluster up, "
        "and is this the right context?"
    )


def test_what_is_wrong_here_is_said_before_a_cluster_is_asked(root: Path, kubeconfig: Path) -> None:
    write(root, VALUES | {"mlflow_uri": ""})
    assert answer(root, *DEPLOY, kubeconfig=kubeconfig).startswith(f"refused: {FILE}: data.mlflow_uri: is empty")
    assert answer(root, "restore", kubeconfig=kubeconfig) == (
        "refused: INPUT= is required: the folder that make backup wrote"
    )


def test_a_promotion_writes_nothing_but_the_model(root: Path) -> None:
    version = Version("7", "a" * 64, f"s3://models/x/bundles/{'a' * 64}", "ada", None, False)
    assert rollout.template(version) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "serving",
            "annotations": {"kubernetes.io/change-cause": "model version 7, bundle aaaaaaaaaaaa"},
        },
        "spec": {
            "template": {
                "metadata": {
                    "annotations": {
                        "mlops-template.io/model-uri": version.uri,
                        "mlops-template.io/model-id": version.bundle_id,
                        "mlops-template.io/model-version": "7",
                    }
                }
            }
        },
    }
    none = rollout.template(None)
    assert none["metadata"]["annotations"] == {"kubernetes.io/change-cause": "no model"}
    assert none["spec"]["template"]["metadata"]["annotations"] == {}


@pytest.fixture
def with_champion(dev: Namespace, empty_registry: Path, tmp_path: Path) -> Version:
    """The environment `dev` on addresses outside of the cluster: the registry is a file, and has a champion."""
    file = shutil.copy(empty_registry, tmp_path)
    addresses = {"artifact_uri": (tmp_path / "store").as_uri(), "mlflow_uri": f"sqlite:///{file}"}
    write(dev.settings.root, VALUES | addresses)
    with overlay.reached(dev.settings, "dev", dev.cluster):
        registry = Registry(dev.settings.environment("dev"))
        version = registry.register("file:///bundle", "b" * 64, "ada")
        registry.set_alias(CHAMPION, version)
    return version


def test_the_champion_is_looked_up_and_nothing_comes_of_it_when_that_fails(
    dev: Namespace, api: Api, with_champion: Version
) -> None:
    assert deploying._champion(dev) == with_champion
    api.forbidden = {("GET", f"/api/v1/namespaces/{dev.name}/secrets/mlflow")}
    assert deploying._champion(dev) is None
    api.forbidden = set()
    write(dev.settings.root, VALUES | {"mlflow_uri": "no-such-kind://mlflow"})
    assert deploying._champion(dev) is None


RENDERED = """\
apiVersion: v1
kind: Namespace
metadata:
  name: a-dev
---
apiVersion: monitoring.coreos.com/v1alpha1
kind: AlertmanagerConfig
spec:
  matchers:
  - matchType: =
    value: page
---
"""


def test_the_namespace_is_applied_first_and_alone() -> None:
    namespace: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a-dev"}}
    assert [each["kind"] for each in deploying.objects(RENDERED)] == ["Namespace", "AlertmanagerConfig"]
    assert deploying.objects(RENDERED)[1]["spec"]["matchers"] == [{"matchType": "=", "value": "page"}]
    assert deploying.objects(deploying.namespace_only(RENDERED)) == [namespace]
