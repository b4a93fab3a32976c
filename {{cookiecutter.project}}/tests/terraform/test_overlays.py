"""Outputs go where manifests and verbs look for them, and nothing else in the file changes."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from terraform import overlays, verbs
from terraform.place import Place, Refused

FILE = """\
# Where things are.
apiVersion: v1
kind: ConfigMap
metadata:
  name: environment
  annotations: {config.kubernetes.io/local-config: "true"}
data:
  environment: dev
  artifact_uri: ""  # ours
  region: ""
  mlflow_uri: http://mlflow.mlops-platform.svc:5000
  object_store_endpoint: "http://of-the-platform"
  registry: "ghcr.io/us"
  serving_identity: ""
  training_identity: ""
"""
CLIENT, TENANT = "azure.workload.identity/client-id", "azure.workload.identity/tenant-id"


def outputs(**changed: Any) -> dict[str, Any]:
    plain = {"annotations": {}, "labels": {}, "principal": "p"}
    return {
        "artifact_uri": "s3://bucket",
        "region": "eu-central-1",
        "registry_url": "registry.example.org/us",
        "workload_identities": dict.fromkeys(("serving", "training", "mlflow"), plain),
        **changed,
    }


def data(text: str) -> dict[str, str]:
    found: dict[str, str] = YAML(typ="safe").load(text)["data"]
    return found


@pytest.mark.proof("What Terraform has made reaches environment.yaml; comments and everything else in it stay")
def test_values_are_put_in_their_places() -> None:
    text, lines = overlays.put(FILE, overlays.values("aws", outputs()))
    assert lines == [
        "artifact_uri: nothing → s3://bucket",
        "registry: ghcr.io/us → registry.example.org/us",
        "region: nothing → eu-central-1",
        "object_store_endpoint: http://of-the-platform → nothing",
    ]
    wanted = {"artifact_uri": "s3://bucket", "registry": "registry.example.org/us", "region": "eu-central-1"}
    assert data(text) == data(FILE) | wanted | {"object_store_endpoint": ""}
    changed = [(old, new) for old, new in zip(FILE.splitlines(), text.splitlines(), strict=True) if old != new]
    assert len(changed) == 4
    assert changed[0][1].endswith("# ours")
    again, nothing = overlays.put(text, overlays.values("aws", outputs()))
    assert (again, nothing) == (text, [])


def test_a_cluster_that_was_there_has_its_own_store() -> None:
    assert overlays.values("local", outputs(registry_url="")) == {"artifact_uri": "s3://bucket"}
    assert overlays.values("local", outputs())["registry"] == "registry.example.org/us"


def test_identities_that_pods_are_told_by_an_annotation() -> None:
    identities = {
        name: {"annotations": {CLIENT: f"id-of-{name}", TENANT: "ours"}} for name in ("serving", "training", "mlflow")
    }
    found = overlays.values("azure", outputs(workload_identities=identities))
    assert found["serving_identity"] == "id-of-serving"
    assert found["training_identity"] == "id-of-training"
    assert found["identity_tenant"] == "ours"
    assert not any("mlflow" in key for key in found)


def test_the_file_is_written_whole(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verbs, "outputs", lambda place, *needed: outputs())
    file = place.root / "k8s" / "overlays" / "dev" / "environment.yaml"
    with pytest.raises(Refused, match=r"^k8s/overlays/dev/environment\.yaml is missing"):
        overlays.write(place)
    file.parent.mkdir(parents=True)
    file.write_text(FILE)
    overlays.write(place)
    assert data(file.read_text())["artifact_uri"] == "s3://bucket"
    assert capsys.readouterr().out.endswith("environment.yaml is written: look at it, and commit it\n")
    overlays.write(place)
    assert capsys.readouterr().out == "k8s/overlays/dev/environment.yaml has these values already\n"
    assert [path.name for path in file.parent.iterdir()] == ["environment.yaml"]


@pytest.mark.usefixtures("needs_terraform")
def test_an_environment_that_was_never_made_whole(place: Place) -> None:
    """An apply that ends early leaves outputs out; the module of these tests has none of those that are needed."""
    verbs.plan(place)
    verbs.apply(place)
    file = place.root / "k8s" / "overlays" / "dev" / "environment.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(FILE)
    with pytest.raises(Refused) as refused:
        overlays.write(place)
    assert str(refused.value) == (
        "dev was never made whole, and has no artifact_uri, region, registry_url, workload_identities: "
        "make infra-plan ENV=dev, then make infra-apply ENV=dev"
    )
    assert file.read_text() == FILE
