"""What is refused because it is not what it is taken for: another environment's values or state, and names that mean nothing."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from . import declared
from .calling import Diagnostic, Json
from .place import Names, Place, Refused
from .stack import Plan, resources

UNDECLARED = "for undeclared variable"
LABELS = ("tags_all", "effective_labels", "tags", "labels")
"""Where the clouds' objects say of which project and environment they are."""


def confirmation(place: Place, confirm: str) -> None:
    """Refuse a CONFIRM that names something else; none at all is a question, not a mistake."""
    if confirm and confirm != place.environment:
        raise Refused(
            f"CONFIRM={confirm} is not the environment {place.environment}: nothing was done. CONFIRM={place.environment} confirms it, "
            f"and ENV={confirm} would be another one"
        )


def values(place: Place, names: Names, found: Plan, warnings: Iterable[Diagnostic], module: Path) -> None:
    """Refuse values of another environment or project, and names that the module does not know."""
    for key, own in (("environment", place.environment), ("project", place.project)):
        given = found.variables.get(key)
        if own and given is not None and given != own:
            raise Refused(
                f'{names.file_of(key)}: {key}: is "{given}", and this is {place.title}: write "{own}"'
                + (f", or, if {given} was meant, ENV={given}" if key == "environment" else " (pyproject.toml says so)")
            )
    kinds = declared.types(module)
    unknown = (f"{names.file_of(each.partition('.')[0])}: {each}" for each in declared.unknown(kinds, found.variables))
    if wrong := [*_undeclared(warnings, kinds, names), *unknown]:
        raise Refused("\n".join(wrong))


def apart(place: Place, names: Names, own: Path, known: Mapping[str, Any]) -> None:
    """Refuse values of the stack among the bootstrap's own, which would overrule them, and its own among those of the stack."""
    stack, mine = (
        list(declared.assigned(file.read_text(encoding="utf-8", errors="replace"))) for file in (place.variables, own)
    )
    wrong = [
        f"{names.variables}: {name}: {names.file_of(name)} has it, also for the bootstrap: leave it out here"
        for name in mine
        if name in names.shared
    ]
    wrong += [
        f"{place.name(place.variables)}: {name}: is the bootstrap's alone: it belongs in {names.variables}"
        for name in stack
        if name in known and name not in names.shared
    ]
    if wrong:
        raise Refused("\n".join(wrong))


def _undeclared(warnings: Iterable[Diagnostic], known: Mapping[str, Any], names: Names) -> Iterator[str]:
    for each in warnings:
        if UNDECLARED in each.summary and (
            named := re.search(r'variable named "(\w+)".*? file "([^"]+)"', each.detail, re.DOTALL)
        ):
            files = (file for file in names.shared.values() if named[2].endswith(f"/{posixpath.basename(file)}"))
            file = next(files, names.variables)
            there = {name: kind for name, kind in known.items() if names.file_of(name) == file}
            yield f"{file}: {named[1]}: {declared.no_such(named[1], there)}"


def plan_state(place: Place, document: Json) -> None:
    """Refuse a plan that was made on the state of another environment: what stood there before says whose it is."""
    before = {each["address"]: each["change"].get("before") for each in document.get("resource_changes", ())}
    # What is there now may have been relabelled by hand; what the state says has not.
    before |= {each["address"]: each["change"].get("before") for each in document.get("resource_drift", ())}
    outputs = {name: each.get("before") for name, each in document.get("output_changes", {}).items()}
    _state(place, before, outputs)


def state(place: Place, document: Json) -> None:
    """Refuse the state of another environment, as `show` has it."""
    found = document.get("values", {})
    objects = {each["address"]: each.get("values") for each in resources(found.get("root_module", {}))}
    outputs(place, {name: each.get("value") for name, each in found.get("outputs", {}).items()}, objects)


def outputs(place: Place, given: Mapping[str, Any], objects: Mapping[str, Any] | None = None) -> None:
    """Refuse the outputs of another environment."""
    _state(place, objects or {}, given)


def _state(place: Place, objects: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    for what, project, environment in (*_labelled(objects), *_named(place, outputs)):
        if environment != place.environment or project != (place.project or project):
            # Which place this was is remembered there; the next call shall not mistake the right one for a move.
            (place.work / "data" / "terraform.tfstate").unlink(missing_ok=True)
            raise Refused(
                f"{place.name(place.backend)}: the state that it names is that of {environment} of {project} ({what}), and this is "
                f"{place.title}: nothing was done. Let it name the state of {place.environment} (make infra-bootstrap "
                f"ENV={place.environment} writes that), or, if {environment} was meant, say ENV={environment}"
            )


def _labelled(objects: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What objects say of themselves: address, project, environment."""
    for address, held in objects.items():
        for name in LABELS:
            labels = held.get(name) if isinstance(held, dict) else None
            if isinstance(labels, dict) and labels.get("project") and labels.get("environment"):
                yield address, labels["project"], labels["environment"]


def _named(place: Place, outputs: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Outputs that are called as another environment of this project would call its cluster or its namespace."""
    others = {f"{place.project}-{name}": name for name in place.known() if name != place.environment}
    identities = outputs.get("workload_identities")
    namespaces = [each.get("namespace") for each in identities.values()] if isinstance(identities, dict) else []
    for name in (outputs.get("cluster_name"), *namespaces):
        if isinstance(name, str) and name in others:
            yield name, place.project, others[name]
