"""`make infra-…`: what is done to an environment's infrastructure, and when it is refused."""

import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import backend, guards, plans, sentences
from .place import Place, Refused
from .plans import Saved, Stale
from .stack import Object, Plan, Stack, objects
from .steps import carry_out, new, nothing_lost, planned, said, show

KEPT = "module.storage"
"""What a destruction leaves: the bundles and records of promotions, and the key that reads them."""


def plan(place: Place) -> None:
    """Save a plan, and say in plain words what it would do."""
    saved = place.saved
    saved.remove()
    try:
        with opened(place) as stack:
            origin = place.origin()
            changes, found, warnings = planned(place, place.names, stack, saved, place.variables)
        if origin != place.origin():
            raise Refused(f"files changed while it was planned: make infra-plan ENV={place.environment} again")
        if changes:
            saved.keep(found, origin)
    finally:
        if not saved.origin.exists():
            saved.remove()
    for each in warnings:
        print(f"warning: {sentences.shown(each, place.names)}")
    show(place, found)
    if not changes:
        return
    print(f"saved; make infra-apply ENV={place.environment} applies exactly this")


def apply(place: Place) -> None:
    """Apply the saved plan, and no other."""
    nothing_lost(place.module, place.work / "data", place.names)
    try:
        place.saved.check(place.origin())
    except Stale as stale:
        raise Refused(f"{stale}: make infra-plan ENV={place.environment}, and look at it") from None
    with opened(place) as stack:
        afterwards = f"make infra-plan ENV={place.environment} shows what is left"
        carry_out(place, place.names, stack, place.saved, afterwards)
    print(f"{place.environment} is as planned; next: make overlay-values ENV={place.environment}")


