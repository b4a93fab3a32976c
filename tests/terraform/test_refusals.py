"""What nobody may answer, and what is said then: each rule of each variable refuses something, with its own sentence."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from modules import ROOTS, TERRAFORM, variables

from .conftest import FILLED_IN, MakeRoot
from .stacks import any_terraform, needs_standins

GOOD: dict[str, Any] = {
    "project": "flight-delay",
    "environment": "dev",
    "kubernetes_version": "1.34",
    "authorized_cidrs": [],
    "context": "kind",
} | FILLED_IN["every"]
# Refused only together: what is allowed in dev.
TOGETHER = {"environment": "staging", "authorized_cidrs": ["203.0.113.0/24"]}
REGIONS = {"aws": "eu-central-1", "gcp": "europe-west4", "azure": "westeurope", "local": "local"}
POOL = {"machine_types": ["x"], "min": 1, "max": 3}
ONE = {"service_account": "training", "access": "read"}
EVERYWHERE: dict[str, list[Any]] = {
    "project": ["Flight Delay", "flight_delay", "-flight", "x" * 41, ""],
    "environment": ["production", "test", ""],
    "kubernetes_version": ["1.34.2", "v1.34", "latest"],
    "network_cidr": ["10.20.0.0/24", "10.20.1.0/16", "8.8.0.0/16", "2001:db8::/32", "10.20.0.0"],
    "service_cidr": ["10.96.0.0/24", "10.96.1.0/16", "10.20.0.0/17", "10.20.0.0/16"],
    "authorized_cidrs": [["0.0.0.0/0"], ["10.0.0.0/8"], ["203.0.113.5"], ["::/0"], TOGETHER["authorized_cidrs"]],
    "node_pools": [
        {"spot": POOL},
        {"cpu": POOL, "fast": POOL},
        {"cpu": POOL | {"machine_types": []}},
        {"cpu": POOL | {"min": 4}},
        {"cpu": POOL | {"disk_gb": 10}},
        {"cpu": POOL | {"min": 0}},
    ],
    "workloads": [
        {"x": ONE | {"access": "admin"}},
        {"x": ONE | {"service_account": "*"}},
        {"x": ONE | {"service_account": ""}},
        {"x": ONE | {"namespace": "a:b"}},
    ],
    "artifact_readers": [["*"], [""], ["allUsers"], ["allAuthenticatedUsers"]],
    "budget": [{"amount": 0, "emails": ["a@b.c"]}, {"amount": 1, "emails": []}, {"amount": 1, "emails": ["nobody"]}],
    "log_retention_days": [0, 7, 400],
    "labels": [{"Team": "x"}, {"team": "A B"}],
    "region": ["Frankfurt", "eu central"],
}
SUBJECTS = FILLED_IN["bootstrap"]["ci_subjects"]
SUBJECT = SUBJECTS["apply"][0]
OF_BOOTSTRAP: dict[str, list[Any]] = {
    "state_name": ["", "Not a name"],
    "ci_subjects": [
        SUBJECTS | {"issuer": "http://token.actions.githubusercontent.com"},
        SUBJECTS | {"issuer": "https://token.actions.githubusercontent.com/"},
        SUBJECTS | {"audience": ""},
        SUBJECTS | {"apply": ["repo:acme/*"]},
        SUBJECTS | {"apply": ["repo:acme/flight-dela?"]},
        SUBJECTS | {"plan": [""]},
        SUBJECTS | {"plan": []},
        SUBJECTS | {"apply": []},
        SUBJECTS | {"plan": [SUBJECT]},
    ],
}
GUID = "11111111-2222-3333-4444-555555555555"
OWN: dict[str, dict[str, list[Any]]] = {
    "aws": {
        "region": ["eu-central-1a", "EU-CENTRAL-1", "europe-west4", ""],
        "account_id": ["1234", "11112222333x", ""],
        "zones": [["a"], ["a", "a"], ["1", "2"]],
        "cluster_access": [
            {"x": {"principal": "arn:aws:iam::111122223333:role/*", "policy": "View"}},
            {"x": {"principal": "arn:aws:iam::111122223333:role/a", "policy": "Everything"}},
        ],
    },
    "gcp": {
        "region": ["europe-west4-a", "Europe", "eu-central-1", ""],
        "project_id": ["Acme", "123456789012", "Acme Dev!", ""],
        "project_number": ["acme-ml", ""],
        "billing_account": ["acme"],
        "pod_cidr": ["10.64.0.0/24", "10.20.0.0/16", "10.96.0.0/14"],
        "security_group": ["admins@example.org"],
    },
    "azure": {
        "region": ["West Europe", "west-europe", "eu-central-1", ""],
        "subscription_id": ["acme", GUID.upper().replace("1", "A"), ""],
        "tenant_id": ["acme", ""],
        "admin_group_ids": [[], ["admins"]],
        "zones": [["a"], ["4"]],
        "artifact_reader_subnet_ids": [["default"]],
    },
    "aws/bootstrap": {},
    "gcp/bootstrap": {
        "ci_subjects": [SUBJECTS | {"apply": ["x" * 128]}, SUBJECTS | {"audience": "x" * 257}],
        "state_name": ["google-state"],
    },
    "azure/bootstrap": {
        "ci_subjects": [SUBJECTS | {"plan": ["x" * 601]}],
        "state_access": [
            {"cidrs": [], "subnet_ids": []},
            {"cidrs": ["0.0.0.0/0"], "subnet_ids": []},
            {"cidrs": ["203.0.113.0/24"], "subnet_ids": ["default"]},
        ],
    },
}

IN_MODULES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "aws/modules/identity": [("choose another key", {"workloads": {"cluster": ONE}})],
    "gcp/modules/budget": [
        ("at most 5 addresses", {"budget": {"amount": 1, "emails": [f"{name}@b.c" for name in "abcdef"]}})
    ],
    "gcp/modules/cluster": [
        ("Google Cloud takes one for each pool", {"node_pools": {"cpu": POOL | {"machine_types": ["x", "y"]}}}),
        ("gpu needs one", {"node_pools": {"cpu": POOL, "gpu": POOL}}),
    ],
    "azure/modules/cluster": [
        ("exactly one of machine_types", {"node_pools": {"cpu": POOL | {"machine_types": ["x", "y"]}}}),
        ("outside of 10.244.0.0/16", {"network_cidr": "10.244.0.0/16"}),
    ],
    "azure/modules/identity": [("the object id of", {"artifact_readers": ["repo:acme/flight-delay"]})],
}
"""What only one cloud refuses, by the rules of its modules in their order: words of the sentence, and values of the whole root."""


def bad(root: str) -> dict[str, list[Any]]:
    """What is refused there. What the contract has is tried once: the clouds' texts are compared with it."""
    cloud, _, bootstrap = root.partition("/")
    if cloud == "local":
        return EVERYWHERE
    common = OF_BOOTSTRAP if bootstrap else {}
    own = OWN[root]
    return {name: [*common.get(name, []), *own.get(name, [])] for name in common | own}


