"""checkov and trivy over each cloud's code and plans: they find nothing but what README.md here lists with its reason.

Code knows no values and a plan no references, and each tool takes what it does not know for a fault now and then. So what a tool finds
in the code counts unless it finds the same right in the plan; and what it finds in a plan counts when it does before an apply, where
much is not known yet, and after it, where the stand-ins have filled in values of their own.
"""

import json
import os
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, run
from modules import CLOUDS, TERRAFORM

from .conftest import FILLED_IN, MakeRoot, Root
from .stacks import TOOLS, any_terraform, copy, needs_standins

CHECKOV = ROOT / "build" / "policy" / "bin" / "checkov"
TRIVY = TOOLS / "trivy"
README = Path(__file__).parent / "README.md"
OF_CLOUD = {"aws": r"CKV2?_AWS_|AWS-", "azure": r"CKV2?_AZURE_|AZU-", "gcp": r"CKV2?_GCP_|GCP-"}
MOST = 8
pytestmark = [
    needs_standins,
    pytest.mark.skipif(not CHECKOV.exists(), reason="NOT RUN: checkov was not found (make tools-k8s)"),
    pytest.mark.skipif(not TRIVY.exists(), reason="NOT RUN: trivy was not found (make tools-terraform)"),
]

Results = set[tuple[str, str]]
"""Checks, each with the address of the object."""


def skips() -> list[tuple[set[str], str]]:
    """The rows of the one table: checks of one matter, and why they do not hold here."""
    rows = re.findall(r"^\| ((?:`[A-Z0-9_-]+`,? ?)+) \| (.+?) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    return [(set(re.findall(r"`(.+?)`", checks)), reason) for checks, reason in rows]


def checkov(*words: str | Path) -> tuple[Results, Results]:
    """What failed and what passed."""
    command = [CHECKOV, "--skip-download", "--output", "json", *words]
    document = json.loads(run(*command, cwd=TERRAFORM, check=False).stdout)
    results = document["results"]
    assert results["skipped_checks"] == [], "what is skipped stands in the table"
    assert results["parsing_errors"] == []

    def named(found: Iterable[dict[str, Any]]) -> Results:
        return {(each["check_id"], re.sub(r"\[[^]]*\]", "", each["resource"])) for each in found}

    failed = named(results["failed_checks"])
    return failed, named(results["passed_checks"]) - failed


def trivy(target: Path) -> tuple[set[str], set[str]]:
    """The checks that failed, and those that passed everywhere."""
    words = ["config", "--skip-check-update", "--quiet", "--include-non-failures", "--format", "json"]
    # A cache of our own: it would look for newer checks in the user's, and find those of another version.
    environment = {"TRIVY_CACHE_DIR": str(target.parent / "trivy")}
    document = json.loads(run(TRIVY, *words, target, cwd=target.parent, check=True, **environment).stdout)
    found = [each for result in document["Results"] for each in result.get("Misconfigurations", [])]
    failed = {each["ID"] for each in found if each["Status"] == "FAIL"}
    assert len(found) > 50, "of what it cannot read it says that all is well"
    return failed, {each["ID"] for each in found} - failed


def plan_file(stack: Root, name: str) -> Path:
    """A plan of its own folder, as Terraform has written it: with the code in it, which trivy reads better than the JSON."""
    stack.plan()
    folder = stack.folder.parent / f"plan-{name}"
    folder.mkdir()
    os.link(stack.folder / "tfplan", folder / "tfplan")
    return folder


def test_the_table_is_short_and_gives_reasons() -> None:
    assert 0 < len(skips()) <= MOST
    assert all(len(reason) > 40 for _, reason in skips())
    marks = re.compile(r"(checkov|trivy|tfsec):(skip|ignore)")
    assert [file for file in TERRAFORM.rglob("*.tf") if marks.search(file.read_text(encoding="utf-8"))] == []


@pytest.mark.proof(
    "checkov and trivy find nothing in the code and the plans of prod but what one short table lists with its reason"
)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_nothing_is_found(cloud: str, root: MakeRoot, tmp_path: Path) -> None:
    code = copy(cloud, tmp_path / cloud)
    stack, bootstrap = root(any_terraform(), cloud, "prod"), root(any_terraform(), cloud, "prod", "bootstrap")
    bootstrap = replace(bootstrap, values=(*bootstrap.values, older_subjects(tmp_path)))
    plans = [plan_file(stack, "stack"), plan_file(bootstrap, "bootstrap")]
    found = trivy_findings(code, plans)
    found |= checkov_findings(code, *(before_and_after(each, tmp_path) for each in (stack, bootstrap)))
    listed = {check for checks, _ in skips() for check in checks if re.match(OF_CLOUD[cloud], check)}
    assert found == listed


def older_subjects(folder: Path) -> Path:
    """GitHub's form without numbers, the only one that checkov knows: by the other one it finds a fault in each subject."""
    subjects = FILLED_IN["bootstrap"]["ci_subjects"]
    older = {name: [re.sub(r"@\d+", "", each) for each in subjects[name]] for name in ("plan", "apply")}
    file = folder / "older.tfvars.json"
    file.write_text(json.dumps({"ci_subjects": subjects | older}), encoding="utf-8")
    return file


def before_and_after(stack: Root, folder: Path) -> tuple[Path, Path]:
    """Its plan as JSON, and once more when that was applied."""
    first = as_json(stack, folder / f"{stack.folder.name}-first.json")
    stack("apply", "tfplan")
    stack.plan()
    return first, as_json(stack, folder / f"{stack.folder.name}-second.json")


def as_json(stack: Root, file: Path) -> Path:
    file.write_text(stack.terraform(stack.folder, "show", "-json", "tfplan").stdout, encoding="utf-8")
    return file


def trivy_findings(code: Path, plans: list[Path]) -> set[str]:
    in_code, _ = trivy(code)
    seen = [trivy(plan) for plan in plans]
    failed = set().union(*(each for each, _ in seen))
    passed = set().union(*(each for _, each in seen)) - failed
    return failed | (in_code - passed)


def checkov_findings(code: Path, stack: tuple[Path, Path], bootstrap: tuple[Path, Path]) -> set[str]:
    in_code, _ = checkov("--framework", "terraform", "--directory", code)
    failed, passed = in_plans(*stack)
    return {check for check, _ in (in_code - passed) | failed | in_plans(*bootstrap)[0]}


def in_plans(first: Path, second: Path) -> tuple[Results, Results]:
    """What fails before and after the apply; and what passes before it."""
    (failed, passed), (failed_again, _) = (
        checkov("--framework", "terraform_plan", "--file", file) for file in (first, second)
    )
    return failed & failed_again, passed


def test_trivy_sees_through_a_plan(root: MakeRoot) -> None:
    """The control: what it says of a plan with a fault in it."""
    stack = root(any_terraform(), "aws", "prod")
    stack.change("modules/storage/main.tf", "block_public_policy     = true", "block_public_policy     = false")
    failed, _ = trivy(plan_file(stack, "fault"))
    assert "AWS-0087" in failed
