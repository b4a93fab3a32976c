"""One environment of a project: where everything that is about it stands. Also what is taken from the project's package."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from {{ cookiecutter.package }} import lineage
from {{ cookiecutter.package }}.errors import Refused as Refused

from . import backend, plans
from .plans import Saved

FOLDER = Path("terraform")
ENVIRONMENTS = FOLDER / "environments"
DEFAULT = "laptop"
"""What make says when nobody has said ENV: it has no infrastructure."""


@dataclass(frozen=True)
class Names:
    """What messages call things."""

    environment: str
    module: str
    variables: str
    backend: str
    cloud: str = ""
    folder: str = ""
    """Where Terraform works: the module, or the bootstrap's copy."""
    data: str = ""
    kubeconfig: str = ""
    shared: Mapping[str, str] = field(default_factory=dict)
    """The file of each variable that is not in `variables`: the bootstrap's values are the stack's, and some of its own."""

    def file_of(self, variable: str) -> str:
        """Where a variable has its value."""
        return self.shared.get(variable, self.variables)


@dataclass(frozen=True)
class Place:
    """An environment, its files, and the commit that the project is at."""

    root: Path
    artifacts: Path
    cloud: str
    environment: str
    commit: str | None = None
    project: str = ""

    @property
    def title(self) -> str:
        """What messages call it, where more than one project may be meant."""
        return f"{self.environment} of {self.project}" if self.project else self.environment

    @property
    def module(self) -> Path:
        return self.root / FOLDER / self.cloud

    @property
    def variables(self) -> Path:
        return self.root / ENVIRONMENTS / f"{self.environment}.tfvars"

    @property
    def backend(self) -> Path:
        return self.root / ENVIRONMENTS / f"{self.environment}.backend.hcl"

    @property
    def work(self) -> Path:
        return self.artifacts / "terraform" / self.environment

    def made(self) -> Path:
        """The folder for working files, which hold values, made for their owner alone."""
        self.work.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.work

    @property
    def saved(self) -> Saved:
        return Saved(self.work)

    @property
    def names(self) -> Names:
        """The same, as messages call it."""
        kubeconfig = backend.read(self.variables).get("kubeconfig", "~/.kube/config")
        return Names(
            self.environment,
            module=self.name(self.module),
            variables=self.name(self.variables),
            backend=self.name(self.backend),
            cloud=self.cloud,
            folder=self.name(self.module),
            data=self.name(self.work / "data"),
            kubeconfig=str(kubeconfig),
        )

    def known(self) -> list[str]:
        """The environments that have values."""
        return sorted(path.stem for path in (self.root / ENVIRONMENTS).glob("*.tfvars") if "." not in path.stem)

    def name(self, path: Path) -> str:
        """A path as a person would type it."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def origin(self) -> plans.Origin:
        """What a plan of now is made from."""
        return plans.origin(self.root, self.commit, self.module, (self.variables, self.backend))


def find(environment: str) -> Place:
    """The environment of the project in $PROJECT_ROOT, else in the working directory."""
    root = Path(os.environ.get("PROJECT_ROOT", ".")).resolve()
    answers = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mlops-template"]["answers"]
    artifacts = root / (os.environ.get("ARTIFACTS_DIR") or "artifacts")
    commit = None if lineage.no_repository(root) else lineage.git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    place = Place(root, artifacts, answers["cloud"], environment, commit, answers.get("project", ""))
    if environment not in (known := place.known()):
        raise Refused(_not_known(place, known))
    return place


def _not_known(place: Place, known: list[str]) -> str:
    if place.environment == DEFAULT:
        *others, last = known or ["none, for terraform/environments has no values"]
        return f"ENV: say which environment: ENV={' or '.join(filter(None, (', '.join(others), last)))}"
    return f"environment {place.environment}: {place.name(place.variables)} is missing; use one of {', '.join(known) or 'none'}, or write it"