def drift(place: Place) -> None:
    """Fail when what is there differs from what the code says; drift.json says which, or why nobody knows."""
    report = place.made() / "drift.json"
    document: dict[str, Any] = {
        "environment": place.environment,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        with _scratch(place) as scratch, opened(place) as stack:
            changes, found, _ = planned(place, place.names, stack, scratch, place.variables)
    except Refused as refused:
        plans.write(report, {**document, "result": "error", "error": str(refused)})
        raise Refused(
            f"error: whether {place.environment} drifted is not known ({place.name(report)}): {refused}"
        ) from None
    document["changes"] = [{"address": each.address, "what": plans.word(each)} for each in found.changes]
    document["changed_outside"] = [each.address for each in found.drift]
    document["outputs"] = list(found.outputs)
    plans.write(report, {**document, "result": "drift" if changes else "none"})
    if not changes:
        print(f"{place.environment}: no drift")
        return
    show(place, found)
    for each in found.drift:
        print(f"  changed outside of Terraform {each.address}")
    raise Refused(
        f"drift: {place.environment} is not what the code says ({place.name(report)}): make infra-plan ENV={place.environment}"
    )


def destroy(place: Place, confirm: str) -> None:
    """Destroy all but what cannot be made again, by a saved plan that is shown first."""
    guards.confirmation(place, confirm)
    with _scratch(place) as saved, opened(place) as stack:
        document = stack.state()
        guards.state(place, document)
        here = objects(document)
        if not here and not document.get("values", {}).get("outputs"):
            # Takes the lock: who holds it may be about to write the first state, or died before that.
            stack.plan(new(saved.plan), place.variables, destroy=True)
            print(f"{place.environment}: nothing is there")
            return
        targets = destroyed(here)
        if not targets and _stored(here):  # no target would mean everything
            print(f"{place.environment}: nothing is there but the {len(here)} objects that stay")
            return
        _, found, _ = planned(place, place.names, stack, saved, place.variables, destroy=True, targets=targets)
        show(place, found)
        left = sorted({each.address for each in here} - {each.address for each in found.changes if each.destroys})
        for address in left:
            print(f"  stays {address}")
        _guard(place, found, confirm)
        afterwards = f"make infra-destroy ENV={place.environment} CONFIRM={place.environment} goes on from there"
        carry_out(place, place.names, stack, saved, afterwards)
    print(f"{place.environment} is destroyed{f', but for the {len(left)} objects that stay' if left else ''}")


def destroyed(here: list[Object]) -> tuple[str, ...]:
    """What a destruction aims at, when there is a storage: every resource but those in it and those that they need. None means all."""
    kept = _stored(here)
    needed = {need for each in kept for need in each.needs}
    resources = {without_keys(each.address) for each in here}
    others = {each for each in resources if not each.startswith(f"{KEPT}.") and each not in needed}
    return tuple(sorted(others)) if kept else ()


def _stored(here: list[Object]) -> list[Object]:
    return [each for each in here if each.address.startswith(f"{KEPT}.")]


def without_keys(address: str) -> str:
    """The address of a resource, whichever instance of it or of its modules is meant."""
    return re.sub(r'\[(?:"[^"]*"|\d+)\]', "", address)


def kubeconfig(place: Place) -> None:
    """Let kubectl reach the cluster, by the command of its cloud."""
    command = output(place, "kubeconfig_command")
    print(command)
    for part in str(command).split("&&"):
        words = shlex.split(part)
        if shutil.which(words[0]) is None:
            raise Refused(f"{words[0]} was not found: install it, and run the command above")
        # What it says is for whoever called; a cloud's program asks its user to sign in, and how.
        if subprocess.run(words, check=False).returncode:
            raise Refused(f"{words[0]} failed; what it said stands above{_sign_in(place)}")


def _sign_in(place: Place) -> str:
    return (
        f". If it found no credentials: {sentences.sign_in(place.cloud)}" if place.cloud in sentences.SIGN_INS else ""
    )


def output(place: Place, name: str) -> Any:
    """The value of one output."""
    return outputs(place, name)[name]


def outputs(place: Place, *needed: str) -> dict[str, Any]:
    """All outputs of the environment; Refused before its first apply, and where one that is needed is not there yet."""
    with opened(place) as stack:
        found = stack.outputs()
        addresses = stack.addresses() if found else []
    go_on = f"make infra-plan ENV={place.environment}, then make infra-apply ENV={place.environment}"
    if not found:
        raise Refused(f"{place.environment} was not made yet: {go_on}")
    values = {name: each.value for name, each in found.items()}
    guards.outputs(place, values)
    stay = [each for each in addresses if each.startswith(f"{KEPT}.")]
    if stay and not any(each.startswith("module.cluster.") for each in addresses):  # the outputs outlive a destruction
        raise Refused(
            f"{place.environment} has no cluster: it was destroyed but for what stays, or never made whole: {go_on}"
        )
    if missing := [name for name in needed if name not in values]:  # an apply has ended before it came to them
        raise Refused(f"{place.environment} was never made whole, and has no {', '.join(missing)}: {go_on}")
    return values


@contextmanager
def opened(place: Place) -> Iterator[Stack]:
    """The environment's stack, ready for commands; what Terraform refuses inside is said in sentences."""
    if not backend.filled(backend.read(place.backend)):
        raise Refused(
            f"{place.name(place.backend)} does not say where the state is yet: make infra-bootstrap ENV={place.environment} writes it"
        )
    with said(place.names) as stack_of:
        stack = stack_of(place.module, place.made() / "data")
        stack.init(place.backend)
        yield stack


@contextmanager
def _scratch(place: Place) -> Iterator[Saved]:
    """A plan for this call alone."""
    with tempfile.TemporaryDirectory(dir=place.made()) as folder:
        yield Saved(Path(folder))


def _guard(place: Place, found: Plan, confirm: str) -> None:
    again = f"set deletion_protection = false in {place.name(place.variables)}, then make infra-plan, make infra-apply, and this again"
    if found.variables.get("deletion_protection") is True:
        raise Refused(f"{place.name(place.variables)}: deletion_protection is on in {place.environment}: {again}")
    if protected := plans.protected(found):
        raise Refused(f"deletion protection is on in the state of {place.environment} ({protected[0]}): {again}")
    if confirm != place.environment:
        raise Refused(f"nothing was destroyed: CONFIRM={place.environment} destroys what is listed above")
