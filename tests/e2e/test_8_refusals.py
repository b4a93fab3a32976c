"""What is wrong with the cluster, or with what it is asked for, is said in a sentence, and what was served is served."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from .conftest import LOCAL, World, kubectl, objects, record
from .serving import champion, wait_until_whole
from .stored import other_bundle

DEFAULT = "storageclass.kubernetes.io/is-default-class"


@pytest.fixture(autouse=True)
def _nothing_has_changed(world: World) -> Iterator[None]:
    before = champion(world)
    yield
    assert champion(world) == before
    wait_until_whole()
    world.make("smoke", "ENV=local")


@pytest.mark.proof("Whoever lacks a right is told which verb and which resource")
def test_no_rights(world: World, tmp_path: Path) -> None:
    """As the servers' own account, which may do nothing."""
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    config["users"][0]["user"] = {"token": kubectl("create", "token", "serving", "-n", LOCAL).strip()}
    (tmp_path / "config").write_text(json.dumps(config))
    said = {
        verb: world.refused(verb, "ENV=local", "REASON=x", "NAME=x", KUBECONFIG=str(tmp_path / "config"))
        for verb in ("deploy", "pipeline-run", "promote", "api-key")
    }
    record("8-no-rights", **said)
    for sentence in said.values():
        assert f'User "system:serviceaccount:{LOCAL}:serving" cannot ' in sentence
        assert "resource" in sentence


@pytest.mark.proof(
    "A quota that leaves no room ends a promotion, or a training, with the quota's name, and all is as before"
)
def test_quota_exceeded(world: World) -> None:
    wait_until_whole()
    (quota,) = objects("resourcequota")
    # Pods of trainings that have ended do not count.
    full = {"spec": {"hard": {"pods": quota["status"]["used"]["pods"]}}}
    kubectl("patch", "resourcequota", "environment", "-n", LOCAL, "--patch", json.dumps(full))
    try:
        said = world.refused("promote", "ENV=local", "REASON=x", f"BUNDLE={other_bundle(world)}")
        of_training = world.refused("pipeline-run", "ENV=local")
    finally:
        before = {"spec": {"hard": {"pods": quota["spec"]["hard"]["pods"]}}}
        kubectl("patch", "resourcequota", "environment", "-n", LOCAL, "--patch", json.dumps(before))
    record("8-quota", said=said, of_training=of_training)
    assert "exceeded quota: environment" in said
    assert "the cluster refuses its pod: " in of_training
    assert "exceeded quota: environment" in of_training
    assert "was deleted, so that it does not train later" in of_training
    assert "failed: rollout" in world.make("history", "ENV=local")


@pytest.mark.proof(
    "An image that the nodes cannot find ends a deployment with pod, container and image; the old servers go on"
)
def test_image_not_found(world: World) -> None:
    images = world.project / "k8s/overlays/local/images/kustomization.yaml"
    written = images.read_text()
    digest = next(each["digest"] for each in YAML(typ="safe").load(written)["images"] if each["name"] == "serving")
    images.write_text(written.replace(digest, f"sha256:{'1' * 64}"))
    try:
        said = world.refused("deploy", "ENV=local")
    finally:
        images.write_text(written)
        world.make("deploy", "ENV=local")
    record("8-image", said=said)
    assert "container fetch: " in said
    assert f"@sha256:{'1' * 64}" in said


@pytest.mark.proof(
    "Where the cluster lacks a kind of object, `make deploy` names `make platform`, and nothing is changed"
)
def test_missing_definitions(world: World) -> None:
    kubectl("delete", "crd", "prometheusrules.monitoring.coreos.com")
    try:
        said = world.refused("deploy", "ENV=local")
    finally:
        world.make("platform", "ENV=local", "PLATFORM=artifacts/stand-ins")
        world.make("deploy", "ENV=local")
    record("8-definitions", said=said)
    assert "prometheusrule" in said.lower()
    assert "this cluster does not know that kind: make platform first" in said


@pytest.mark.proof("A cluster without a default storage class is told so before anything is made")
def test_no_storage_class(world: World) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "another", "namespace": "mlops-platform"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    folder = world.project / "artifacts" / "another"
    folder.mkdir(exist_ok=True)
    (folder / "claim.json").write_text(json.dumps(claim))
    (folder / "kustomization.yaml").write_text(json.dumps({"resources": ["../stand-ins", "claim.json"]}))
    defaults = [each["metadata"]["name"] for each in objects("storageclass") if each["metadata"].get("annotations", {}).get(DEFAULT) == "true"]  # fmt: skip
    kubectl("annotate", "storageclass", *defaults, f"{DEFAULT}-")
    try:
        said = world.refused("platform", "ENV=local", "PLATFORM=artifacts/another")
    finally:
        kubectl("annotate", "storageclass", *defaults, f"{DEFAULT}=true")
    record("8-storage", said=said)
    assert "the volume another needs a StorageClass, and this cluster has no default one" in said


@pytest.mark.proof("A bundle that the environment does not have is refused by its id")
def test_an_environment_without_the_bundle(world: World) -> None:
    said = world.refused("promote", "ENV=local", "REASON=x", f"BUNDLE={'0' * 64}")
    assert f"BUNDLE={'0' * 64}: there is no such bundle in s3://models/{LOCAL}" in said
