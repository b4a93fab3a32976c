"""The overlays of a cloud: how pods reach its store without a key. That they are valid, and golden, is in test_k8s.py."""

from typing import Any

import pytest
from conftest import Bake, run
from overlays import CLOUDS, FILLED_IN, Object, filled_in
from ruamel.yaml import YAML
from test_k8s import KUSTOMIZE, containers, one, pod_of

pytestmark = pytest.mark.skipif(
    not KUSTOMIZE.exists(), reason="NOT RUN: the pinned kustomize was not found (make tools-k8s)"
)


@pytest.fixture(scope="module")
def rendered(bake: Bake) -> dict[str, str]:
    folders = {cloud: filled_in(bake(cloud=cloud), cloud) for cloud in CLOUDS}
    return {cloud: run(KUSTOMIZE, "build", folder, cwd=folder).stdout for cloud, folder in folders.items()}


@pytest.fixture(scope="module")
def objects(rendered: dict[str, str]) -> dict[str, list[Object]]:
    yaml = YAML(typ="safe")
    return {cloud: list(yaml.load_all(text)) for cloud, text in rendered.items()}


@pytest.mark.proof(
    "In each cloud, pods reach artifacts as their service account: there is no key, and nothing of the platform's store"
)
@pytest.mark.parametrize("name", CLOUDS)
def test_in_a_cloud_pods_are_known_by_their_service_account(
    name: str, objects: dict[str, list[Object]], rendered: dict[str, str]
) -> None:
    assert "object-store.mlops-platform" not in rendered[name]
    assert "AWS_ENDPOINT_URL" not in rendered[name]
    training = pod_of(one(objects[name], "CronJob", "training"))
    serving = pod_of(one(objects[name], "Deployment", "serving"))
    secrets = {
        source["secretRef"]["name"]
        for pod in (training, serving)
        for each in containers(pod)
        for source in each.get("envFrom", ())
    }
    assert secrets == {"mlflow"}
    variables = {each["name"]: each.get("value") for each in training["containers"][0]["env"]}
    assert variables["ARTIFACT_URI"] == FILLED_IN[name]["artifact_uri"]
    assert variables.get("AWS_REGION") == ("eu-central-1" if name == "aws" else None)
    assert (serving["serviceAccountName"], training["serviceAccountName"]) == ("serving", "training")


def ways_to(found: list[Object], name: str) -> dict[str, set[int]]:
    """Where the pods of a NetworkPolicy may go by address: the range, and its ports."""
    policy = one(found, "NetworkPolicy", name)
    return {
        way["to"][0]["ipBlock"]["cidr"]: {port["port"] for port in way["ports"]} for way in policy["spec"]["egress"]
    }


TOKENS: dict[str, Any] = {
    "aws": {"169.254.170.23/32": {80}},
    "gcp": {"169.254.169.254/32": {80}, "169.254.169.252/32": {988}},
    "azure": {},
}
"""Where pods of a cloud get the token that says who they are, besides what HTTPS reaches."""


@pytest.mark.parametrize("name", CLOUDS)
def test_in_a_cloud_pods_reach_the_store_and_their_token(name: str, objects: dict[str, list[Object]]) -> None:
    for workload in ("serving", "training"):
        policy = one(objects[name], "NetworkPolicy", f"{workload}-to-object-store")
        assert policy["spec"]["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": workload}}
        assert ways_to(objects[name], f"{workload}-to-object-store") == {"0.0.0.0/0": {443}} | TOKENS[name]
        assert policy["spec"]["egress"][0]["to"][0]["ipBlock"]["except"] == ["169.254.0.0/16"]


def test_on_azure_an_annotation_and_a_label_say_who_pods_are(objects: dict[str, list[Object]]) -> None:
    for workload, kind in (("serving", "Deployment"), ("training", "CronJob")):
        account = one(objects["azure"], "ServiceAccount", workload)
        assert account["metadata"]["annotations"] == {
            "azure.workload.identity/client-id": FILLED_IN["azure"][f"{workload}_identity"],
            "azure.workload.identity/tenant-id": FILLED_IN["azure"]["identity_tenant"],
        }
        spec = one(objects["azure"], kind, workload)["spec"]
        template = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]
        assert template["metadata"]["labels"]["azure.workload.identity/use"] == "true"
