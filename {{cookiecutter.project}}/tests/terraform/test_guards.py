"""What is refused because it is of another environment, or means nothing: on the Terraform of this machine."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from terraform import declared, guards, verbs
from terraform.place import Place
from terraform.stack import Plan

from tests.terraform.refusals import refusal

NAMED = """
variable "project" {
  type    = string
  default = "churn"
}

variable "environment" {
  type    = string
  default = "dev"
}

variable "pools" {
  description = "a map {"
  type = map(object({
    types = list(string) # of machines
    disk  = optional(number, 100)
    gpu   = optional(object({ type = string, count = optional(list(number), [1]) }))
  }))
  nullable = false
  default  = {}
}

output "cluster_name" {
  value = "${var.project}-${var.environment}"
}
"""
DEV, PROD = ('environment = "dev"\nsize = 1\n', 'environment = "prod"\nsize = 1\n')


@pytest.fixture
def dev(place: Place) -> Place:
    """An environment of a module that knows how the environment is called."""
    main = place.module / "main.tf"
    main.write_text(main.read_text() + NAMED)
    place.variables.write_text(DEV)
    return replace(place, project="churn")


@pytest.fixture
def prod(dev: Place) -> Place:
    """Its neighbour, which is there."""
    prod = replace(dev, environment="prod")
    prod.variables.write_text(PROD)
    verbs.plan(prod)
    verbs.apply(prod)
    return prod


@pytest.mark.proof(
    "Values and states of another environment are refused: by plan, drift, destroy and what reads outputs"
)
@pytest.mark.usefixtures("needs_terraform")
def test_values_of_another_environment(dev: Place) -> None:
    dev.variables.write_text(PROD)
    sentence = 'terraform/environments/dev.tfvars: environment: is "prod", and this is dev of churn: write "dev", or, if prod was meant, ENV=prod'
    assert refusal(verbs.plan, dev) == sentence
    assert not dev.saved.plan.exists()
    assert sentence in refusal(verbs.drift, dev)
    assert refusal(verbs.apply, dev).startswith("no plan is saved")
    dev.variables.write_text(DEV + 'project = "other"\n')
    assert refusal(verbs.plan, dev) == (
        'terraform/environments/dev.tfvars: project: is "other", and this is dev of churn: write "churn" (pyproject.toml says so)'
    )


@pytest.mark.proof(
    "Values and states of another environment are refused: by plan, drift, destroy and what reads outputs"
)
@pytest.mark.usefixtures("needs_terraform")
@pytest.mark.parametrize("verb", ["plan", "drift", "destroy", "outputs"])
def test_the_state_of_another_environment(verb: str, dev: Place, prod: Place, tmp_path: Path) -> None:
    own = dev.backend.read_text()
    dev.backend.write_text(prod.backend.read_text())
    before = (tmp_path / "prod.tfstate").read_bytes()
    assert (
        "terraform/environments/dev.backend.hcl: the state that it names is that of prod of churn (churn-prod), and this is dev of churn: "
        "nothing was done. Let it name the state of dev (make infra-bootstrap ENV=dev writes that), or, if prod was meant, say ENV=prod"
    ) in refusal(getattr(verbs, verb), dev, *(["dev"] if verb == "destroy" else []))
    assert (tmp_path / "prod.tfstate").read_bytes() == before
    assert not dev.saved.plan.exists()
    dev.backend.write_text(own)
    verbs.plan(dev)  # and what was opened by mistake is not taken for a state that would have to move
    assert dev.saved.plan.exists()


def labelled(address: str, key: str, environment: str, project: str = "churn") -> dict[str, Any]:
    labels = {"project": project, "environment": environment}
    return {"address": address, "change": {"actions": ["update"], "before": {key: labels}}}


@pytest.mark.parametrize("key", guards.LABELS)
def test_objects_say_whose_they_are(key: str, place: Place) -> None:
    dev = replace(place, project="churn")
    guards.plan_state(
        dev, {"resource_changes": [labelled("a", key, "dev"), {"address": "b", "change": {"before": None}}]}
    )
    said = refusal(
        guards.plan_state, dev, {"resource_changes": [labelled("a", key, "dev"), labelled("b", key, "prod")]}
    )
    assert "is that of prod of churn (b), and this is dev of churn" in said
    assert "dev of other" in refusal(guards.plan_state, dev, {"resource_changes": [labelled("a", key, "dev", "other")]})
    # Gone from this account, relabelled by hand: what the state says counts.
    relabelled = {"resource_changes": [labelled("a", key, "prod")], "resource_drift": [labelled("a", key, "dev")]}
    guards.plan_state(dev, relabelled)
    assert refusal(guards.plan_state, dev, {"resource_drift": [labelled("a", key, "prod")]})


def test_outputs_say_whose_they_are(place: Place) -> None:
    dev = replace(place, project="churn")
    guards.outputs(dev, {})
    guards.outputs(dev, {"cluster_name": "mine", "workload_identities": {"mlflow": {"namespace": "platform"}}})
    assert "(churn-prod)" in refusal(guards.outputs, dev, {"workload_identities": {"x": {"namespace": "churn-prod"}}})


@pytest.mark.usefixtures("needs_terraform")
def test_a_name_that_nobody_knows(dev: Place) -> None:
    dev.variables.write_text(DEV + "siez = 3\nnothing_like_it = 1\n")
    said = refusal(verbs.plan, dev).splitlines()
    assert sorted(said) == [
        "terraform/environments/dev.tfvars: nothing_like_it: there is no such name; use one of budget, deletion_protection, environment, "
        "password, pools, project, size",
        "terraform/environments/dev.tfvars: siez: there is no such name; did you mean size?",
    ]
    pools = 'pools = { cpu = { types = ["a"], diskk = 50, gpu = { type = "x", counted = 1 } } }\n'
    dev.variables.write_text(DEV + pools)
    assert refusal(verbs.plan, dev).splitlines() == [
        "terraform/environments/dev.tfvars: pools.cpu.diskk: there is no such name; did you mean disk?",
        "terraform/environments/dev.tfvars: pools.cpu.gpu.counted: there is no such name; did you mean count?",
    ]
    assert not dev.saved.plan.exists()
    dev.variables.write_text(DEV + 'pools = { cpu = { types = ["a"], disk = 50, gpu = { type = "x" } } }\n')
    verbs.plan(dev)


def test_what_variables_declare(dev: Place) -> None:
    assert declared.types(dev.module)["pools"] == {
        "*": {"types": {"*": {}}, "disk": {}, "gpu": {"type": {}, "count": {"*": {}}}}
    }
    assert declared.types(dev.module)["size"] == {}


@pytest.mark.parametrize(
    "cloud", [folder.name for folder in Path("terraform").glob("*/") if (folder / "variables.tf").exists()]
)
def test_the_types_of_the_projects_own_module_are_understood(cloud: str) -> None:
    found = declared.types(Path("terraform") / cloud)
    assert {*found["node_pools"]["*"]} == {"machine_types", "min", "max", "disk_gb", "accelerator"}
    assert {*found["node_pools"]["*"]["accelerator"]} == {"type", "count"}
    assert {*found["workloads"]["*"]} == {"service_account", "namespace", "access"}
    assert {*found["budget"]} == {"amount", "emails"}
    assert found["labels"] == {"*": {}}
    assert list(declared.unknown(found, {"labels": {"any": "name"}, "budget": {"amount": 1, "emails": []}})) == []


def test_a_confirmation_of_something_else(place: Place) -> None:
    guards.confirmation(place, "")
    guards.confirmation(place, "dev")
    assert refusal(guards.confirmation, place, "prod") == (
        "CONFIRM=prod is not the environment dev: nothing was done. CONFIRM=dev confirms it, and ENV=prod would be another one"
    )


def test_values_without_the_names_are_nobodys(place: Place) -> None:
    guards.values(place, place.names, Plan.of({"variables": {"size": {"value": 1}}}), (), place.module)