def filled(message: str) -> re.Pattern[str]:
    """What an error_message becomes, whatever Terraform puts in the place of its expressions."""
    texts = re.split(r"\$\{(?:[^{}]|\{[^{}]*\})*\}", message)
    return re.compile(".*".join(map(re.escape, texts)))


def given(value: Any) -> str:
    """How a sentence quotes what was given; nothing where only a part of it is quoted."""
    return "" if isinstance(value, dict) else json.dumps(value, separators=(",", ":")).strip('"')


def details(said: str) -> list[str]:
    """The sentences of a plan's diagnostics, as it says them in JSON."""
    lines = map(json.loads, said.splitlines())
    return [each["diagnostic"]["detail"].partition("\n")[0] for each in lines if each["type"] == "diagnostic"]


@pytest.mark.proof(
    "What cannot be is refused before anything is planned, by every rule of every variable, in a sentence with what was given and the remedy"
)
@pytest.mark.parametrize("root", [*ROOTS, *(each for each in OWN if "/" in each)])
def test_refused(root: str, tmp_path: Path) -> None:
    text = (TERRAFORM / root / "variables.tf").read_text(encoding="utf-8")
    (tmp_path / "variables.tf").write_text(text, encoding="utf-8")
    declared = {each.name: each for each in variables(text)}
    cloud = root.partition("/")[0]
    known = GOOD | FILLED_IN["bootstrap"] | FILLED_IN.get(cloud, {}) | {"region": REGIONS[cloud]}
    good = {name: value for name, value in known.items() if name in declared}
    terraform = any_terraform()
    terraform(tmp_path, "init")

    def said(values: dict[str, Any]) -> list[str]:
        (tmp_path / "terraform.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
        return details(terraform(tmp_path, "plan", "-json", check=False).stdout)

    assert said(good) == []
    seen = set()
    for name, value in ((name, value) for name, values in bad(root).items() for value in values):
        refused = said(good | (TOGETHER if value is TOGETHER["authorized_cidrs"] else {name: value}))
        own = {message for _, message in declared[name].validations}
        mine = {rule: each for rule in own for each in refused if filled(rule).fullmatch(each)}
        assert mine, f"{name} = {value!r}: {refused or 'nothing was said'}"
        assert all(given(value) in each for each in mine.values()), f"{name} = {value!r} is not quoted: {refused}"
        seen |= set(mine)
    rules = {message for name in bad(root) for _, message in declared[name].validations}
    assert rules - seen == set(), "rules that refused nothing here"
    assert {name for name, each in declared.items() if each.validations} - set(bad(root)) <= set(EVERYWHERE)


def test_no_rule_of_a_module_is_forgotten() -> None:
    rules = {
        str(file.parent.relative_to(TERRAFORM)): len(each.validations)
        for file in TERRAFORM.glob("*/modules/*/variables.tf")
        for each in variables(file.read_text(encoding="utf-8"))
        if each.validations
    }
    assert rules == {module: len(values) for module, values in IN_MODULES.items()}


@needs_standins
@pytest.mark.proof(
    "What only one cloud refuses is refused before anything is made, in the sentence of that rule and no other"
)
@pytest.mark.parametrize("module", IN_MODULES)
def test_refused_by_a_module(module: str, root: MakeRoot) -> None:
    stack = root(any_terraform(), module.partition("/")[0], "dev")
    (declared,) = (
        each
        for each in variables((TERRAFORM / module / "variables.tf").read_text(encoding="utf-8"))
        if each.validations
    )
    for (_, rule), (words, values) in zip(declared.validations, IN_MODULES[module], strict=True):
        (stack.folder / "changed.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
        files = [f"-var-file={file}" for file in (*stack.values, "changed.tfvars.json")]
        (said,) = details(stack("plan", "-json", *files, check=False))
        assert filled(rule).fullmatch(said)
        assert words in said
