"""`make infra-bootstrap`: what must be there before Terraform has a place for its state: that place, and the identities of CI.

Its own state begins as a file and moves into the place that it has made. So it is applied in a copy: the module itself names no backend.
It has the environment's values of <env>.tfvars, and in <env>.bootstrap.tfvars some of its own.
"""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from . import backend, declared, guards, steps
from .place import ENVIRONMENTS, Names, Place, Refused
from .plans import Saved
from .stack import Stack, StackError


def bootstrap(place: Place, confirm: str) -> None:
    """Show what would be made; with the environment's name, make it, write <env>.backend.hcl and move the state there."""
    source = place.module / "bootstrap"
    if not source.is_dir():
        raise Refused(
            f"{place.cloud}: a cluster that is there already needs no bootstrap: the state of {place.environment} is a file, "
            f"and {place.name(place.backend)} says which"
        )
    own = place.root / ENVIRONMENTS / f"{place.environment}.bootstrap.tfvars"
    if not own.is_file():
        raise Refused(
            f"{place.name(own)} is missing: terraform/{place.cloud}/bootstrap/README.md says what stands in it"
        )
    guards.confirmation(place, confirm)
    folder = place.work / "bootstrap"
    names = replace(
        place.names,
        module=place.name(source),
        variables=place.name(own),
        folder=place.name(folder / "bootstrap"),
        data=place.name(folder / "data"),
        shared=dict.fromkeys(declared.types(place.module), place.name(place.variables)),
    )
    values = (place.variables, own)
    module = _copied(place.module, folder)
    guards.apart(place, names, own, declared.types(module))
    saved = Saved(folder)
    with steps.said(names) as stack_of:
        stack = stack_of(module, folder / "data")
        try:
            outputs = (
                _made(place, names, stack, saved, *values) if confirm else _shown(place, names, stack, saved, *values)
            )
        finally:
            saved.remove()
    if not outputs:
        return
    print(f"the state of {place.environment} is kept where {place.name(place.backend)} says: commit that file")
    print("for CI:")
    for name, value in outputs.items():
        print(f"  {name} = {value}")


def _shown(place: Place, names: Names, stack: Stack, saved: Saved, *values: Path) -> dict[str, Any]:
    """Change nothing, neither there nor here; the outputs where there is nothing to do."""
    unmoved = _state(stack).exists()
    _open(stack, place, move=False)
    changes, found, _ = steps.planned(place, names, stack, saved, *values)
    steps.show(place, found)
    if changes:
        print(f"nothing was made: CONFIRM={place.environment} makes what is listed above")
    elif unmoved:
        print(f"{_only(place, stack)}: CONFIRM={place.environment} moves it")
    return {} if changes or unmoved else _outputs(stack)[1]


def _made(place: Place, names: Names, stack: Stack, saved: Saved, *values: Path) -> dict[str, Any]:
    """Make it, write <env>.backend.hcl and move the state there."""
    again = f"make infra-bootstrap ENV={place.environment} CONFIRM={place.environment}"
    _open(
        stack, place, move=False
    )  # not before the file is known to name its own place: a move overwrites what is there
    changes, found, _ = steps.planned(place, names, stack, saved, *values)
    steps.show(place, found)
    if changes:
        steps.carry_out(place, names, stack, saved, f"{again} goes on from there")
    settings, outputs = _outputs(stack)
    if differing := backend.write(place.backend, settings):
        file = place.name(place.backend)
        raise Refused(
            "\n".join(f"{file}: {each}: leave what was made, or blank" for each in differing)
            + (f"\nAll was made. {_only(place, stack)}: then {again} moves it" if _state(stack).exists() else "")
        )
    _open(stack, place, move=True)
    return outputs


def _outputs(stack: Stack) -> tuple[dict[str, Any], dict[str, Any]]:
    """The lines of the backend's file, and what CI needs."""
    outputs = {name: each.value for name, each in stack.outputs().items()}
    return outputs.pop("backend"), outputs


def _copied(cloud: Path, folder: Path) -> Path:
    """The module as it is now, and the modules beside it, in a folder where its state may lie with it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    module = folder / "bootstrap"
    module.mkdir(exist_ok=True)
    for old in (*module.glob("*.tf"), *module.glob("*.tf.json")):
        old.unlink()
    files = {file.name: file for file in (cloud / "bootstrap").glob("*.tf")}
    # A link there; where Git makes none (core.symlinks), a text.
    files["stack_variables.tf"] = cloud / "variables.tf"
    for name, file in files.items():
        shutil.copyfile(file, module / name)
    shutil.rmtree(folder / "modules", ignore_errors=True)
    if (cloud / "modules").is_dir():
        shutil.copytree(cloud / "modules", folder / "modules")
    return module


def _open(stack: Stack, place: Place, *, move: bool) -> None:
    """Initialise: with a file beside the code for a state as long as <env>.backend.hcl is not filled, and then where that says."""
    settings = backend.read(place.backend)
    beside = _state(stack).exists()
    if not backend.filled(settings) or (beside and not move):
        stack.init(forget=True)
        return
    kind = re.search(
        r'backend "(\w+)"', "".join(file.read_text(encoding="utf-8") for file in place.module.glob("*.tf"))
    )
    assert kind is not None, f"{place.module} names no backend"
    if missing := backend.missing(kind[1], settings):
        raise Refused(
            f"{place.name(place.backend)}: {', '.join(missing)}: missing: put back what make infra-bootstrap wrote there; where it has not run "
            'yet, leave the values blank (""), and it writes them'
        )
    (stack.module / "backend.tf.json").write_text(
        json.dumps({"terraform": {"backend": {kind[1]: dict[str, str]()}}}), encoding="utf-8"
    )
    try:
        stack.init(place.backend, move=beside, forget=True, **_apart(settings))
    except StackError as error:
        if beside:
            again = f"make infra-bootstrap ENV={place.environment} CONFIRM={place.environment}"
            error.afterwards = f"All that was made until now is there. {_only(place, stack)}: {again} moves it"
        raise
    for file in stack.module.glob("terraform.tfstate*"):
        file.unlink()


def _state(stack: Stack) -> Path:
    """The state, before it has moved."""
    return stack.module / "terraform.tfstate"


def _only(place: Place, stack: Stack) -> str:
    return f"Its state is the file {place.name(_state(stack))}, and nowhere else"


def _apart(settings: Mapping[str, Any]) -> dict[str, str]:
    """The bootstrap's own state lies beside the environment's, in the same place."""
    if "prefix" in settings:
        return {"prefix": f"{settings['prefix']}-bootstrap"}
    return {"key": str(PurePosixPath(settings["key"]).with_name("bootstrap.tfstate"))}
