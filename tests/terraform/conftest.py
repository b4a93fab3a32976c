"""Roots in folders of their own, ready to be planned: with an environment's values as a project has them, and what its owner fills in."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import Bake
from modules import variables

from . import stacks
from .emulators import Backend, emulator
from .stacks import Terraform

FILLED_IN = json.loads((Path(__file__).parent / "values.json").read_text(encoding="utf-8"))
BOOTSTRAP = "bootstrap"
Project = Callable[[str], Path]


@pytest.fixture(scope="session")
def project_of(bake: Bake) -> Project:
    """A project for each cloud, for tests that only read it."""
    return cache(lambda cloud: bake(cloud=cloud))


@dataclass(frozen=True)
class Root:
    """A folder in which Terraform was initialised, and the files with its values."""

    terraform: Terraform
    folder: Path
    values: tuple[Path, ...]

    def __call__(self, *words: str | Path, check: bool = True, **environment: str) -> str:
        done = self.terraform(self.folder, *words, check=check, **environment)
        return done.stdout + done.stderr

    def change(self, file: str, before: str, after: str) -> None:
        """A text change; one whose text is not there any more, or stands there twice, is an error."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{path.name} holds {before!r} {text.count(before)} times, not once"
        path.write_text(text.replace(before, after), encoding="utf-8")

    def plan(self, *words: str, **changed: Any) -> dict[str, Any]:
        """A plan as JSON, saved as `tfplan`; with some values changed."""
        more = self.folder / "changed.auto.tfvars.json"
        files = [f"-var-file={file}" for file in self.values]
        if changed:
            more.write_text(json.dumps(changed), encoding="utf-8")
            files.append(f"-var-file={more}")
        self("plan", "-out=tfplan", *files, *words)
        more.unlink(missing_ok=True)
        plan: dict[str, Any] = json.loads(self.terraform(self.folder, "show", "-json", "tfplan").stdout)
        return plan

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.terraform(self.folder, "show", "-json").stdout)
        return state

    def outputs(self) -> dict[str, Any]:
        found = json.loads(self.terraform(self.folder, "output", "-json").stdout)
        return {name: each["value"] for name, each in found.items()}


MakeRoot = Callable[..., Root]


@pytest.fixture
def root(project_of: Project, tmp_path: Path) -> MakeRoot:
    """Make a root of a cloud, or its bootstrap, ready to plan one environment."""

    def make(terraform: Terraform, cloud: str, environment: str, kind: str = "") -> Root:
        copy = stacks.copy(cloud, tmp_path / f"{cloud}-{environment}-{terraform.name}{kind}")
        folder = copy / kind
        environments = project_of(cloud) / "terraform" / "environments"
        files = [environments / f"{environment}.{each}tfvars" for each in ("", *(["bootstrap."] if kind else []))]
        filled = folder / "filled-in.json"
        filled.write_text(json.dumps(filled_in(cloud, folder)), encoding="utf-8")
        terraform(folder, "init", "-upgrade=false")
        return Root(terraform, folder, (*files, filled))

    return make


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Backend]]:
    """The emulator of one kind of backend: started when first asked for."""
    with ExitStack() as stack:
        yield cache(lambda kind: stack.enter_context(emulator(kind, tmp_path_factory.mktemp(kind))))


def filled_in(cloud: str, folder: Path) -> dict[str, Any]:
    """What a user answers where a project's files are blank."""
    texts = (file.read_text(encoding="utf-8") for file in folder.glob("*variables.tf"))
    declared = {each.name for text in texts for each in variables(text)}
    values = FILLED_IN["every"] | FILLED_IN.get(cloud, {}) | FILLED_IN[BOOTSTRAP]
    return {name: value for name, value in values.items() if name in declared}


def actions(plan: dict[str, Any]) -> dict[str, str]:
    """What a plan does to which object; what it leaves alone is not named."""
    return {
        each["address"]: "/".join(each["change"]["actions"])
        for each in plan["resource_changes"]
        if each["mode"] == "managed" and each["change"]["actions"] != ["no-op"]
    }
