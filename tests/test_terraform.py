"""Terraform's files as text: one contract for all roots, the same few files everywhere, values for all that has no default.

What needs Terraform itself is in tests/terraform: make test-terraform.
"""

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import cache
from ipaddress import ip_network
from itertools import combinations
from pathlib import Path
from typing import Any

import hcl2
import pytest
from conftest import ROOT, Bake, run
from ruamel.yaml import YAML

sys.path.append(str(ROOT / "docs"))
from modules import BANNER, CLOUDS, FILES, LINK, ROOTS, TERRAFORM, Variable, modules, outputs, variables

MODULES = [folder for root in ROOTS for folder in modules(root)]
LINES = 900
"""What an owner of one cloud reads at most, tests apart."""
LONGEST = {"azure": 997}
"""Where that is not reached, what it is now."""
PARTS = {"budget", "cluster", "identity", "network", "registry", "storage"}
TESTS = {"security", "stack", "variables"}
ENVIRONMENTS = ("dev", "staging", "prod")
# A cloud's own word for where everything is; and the machines, which each cloud names in its own way.
OWN_DEFAULT, OWN_RULE = {"region", "node_pools"}, {"region"}


Project = Callable[[str], Path]


@pytest.fixture(scope="module")
def project_of(bake: Bake) -> Project:
    return cache(lambda cloud: bake(cloud=cloud))


def text(root: str, file: str) -> str:
    return (TERRAFORM / root / file).read_text(encoding="utf-8")


def contract(root: str) -> dict[str, dict[str, Any]]:
    """The variables that all roots have, without what each may have of its own."""
    common, _, _ = text(root, "variables.tf").partition(BANNER)

    def shared(variable: Variable) -> dict[str, Any]:
        leave = {"name"} | ({"default", "needed"} if variable.name in OWN_DEFAULT else set())
        leave |= {"validations"} if variable.name in OWN_RULE else set()
        return {key: value for key, value in vars(variable).items() if key not in leave}

    return {variable.name: shared(variable) for variable in variables(common)}


@pytest.mark.proof("All clouds take the same variables, with the same rules and words, and give the same outputs")
@pytest.mark.parametrize("root", CLOUDS)
def test_one_contract(root: str) -> None:
    common = contract("local")
    assert len(common) >= 14
    assert list(contract(root)) == list(common)
    for name, variable in contract(root).items():
        assert variable == common[name], name
    assert outputs(text(root, "outputs.tf")) == outputs(text("local", "outputs.tf"))


def test_every_root_draws_the_line() -> None:
    """Below it stands what only one of them has."""
    assert {root: text(root, "variables.tf").count(BANNER) for root in ROOTS} == dict.fromkeys(ROOTS, 1)


@pytest.mark.parametrize("folder", MODULES, ids=lambda folder: str(folder.relative_to(TERRAFORM)))
def test_every_module_says_what_it_takes_and_gives(folder: Path) -> None:
    part = folder.parent.name == "modules"
    more = set() if part else {"versions.tf", LINK} if folder.name == "bootstrap" else {"versions.tf"}
    assert {path.name for path in folder.glob("*.tf")} == set(FILES) | more
    takes = variables((folder / "variables.tf").read_text(encoding="utf-8"))
    assert [each.name for each in takes if not each.description or not each.type] == []
    if not part:
        gives = outputs((folder / "outputs.tf").read_text(encoding="utf-8"))
        assert [each.name for each in gives if not each.description] == []
        for each in takes:
            assert [said for _, said in each.validations if not said.startswith(f"{each.name}: ")] == []
        (versions,) = hcl(folder / "versions.tf")["terraform"]
        assert versions["required_version"] == '">= 1.11, < 2.0"'


