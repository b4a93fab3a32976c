"""A project's own verbs, from nothing to a rendered overlay: what Terraform gives arrives where the manifests need it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Bake, make, run
from modules import CLOUDS, TERRAFORM
from ruamel.yaml import YAML

from .conftest import filled_in
from .emulators import Backend
from .stacks import needs_standins, on_path, settings

KUSTOMIZE = ROOT / "build" / "k8s" / "kustomize"
pytestmark = [
    needs_standins,
    pytest.mark.skipif(on_path() is None, reason="NOT RUN: terraform was not found on PATH"),
    pytest.mark.skipif(not KUSTOMIZE.exists(), reason="NOT RUN: kustomize was not found (make tools-k8s)"),
]
STORE = {"aws": "s3", "azure": "azurerm", "gcp": "gcs"}
"""Where a cloud's states are."""


def fill_in(project: Path, cloud: str, backend: Backend) -> None:
    """What an owner writes into the files of dev."""
    environments = project / "terraform" / "environments"
    file = environments / "dev.tfvars"
    lines = file.read_text(encoding="utf-8").splitlines()
    for name, value in filled_in(cloud, TERRAFORM / cloud).items():
        lines = [line for line in lines if not re.match(rf"{name} *= ", line)]
        lines.append(f"{name} = {json.dumps(value).replace(': ', ' = ')}")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    backend.write(environments)


@pytest.mark.proof(
    "Bucket, registry and identities arrive from Terraform's outputs in the rendered overlay, by the project's own verbs, on each cloud's stand-in"
)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_from_nothing_to_the_overlay(cloud: str, bake: Bake, store: Callable[[str], Backend], tmp_path: Path) -> None:
    project, backend = bake(cloud=cloud), store(STORE[cloud])
    fill_in(project, cloud, backend)
    environment = settings() | backend.environment

    def verb(*words: str, check: bool = True) -> str:
        done = make(project, *words, "ENV=dev", check=check, **environment)
        return done.stdout + done.stderr

    first = rf"^dev \({cloud}, (account|project|subscription) [\w-]+, [\w-]+\): \d\d created$"
    assert re.search(first, verb("infra-plan"), re.MULTILINE)
    assert "dev is as planned" in verb("infra-apply")
    assert "no drift" in verb("infra-drift")
    assert "environment.yaml is written" in verb("overlay-values")
    outputs = read_outputs(project, cloud, tmp_path, environment)
    arrived(project, outputs)
    is_refused_as_anothers(project, environment)
    refused = verb("infra-destroy", check=False)
    assert "CONFIRM=dev" in refused
    assert "is destroyed" in verb("infra-destroy", "CONFIRM=dev")


def is_refused_as_anothers(project: Path, environment: dict[str, str]) -> None:
    """The state of dev, by the verbs of staging: its objects say whose they are."""
    environments = project / "terraform" / "environments"
    values = (environments / "dev.tfvars").read_text(encoding="utf-8")
    for end, text in {
        "tfvars": values.replace('"dev"', '"staging"'),
        "backend.hcl": (environments / "dev.backend.hcl").read_text(encoding="utf-8"),
    }.items():
        (environments / f"staging.{end}").write_text(text, encoding="utf-8")
    for words in (["infra-plan"], ["infra-destroy", "CONFIRM=staging"], ["overlay-values"]):
        done = make(project, *words, "ENV=staging", check=False, **environment)
        assert "the state that it names is that of dev of flight-delay (" in done.stderr, done.stderr
    assert not list((project / "artifacts" / "terraform" / "staging").glob("plan.*"))


def read_outputs(project: Path, cloud: str, folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    """By Terraform itself, from the state in the store."""
    data = {"TF_DATA_DIR": str(folder / "data")}
    module, backend = project / "terraform" / cloud, project / "terraform" / "environments" / "dev.backend.hcl"
    run("terraform", "init", f"-backend-config={backend}", cwd=module, check=True, **environment, **data)
    found = json.loads(run("terraform", "output", "-json", cwd=module, check=True, **environment, **data).stdout)
    (module / ".terraform.lock.hcl").unlink(missing_ok=True)
    return {name: each["value"] for name, each in found.items()}


def arrived(project: Path, outputs: dict[str, Any]) -> None:
    overlay = project / "k8s" / "overlays" / "dev"
    yaml = YAML(typ="safe")
    objects = list(yaml.load_all(run(KUSTOMIZE, "build", overlay, cwd=project).stdout))

    def one(kind: str, name: str) -> Any:
        (found,) = (each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name))
        return found

    values = yaml.load((overlay / "environment.yaml").read_text(encoding="utf-8"))["data"]
    # `make image` pushes to it; `make promote` and `make deploy` read the others.
    assert values["registry"] == outputs["registry_url"] != ""
    assert values["artifact_uri"] == outputs["artifact_uri"] != ""
    assert values["region"] == outputs["region"]
    assert values["object_store_endpoint"] == ""
    pods = {
        "training": one("CronJob", "training")["spec"]["jobTemplate"]["spec"]["template"],
        "serving": one("Deployment", "serving")["spec"]["template"],
    }
    (training,) = pods["training"]["spec"]["containers"]
    assert {"name": "ARTIFACT_URI", "value": outputs["artifact_uri"]} in training["env"]
    for workload, pod in pods.items():
        identity = outputs["workload_identities"][workload]
        account = one("ServiceAccount", identity["service_account"])
        assert account["metadata"]["namespace"] == identity["namespace"] == "flight-delay-dev"
        assert pod["spec"]["serviceAccountName"] == identity["service_account"]
        assert identity["annotations"].items() <= account["metadata"].get("annotations", {}).items()
        assert identity["labels"].items() <= pod["metadata"]["labels"].items()
        assert identity["principal"]
