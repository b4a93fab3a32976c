"""Saved plans: what was shown is what is applied. And what a plan does, in plain words."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .calling import Json
from .stack import Change, Plan

HIDDEN = "(sensitive)"
KEPT = ("format_version", "terraform_version", "planned_values", "resource_changes", "resource_drift", "output_changes")
"""The parts of a plan's JSON that are written down: not the variables, and not the state before."""

READ = (".tf", ".tf.json", ".hcl", ".tfvars")
"""How the names of files end that Terraform reads by itself."""
APART = {"tests", "bootstrap", ".terraform"}
"""Folders in a root module that are no part of it."""


class Stale(Exception):
    """The plan was made for something else than what is here now; the message says what differs."""


@dataclass(frozen=True)
class Origin:
    """What a plan was made from."""

    commit: str | None
    files: dict[str, str]
    """By name from the project's root, the sha256 of every file that decides what a plan holds."""


@dataclass(frozen=True)
class Saved:
    """The files of one environment's plan. Terraform's own holds values: both are for their owner alone."""

    folder: Path

    @property
    def plan(self) -> Path:
        return self.folder / "plan.tfplan"

    @property
    def document(self) -> Path:
        return self.folder / "plan.json"

    @property
    def origin(self) -> Path:
        return self.folder / "origin.json"

    def remove(self) -> None:
        """Leave nothing of it."""
        for file in (self.plan, self.document, self.origin):
            file.unlink(missing_ok=True)

    def keep(self, plan: Plan, origin: Origin) -> None:
        """Write beside Terraform's plan what reviewers and `apply` need of it."""
        self.plan.chmod(0o600)
        write(self.document, redacted(plan.document))
        write(self.origin, {**asdict(origin), "plan": digest(self.plan)})

    def check(self, now: Origin) -> None:
        """Stale when there is no plan, or when it is not one of what is here now."""
        if not self.plan.exists() or not self.origin.exists():
            raise Stale("no plan is saved")
        made = json.loads(self.origin.read_text(encoding="utf-8"))
        if made["commit"] != now.commit:
            raise Stale(f"the saved plan is of commit {short(made['commit'])}, and this is {short(now.commit)}")
        names = {*made["files"], *now.files}
        if changed := sorted(name for name in names if made["files"].get(name) != now.files.get(name)):
            raise Stale(f"{', '.join(changed[:3])} changed since the plan was saved")
        if made["plan"] != digest(self.plan):
            raise Stale("the plan's file is not the one that was saved")


def origin(root: Path, commit: str | None, module: Path, files: tuple[Path, ...]) -> Origin:
    """What a plan of the module with these files is made from."""
    code = (
        path for path in module.rglob("*") if path.name.endswith(READ) and not APART & {*path.relative_to(module).parts}
    )
    made_of = sorted(path for path in (*code, *files) if path.is_file())
    return Origin(commit, {path.relative_to(root).as_posix(): digest(path) for path in made_of})


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def short(commit: str | None) -> str:
    return commit[:12] if commit else "(none)"


def write(file: Path, document: Json) -> None:
    """JSON that only its owner reads, there whole or not at all."""
    new = file.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    new.replace(file)


def redacted(document: Json) -> Json:
    """A plan's JSON without what is sensitive: policies read it, and people do."""
    kept = {name: document[name] for name in KEPT if name in document}
    for name in ("resource_changes", "resource_drift"):
        if name in kept:
            kept[name] = [{**each, "change": _hidden(each["change"])} for each in kept[name]]
    if "output_changes" in kept:
        kept["output_changes"] = {name: _hidden(each) for name, each in kept["output_changes"].items()}
    if "planned_values" in kept:
        values = kept["planned_values"]
        outputs = values.get("outputs", {}).items()
        kept["planned_values"] = {
            "outputs": {name: each | {"value": HIDDEN} if each.get("sensitive") else each for name, each in outputs},
            "root_module": _hidden_module(values.get("root_module", {})),
        }
    return kept


def _hidden(change: Json) -> Json:
    return {
        **change,
        "before": mask(change.get("before"), change.get("before_sensitive")),
        "after": mask(change.get("after"), change.get("after_sensitive")),
    }


def _hidden_module(module: Json) -> Json:
    resources = module.get("resources", ())
    return {
        **module,
        "resources": [{**each, "values": mask(each.get("values"), each.get("sensitive_values"))} for each in resources],
        "child_modules": [_hidden_module(child) for child in module.get("child_modules", ())],
    }


def mask(value: Any, marks: Any) -> Any:
    """The value, but what the marks of the same shape call sensitive is hidden."""
    if marks is True:
        return HIDDEN
    if isinstance(value, dict) and isinstance(marks, dict):
        return {name: mask(each, marks.get(name)) for name, each in value.items()}
    if isinstance(value, list) and isinstance(marks, list):
        padded = [*marks, *[None] * (len(value) - len(marks))]
        return [mask(each, mark) for each, mark in zip(value, padded, strict=False)]
    return value


def summary(plan: Plan) -> Iterator[str]:
    """What the plan does, what is lost first: a line for all, then one for each object."""
    kinds = {kind: [each for each in plan.changes if word(each) == kind] for kind in ORDER}
    counted = [f"{len(found)} {kind}" for kind, found in kinds.items() if found]
    yield ", ".join(counted) if counted else "no object is changed"
    for kind, found in kinds.items():
        yield from (f"  {kind} {each.address}{details(each)}" for each in found)
    if plan.outputs:
        yield f"  outputs that change: {', '.join(plan.outputs)}"


ORDER = ("DESTROYED", "DESTROYED and made anew", "forgotten", "changed", "created")


def elsewhere(plan: Plan) -> Iterator[str]:
    """A line when the kubeconfig's context leads to another cluster than the one that the last apply saw: which, is no secret."""
    for each in plan.document.get("resource_changes", ()):
        before, after = ((each["change"].get(name) or {}).get("input") for name in ("before", "after"))
        if each["address"] == "terraform_data.this" and isinstance(before, dict) and isinstance(after, dict):
            old, new = (f"{it.get('cluster')} at {it.get('endpoint')}" for it in (before, after))
            if old != new:
                yield f"  the context leads to another cluster: it was {old}, and is {new}"


def word(change: Change) -> str:
    """What happens to an object."""
    if change.destroys:
        return ORDER[1] if "create" in change.actions else ORDER[0]
    return {"forget": "forgotten", "create": "created"}.get(change.actions[0], "changed")


def details(change: Change) -> str:
    """Which attributes differ, or which one forces the object to be made anew; never a value."""
    if word(change) == "changed":
        return f": {', '.join(change.attributes)}"
    return f": {', '.join(change.forced_by)} cannot be changed in place" if change.forced_by else ""


def protected(plan: Plan) -> list[str]:
    """The objects of which a destruction would be refused halfway: deletion protection, or a lock that is not ours to break."""
    gone = (each for each in plan.changes if each.destroys)
    return [
        each.address for each in gone if ".azurerm_management_lock." in f".{each.address}" or _protects(each.before)
    ]


def _protects(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get("deletion_protection") is True or any(map(_protects, value.values()))
    return isinstance(value, list) and any(map(_protects, value))
