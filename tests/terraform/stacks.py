"""Terraform in two versions, and copies of terraform/ for it to work in: nothing is written into the tree."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, run
from modules import TERRAFORM

OLDEST, NEWEST = "1.11", "newest"
"""The oldest that is supported, when PATH has it; and the newest of a registry, when `make tools-terraform` was run."""
NEWEST_COMMAND = Path(__file__).parent / "newest" / "terraform"
TOOLS = ROOT / "build" / "terraform" / "bin"
STANDINS = bool(os.environ.get("STANDINS"))
"""Whether TF_CLI_CONFIG_FILE names stand-ins of the providers, which `make test-terraform` looks for."""
needs_standins = pytest.mark.skipif(
    not STANDINS, reason="NOT RUN: stand-ins of the providers were not found, and the real ones need an account"
)
LEFTOVERS = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfplan")
# A backend's own settings come from a file of each environment; what is tried here keeps its state beside it.
LOCAL_STATE = 'terraform {\n  backend "local" {}\n}\n'


@dataclass(frozen=True)
class Terraform:
    """One version of Terraform."""

    name: str
    command: Path

    def __call__(
        self, folder: Path, *words: str | Path, check: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return run(self.command, *words, cwd=folder, check=check, **(settings() | environment))

    def json(self, folder: Path, *words: str | Path) -> Any:
        return json.loads(self(folder, *words).stdout)


def settings() -> dict[str, str]:
    """Asks nothing, colours nothing, calls no one to look for a newer version, takes no value from the user's variables."""
    empty = {name: "" for name in os.environ if name.startswith(("TF_VAR_", "TF_CLI_ARGS"))}
    quiet = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "TF_CLI_ARGS": "-no-color", "CHECKPOINT_DISABLE": "1"}
    return empty | quiet | cli_configuration()


def cli_configuration() -> dict[str, str]:
    """The user's, or none where it names a file that is not there, about which every command would complain."""
    named = os.environ.get("TF_CLI_CONFIG_FILE", "")
    return {"TF_CLI_CONFIG_FILE": named if Path(named).is_file() else ""}


def on_path() -> Path | None:
    found = shutil.which("terraform")
    return Path(found) if found else None


def version(command: Path) -> str:
    said = run(command, "version", "-json", cwd=ROOT, check=True, **(settings() | {"TF_CLI_ARGS": ""})).stdout
    return str(json.loads(said)["terraform_version"])


def terraform(name: str) -> Terraform:
    """One of the two versions; the test is skipped where it is not there."""
    if name == NEWEST:
        if not (TOOLS / "python").exists():
            pytest.skip("NOT RUN: the newest Terraform was not found (make tools-terraform)")
        return Terraform(name, NEWEST_COMMAND)
    command = on_path()
    if command is None:
        pytest.skip(f"NOT RUN: Terraform {OLDEST} was not found on PATH")
    if not version(command).startswith(f"{OLDEST}."):
        pytest.skip(f"NOT RUN: Terraform {OLDEST} was not found: the one on PATH is {version(command)}")
    return Terraform(name, command)


def any_terraform() -> Terraform:
    """For what does not depend on the version: the one on PATH, else the newest."""
    command = on_path()
    return Terraform("on PATH", command) if command else terraform(NEWEST)


def copy(root: str, target: Path) -> Path:
    """A copy of a root and all its modules, with a state beside it."""
    shutil.copytree(TERRAFORM / root, target, symlinks=True, ignore=LEFTOVERS)
    for folder in (target, target / "bootstrap"):
        if folder.exists():
            (folder / "backend_override.tf").write_text(LOCAL_STATE, encoding="utf-8")
    return target
