"""One root module of Terraform as typed calls. Only `Terraform.cmd` of python-terraform is used: of its other calls many fail.

Everything Terraform says is read as JSON; what it prints for people holds values, and nothing here prints any.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python_terraform import IsFlagged

from .calling import Diagnostic as Diagnostic
from .calling import Json, Report, Said, call
from .calling import StackError as StackError

CHANGED = 2
"""The exit code by which `plan -detailed-exitcode` says that there is something to do."""


@dataclass(frozen=True)
class Change:
    """What a plan does to one object."""

    address: str
    actions: tuple[str, ...]
    attributes: tuple[str, ...] = ()
    forced_by: tuple[str, ...] = ()
    before: Any = field(default=None, repr=False)

    @property
    def destroys(self) -> bool:
        """Whether the object that is there now will be gone: replaced is destroyed too."""
        return "delete" in self.actions


@dataclass(frozen=True)
class Plan:
    """What `show -json` tells of a saved plan."""

    changes: tuple[Change, ...]
    drift: tuple[Change, ...]
    outputs: tuple[str, ...]
    variables: Mapping[str, Any] = field(repr=False)
    document: Json = field(repr=False)

    @classmethod
    def of(cls, document: Json) -> "Plan":
        """Read the JSON of a plan; `no-op` and the reading of data are no changes."""
        changes = (change(each) for each in document.get("resource_changes", ()))
        outputs = document.get("output_changes", {})
        return cls(
            tuple(each for each in changes if each.actions not in (("no-op",), ("read",))),
            tuple(change(each) for each in document.get("resource_drift", ())),
            tuple(sorted(name for name, each in outputs.items() if each["actions"] != ["no-op"])),
            {name: each.get("value") for name, each in document.get("variables", {}).items()},
            document,
        )


@dataclass(frozen=True)
class Object:
    """A managed object that a state has."""

    address: str
    needs: frozenset[str] = frozenset()
    """The resources that it depends on, without the keys of their instances."""


@dataclass(frozen=True)
class Output:
    """An output of the root module."""

    value: Any = field(repr=False)
    sensitive: bool


class Stack:
    """A root module, initialised into a folder of its own, so that the environments of one module never share one."""

    def __init__(self, module: Path, data: Path, program: str = "terraform") -> None:
        self.module, self.data = module, data
        # The first look is ours: python-terraform would leave files behind when there is no such program.
        self.program = shutil.which(program)

    def init(self, backend: Path | None = None, *, move: bool = False, forget: bool = False, **settings: str) -> None:
        """Get providers, modules and the backend that the file (and `settings` over it) describes.

        When that is another one than before, Terraform refuses, unless it shall move the state there, or forget the other.
        """
        given = [] if backend is None else [str(backend), *(f"{name}={value}" for name, value in settings.items())]
        # To move a state, Terraform refuses to speak JSON.
        options: Json = {"migrate_state": IsFlagged, "force_copy": IsFlagged, "json": None} if move else {}
        self._run("init", backend_config=given, reconfigure=IsFlagged if forget and not move else None, **options)

    def plan(
        self, out: Path, *values: Path, destroy: bool = False, targets: tuple[str, ...] = ()
    ) -> tuple[bool, tuple[Diagnostic, ...]]:
        """Save a plan with the values of these files; say whether it changes anything, and what Terraform warned of."""
        options: Json = {"destroy": IsFlagged if destroy else None, "target": list(targets)}
        files = list(map(str, values))
        said = self._run(
            "plan", detailed_exitcode=IsFlagged, out=str(out), var_file=files, fine=(0, CHANGED), **options
        )
        return said.code == CHANGED, said.diagnostics

    def show_plan(self, plan: Path) -> Plan:
        """Read a saved plan."""
        return Plan.of(self._json("show", str(plan)))

    def state(self) -> Json:
        """The state, with the values of its objects and outputs."""
        return self._json("show")

    def addresses(self) -> list[str]:
        """What is in a state, which must be there: much quicker than all of it, for no provider is asked what it means."""
        return self._run("state list", json=None).lines

    def apply(self, plan: Path, report: Report) -> None:
        """Apply a saved plan, and report each step of it."""
        self._run("apply", str(plan), report=report)

    def outputs(self) -> dict[str, Output]:
        """The outputs in the state; none before the first apply."""
        return {name: Output(each["value"], each["sensitive"]) for name, each in self._json("output").items()}

    def version(self) -> str:
        """Terraform's own version."""
        return str(self._json("version")["terraform_version"])

    def _json(self, command: str, *words: str) -> Json:
        """One document, as commands that only read give it."""
        found: Json = json.loads("\n".join(self._run(command, *words).lines))
        return found

    def _run(
        self, command: str, *words: str, fine: tuple[int, ...] = (0,), report: Report | None = None, **options: object
    ) -> Said:
        return call(self.program, self.module, self.data, command, *words, fine=fine, report=report, **options)


def change(each: Json) -> Change:
    """A change as the plan's JSON has it: the names of the attributes that differ, never their values."""
    what = each["change"]
    before, after, unknown = what.get("before"), what.get("after"), what.get("after_unknown")
    before, after = before or {}, after or {}
    names = {*before, *after, *(unknown if isinstance(unknown, dict) else ())}
    differing = (
        name
        for name in sorted(names)
        if before.get(name) != after.get(name) or (isinstance(unknown, dict) and unknown.get(name) is True)
    )
    forced = (".".join(map(str, path)) for path in what.get("replace_paths", ()))
    return Change(each["address"], tuple(what["actions"]), tuple(differing), tuple(forced), what.get("before"))


def objects(document: Json) -> list[Object]:
    """Everything managed in a state."""
    found = resources(document.get("values", {}).get("root_module", {}))
    return [
        Object(each["address"], frozenset(each.get("depends_on", ()))) for each in found if each["mode"] == "managed"
    ]


def resources(module: Json) -> Iterator[Json]:
    """Those of a module and of the modules in it."""
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from resources(child)
