"""Policies over plans: they hold in every environment of every cloud, and each sees what it is there for."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import run
from modules import CLOUDS

from .conftest import MakeRoot, Root
from .mutations import MUTATIONS, Mutation
from .stacks import any_terraform, needs_standins

ENVIRONMENTS = ("dev", "staging", "prod")
OPEN = {"authorized_cidrs": ["203.0.113.0/24"]}
COMMAND = Path(__file__).parent / "policy.py"


def said_of(plan: dict[str, Any], folder: Path) -> tuple[int, list[str]]:
    """Exit code and lines of the command that CI runs."""
    file = folder / "plan.json"
    file.write_text(json.dumps(plan), encoding="utf-8")
    done = run(sys.executable, COMMAND, file, cwd=folder, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines()


def changed(stack: Root, mutation: Mutation) -> None:
    """A bootstrap's own folder is what its file is relative to."""
    folder = stack.folder.parent if mutation.kind else stack.folder
    Root(stack.terraform, folder, stack.values).change(mutation.file, mutation.before, mutation.after)


@needs_standins
@pytest.mark.proof("The policies find nothing in the plans of dev, staging and prod, of each cloud and its bootstrap")
@pytest.mark.parametrize("kind", ["", "bootstrap"], ids=["stack", "bootstrap"])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_nothing_is_found(cloud: str, environment: str, kind: str, root: MakeRoot, tmp_path: Path) -> None:
    plan = root(any_terraform(), cloud, environment, kind).plan()
    assert said_of(plan, tmp_path) == (0, [])


@needs_standins
@pytest.mark.parametrize("cloud", CLOUDS)
def test_only_dev_is_open_and_only_to_its_ranges(cloud: str, root: MakeRoot, tmp_path: Path) -> None:
    plan = root(any_terraform(), cloud, "dev").plan(**OPEN)
    assert said_of(plan, tmp_path) == (0, [])
    plan["variables"]["environment"]["value"] = "staging"
    code, lines = said_of(plan, tmp_path)
    assert code == 1
    assert [line.partition(": ")[2] for line in lines] == ["the API server of staging is public"]


@needs_standins
@pytest.mark.proof(
    "An open endpoint, a missing key, a widened subject, no deletion protection in prod, a public bucket: the policies name the object, on each cloud"
)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_mutation(mutation: Mutation, root: MakeRoot, tmp_path: Path) -> None:
    stack = root(any_terraform(), mutation.cloud, "prod", mutation.kind)
    changed(stack, mutation)
    code, lines = said_of(stack.plan(), tmp_path)
    assert code == 1
    assert any(line.startswith(mutation.address) for line in lines), lines
    named = {line.partition(": ")[0].partition("[")[0] for line in lines}
    assert named == {mutation.address.partition("[")[0]}, "and nothing else is found"


def test_five_for_each_cloud() -> None:
    for cloud in CLOUDS:
        assert len({each.name for each in MUTATIONS if each.cloud == cloud}) == 5


@needs_standins
def test_a_mutation_whose_text_is_gone_is_an_error(root: MakeRoot) -> None:
    stack = root(any_terraform(), "aws", "prod")
    with pytest.raises(AssertionError, match="0 times, not once"):
        stack.change("main.tf", "text that is not there", "")
