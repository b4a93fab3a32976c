"""`make infra-bootstrap`: what must be there before Terraform has a place for its state: that place, and the identities of CI.

Its own state begins as a file and moves into the place that it has made. So it is applied in a copy: the module itself names no backend.
"""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from . import backend, verbs
from .place import ENVIRONMENTS, Place, Refused
from .plans import Saved
from .stack import Stack


def bootstrap(place: Place, confirm: str) -> None:
    """Show what would be made; with the environment's name, make it, write <env>.backend.hcl and move the state there."""
    source = place.module / "bootstrap"
    if not source.is_dir():
        raise Refused(
            f"{place.cloud}: a cluster that is there already needs no bootstrap: the state of {place.environment} is a file, "
            f"and {place.name(place.backend)} says which"
        )
    variables = place.root / ENVIRONMENTS / f"{place.environment}.bootstrap.tfvars"
    if not variables.exists():
        raise Refused(
            f"{place.name(variables)} is missing: terraform/{place.cloud}/bootstrap/README.md says what stands in it"
        )
    folder = place.work / "bootstrap"
    names = replace(place.names, module=place.name(source), variables=place.name(variables))
    saved = Saved(folder)
    with verbs.said(names) as stack_of:
        stack = stack_of(_copied(place.module, folder), folder / "data")
        try:
            _open(stack, place)
            changes, _ = stack.plan(verbs.new(saved.plan), variables)
            found = stack.show_plan(saved.plan)
            verbs.show(place, found)
            if found.changes and confirm != place.environment:
                print(f"nothing was made: CONFIRM={place.environment} makes what is listed above")
                return
            if changes:
                verbs.carry_out(stack, saved, f"make infra-bootstrap ENV={place.environment} goes on from there")
            outputs = {name: each.value for name, each in stack.outputs().items()}
            backend.write(place.backend, outputs.pop("backend"))
            _open(stack, place)
        finally:
            saved.remove()
    print(f"the state of {place.environment} is kept where {place.name(place.backend)} says: commit that file")
    print("for CI:")
    for name, value in outputs.items():
        print(f"  {name} = {value}")


def _copied(cloud: Path, folder: Path) -> Path:
    """The module as it is now, and the modules beside it, in a folder where its state may lie with it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    module = folder / "bootstrap"
    module.mkdir(exist_ok=True)
    for old in (*module.glob("*.tf"), *module.glob("*.tf.json")):
        old.unlink()
    for file in (cloud / "bootstrap").glob("*.tf"):
        shutil.copyfile(file, module / file.name)
    shutil.rmtree(folder / "modules", ignore_errors=True)
    if (cloud / "modules").is_dir():
        shutil.copytree(cloud / "modules", folder / "modules")
    return module


def _open(stack: Stack, place: Place) -> None:
    """Initialise: with a file beside the code for a state as long as <env>.backend.hcl is not filled, and then where that says."""
    settings = backend.read(place.backend)
    beside = stack.module / "terraform.tfstate"
    if not backend.filled(settings):
        stack.init(forget=True)
        return
    kind = re.search(
        r'backend "(\w+)"', "".join(file.read_text(encoding="utf-8") for file in place.module.glob("*.tf"))
    )
    assert kind is not None, f"{place.module} names no backend"
    (stack.module / "backend.tf.json").write_text(
        json.dumps({"terraform": {"backend": {kind[1]: dict[str, str]()}}}), encoding="utf-8"
    )
    stack.init(place.backend, move=beside.exists(), forget=True, **_apart(settings))
    for file in stack.module.glob("terraform.tfstate*"):
        file.unlink()


def _apart(settings: Mapping[str, Any]) -> dict[str, str]:
    """The bootstrap's own state lies beside the environment's, in the same place."""
    if "prefix" in settings:
        return {"prefix": f"{settings['prefix']}-bootstrap"}
    return {"key": str(PurePosixPath(settings["key"]).with_name("bootstrap.tfstate"))}