def hcl(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = hcl2.loads(file.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_cloud_is_made_of_the_same_parts(cloud: str) -> None:
    assert {path.name for path in (TERRAFORM / cloud / "modules").iterdir()} == PARTS
    assert {path.name.partition(".")[0] for path in (TERRAFORM / cloud / "tests").glob("*.tftest.hcl")} >= TESTS
    assert list((TERRAFORM / cloud / "bootstrap" / "tests").glob("*.tftest.hcl"))
    assert (TERRAFORM / cloud / "README.md").exists()
    assert (TERRAFORM / cloud / "bootstrap" / "README.md").exists()


def test_the_bootstraps_ask_alike() -> None:
    """What all have, in the same words and with the same rules; of the subjects one is each cloud's own: how long they may be."""
    asked = {cloud: {each.name: each for each in variables(text(cloud, "bootstrap/variables.tf"))} for cloud in CLOUDS}
    first, *others = (vars(asked[cloud]["ci_subjects"]) for cloud in CLOUDS)
    for other in others:
        assert {**other, "validations": ()} == {**first, "validations": ()}
        assert other["validations"][:3:2] == first["validations"][:3:2] != ()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_bootstrap_takes_the_values_of_its_stack(cloud: str, project_of: Project) -> None:
    """By the same text, in the template and in a project: neither can ask or refuse what the other does not."""
    for root in (TERRAFORM, project_of(cloud) / "terraform"):
        assert (root / cloud / "bootstrap" / LINK).readlink() == Path("..", "variables.tf")
        assert not (root / cloud / "variables.tf").is_symlink()


@pytest.mark.parametrize("root", ROOTS)
def test_null_is_no_value(root: str) -> None:
    """It would pass rules by, and reach a provider as if nothing had been said."""
    assert [each.name for each in variables(text(root, "variables.tf")) if each.nullable is not False] == []


@pytest.mark.parametrize("root", ROOTS)
def test_a_remedy_does_not_overlap_either(root: str) -> None:
    """Of the ranges that a sentence names, one is free, whatever is in use."""
    for variable in variables(text(root, "variables.tf")):
        for condition, said in variable.validations:
            if "overlaps" in said:
                named = [ip_network(each) for each in re.findall(r"\d+(?:\.\d+){3}/\d+", said)]
                others = {"network_cidr", "service_cidr"} - {variable.name}
                in_use = [name for name in others if f"var.{name}" in condition]
                assert len(named) > len(in_use) > 0
                assert not any(one.overlaps(other) for one, other in combinations(named, 2))


def lines_of(project: Path, cloud: str) -> int:
    """In a project, where links that were not made again would be copies to read."""
    files = [file for file in (project / "terraform" / cloud).rglob("*.tf") if not file.is_symlink()]
    assert len(files) == len(FILES) * len(PARTS) + 2 * (len(FILES) + 1)
    return sum(file.read_text(encoding="utf-8").count("\n") for file in files)


TOO_LONG = pytest.mark.xfail(
    reason="the contract, its rules and their security are longer so far: docs/decisions/0017", strict=True
)


@pytest.mark.parametrize("cloud", [pytest.param(cloud, marks=TOO_LONG if cloud in LONGEST else ()) for cloud in CLOUDS])
def test_an_owner_reads_little(cloud: str, project_of: Project) -> None:
    assert lines_of(project_of(cloud), cloud) <= LINES


@pytest.mark.parametrize("cloud", LONGEST)
def test_what_is_too_long_gets_no_longer(cloud: str, project_of: Project) -> None:
    assert lines_of(project_of(cloud), cloud) <= LONGEST[cloud]


def test_nothing_is_left_in_the_tree() -> None:
    """Work in copies: a lock file of stand-ins would be wrong for everybody else."""
    left = [str(path) for path in TERRAFORM.rglob("*") if path.name.startswith((".terraform", "terraform.tfstate"))]
    assert left == []


def test_formatted() -> None:
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("NOT RUN: terraform was not found, which formats")
    run(program, "fmt", "-check", "-recursive", "-diff", cwd=TERRAFORM)


def test_no_code_is_commented_out() -> None:
    dead = re.compile(r"^\s*# *(?:\w+ *= *\S+|\w+ *\{|(?:resource|module|variable|data) \")", re.MULTILINE)
    for file in TERRAFORM.rglob("*.*"):
        if file.suffix in (".tf", ".hcl"):
            assert dead.findall(file.read_text(encoding="utf-8")) == [], file


def rendered() -> Iterator[tuple[str | None, dict[str, Any]]]:
    """The objects of dev and of the platform, each with its namespace as `workloads` has it: none is the environment's."""
    for name in ("overlays/dev", "platform/platform"):
        for each in YAML(typ="safe").load_all((ROOT / "tests" / "golden" / f"{name}.yaml").read_text(encoding="utf-8")):
            yield None if name == "overlays/dev" else each["metadata"].get("namespace"), each


def pod_of(found: dict[str, Any]) -> dict[str, Any]:
    spec = found.get("spec") or {}
    return (spec.get("jobTemplate", {}).get("spec", spec).get("template") or {}).get("spec") or {}


def clients() -> set[tuple[str | None, str]]:
    """The service accounts of the pods that are told about the object store, which the store's own pod is not."""
    return {
        (namespace, pod_of(each)["serviceAccountName"])
        for namespace, each in rendered()
        if "object-store" in json.dumps(pod_of(each)) and each["metadata"]["name"] != "object-store"
    }


@pytest.mark.proof(
    "Whoever uses the artifacts in a rendered overlay has an identity in Terraform's defaults, and nobody else"
)
def test_workloads_are_those_of_the_overlays() -> None:
    default = next(each for each in variables(text("local", "variables.tf")) if each.name == "workloads").default
    named = {(each.get("namespace"), each["service_account"]) for each in default.values()}
    assert named <= {
        (where, each["metadata"]["name"]) for where, each in rendered() if each["kind"] == "ServiceAccount"
    }
    assert named == clients()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("root", ROOTS)
def test_an_environment_has_a_place_for_every_value(root: str, environment: str, project_of: Project) -> None:
    """What has no default stands in its file, be it blank; and nothing stands there that does not exist."""
    folder = project_of(root) / "terraform" / "environments"
    files = {f"{environment}.tfvars": TERRAFORM / root}
    if root in CLOUDS:
        # Of its own only: what the stack has as well stands in the stack's file.
        files[f"{environment}.bootstrap.tfvars"] = TERRAFORM / root / "bootstrap"
    for name, module in files.items():
        given = set(hcl(folder / name)) - {"__comments__", "__inline_comments__"}
        takes = variables((module / "variables.tf").read_text(encoding="utf-8"))
        assert given <= {each.name for each in takes}, name
        assert {each.name for each in takes if each.needed} <= given, name
