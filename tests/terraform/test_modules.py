"""Every root, module and bootstrap, in both versions of Terraform: valid by the providers' schemas, and its own tests pass."""

import json
from pathlib import Path

import pytest
from modules import ROOTS, TERRAFORM, modules

from .stacks import NEWEST, OLDEST, STANDINS, copy, terraform

VERSIONS = [OLDEST, NEWEST]
TESTS = sorted(path.relative_to(TERRAFORM) for path in TERRAFORM.glob("*/**/tests/*.tftest.hcl"))


@pytest.mark.proof(
    "Every root, module and bootstrap is valid by the published schemas of the current providers, in the oldest Terraform that is supported and in the newest"
)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("root", ROOTS)
def test_valid(root: str, version: str, tmp_path: Path) -> None:
    run, here = terraform(version), copy(root, tmp_path / root)
    run(here, "fmt", "-check", "-recursive", "-diff")
    for folder in modules(root):
        module = here / folder.relative_to(TERRAFORM / root)
        run(module, "init", "-backend=false")
        said = run.json(module, "validate", "-json")
        assert (said["valid"], said["diagnostics"]) == (True, []), folder


@pytest.mark.proof(
    "`terraform test` of every cloud passes: every default that keeps it safe, the node pools in every combination, prod against dev"
)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("file", TESTS, ids=lambda path: str(path).removesuffix(".tftest.hcl"))
def test_own(file: Path, version: str, tmp_path: Path) -> None:
    run, root = terraform(version), file.parts[0]
    if not STANDINS and root != "local" and "mock_provider" not in (TERRAFORM / file).read_text(encoding="utf-8"):
        pytest.skip("NOT RUN: stand-ins of the providers were not found, and the real ones need an account")
    folder = copy(root, tmp_path / root) / file.parent.parent.relative_to(root)
    run(folder, "init", "-backend=false")
    said = run(folder, "test", "-json", f"-filter=tests/{file.name}", check=False).stdout
    events = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    wrong = [each["diagnostic"] for each in events if each["type"] == "diagnostic"]
    assert wrong == []
    (summary,) = (each["test_summary"] for each in events if each["type"] == "test_summary")
    assert summary["status"] == "pass"
    assert summary["passed"] >= 1
    assert (summary["failed"], summary["errored"], summary["skipped"]) == (0, 0, 0)
