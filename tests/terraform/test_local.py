"""terraform/local on a kubeconfig: really applied, since it asks nobody."""

import base64
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from .conftest import MakeRoot, Root, actions
from .stacks import NEWEST, OLDEST, terraform

SERVER, AUTHORITY = "https://203.0.113.10:6443", base64.b64encode(b"an authority").decode()


def kubeconfig(file: Path, server: str = SERVER) -> Path:
    """As kubectl would have it, with a second cluster in it."""
    clusters = {"mine": server, "other": "https://203.0.113.99:6443"}
    written = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"server": address, "certificate-authority-data": AUTHORITY}}
            for name, address in clusters.items()
        ],
        "contexts": [
            {"name": "flight-delay-dev", "context": {"cluster": "mine", "user": "me"}},
            {"name": "elsewhere", "context": {"cluster": "other", "user": "me"}},
        ],
        "users": [{"name": "me", "user": {}}],
    }
    with file.open("w", encoding="utf-8") as stream:
        YAML().dump(written, stream)
    return file


@pytest.fixture(params=[OLDEST, NEWEST])
def stack(request: pytest.FixtureRequest, root: MakeRoot) -> Root:
    return root(terraform(request.param), "local", "dev")


@pytest.mark.proof(
    "terraform/local is really applied to a kubeconfig: a second plan empty, every output used, destroyed"
)
def test_a_life(stack: Root, tmp_path: Path) -> None:
    file = str(kubeconfig(tmp_path / "kubeconfig"))
    first = stack.plan(kubeconfig=file, registry_url="registry.example.org/team")
    assert actions(first) == {"terraform_data.this": "create"}
    stack("apply", "tfplan")
    assert actions(stack.plan(kubeconfig=file, registry_url="registry.example.org/team")) == {}
    outputs = stack.outputs()
    identities = outputs.pop("workload_identities")
    assert outputs == {
        "cluster_name": "mine",
        "cluster_endpoint": SERVER,
        "cluster_ca": AUTHORITY,
        "oidc_issuer": "",
        "region": "local",
        "artifact_uri": "s3://models",
        "registry_url": "registry.example.org/team",
        "kms_key_id": "",
        "budget_id": "",
        "kubeconfig_command": "kubectl config use-context flight-delay-dev",
    }
    accounts = {name: (each["namespace"], each["service_account"]) for name, each in identities.items()}
    assert accounts == {
        "training": ("flight-delay-dev", "training"),
        "serving": ("flight-delay-dev", "serving"),
        "mlflow": ("mlops-platform", "mlflow"),
    }
    kubeconfig(Path(file), "https://203.0.113.20:6443")
    assert actions(stack.plan(kubeconfig=file)) == {"terraform_data.this": "update"}, "the context leads elsewhere now"
    stack.plan("-destroy", kubeconfig=file)
    stack("apply", "tfplan")
    assert stack("state", "list") == ""


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kubeconfig": "/nowhere/config"}, "kubeconfig: there is no file /nowhere/config"),
        ({"context": "flight-delay-prod"}, "context: flight-delay-prod is not in"),
    ],
    ids=["no kubeconfig", "no such context"],
)
def test_a_cluster_that_is_not_there_is_refused(values: dict[str, str], said: str, stack: Root, tmp_path: Path) -> None:
    given = {"kubeconfig": str(kubeconfig(tmp_path / "kubeconfig"))} | values
    with pytest.raises(AssertionError, match=said):
        stack.plan(**given)
