"""What the verbs have in common: failures as sentences, a plan that is checked and shown, and its apply."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from . import guards, plans, sentences
from .calling import Diagnostic
from .place import Names, Place, Refused
from .plans import Saved
from .stack import Plan, Stack, StackError

ACCOUNTS = {"account_id": "account", "project_id": "project", "subscription_id": "subscription"}
"""What says in whose account everything is, and what its cloud calls that."""
LOST = "errored.tfstate"
"""Where Terraform leaves a state that it cannot write where it belongs."""


@contextmanager
def said(names: Names) -> Iterator[Callable[[Path, Path], Stack]]:
    """Stacks whose failures are sentences."""
    made: list[Stack] = []

    def make(module: Path, data: Path) -> Stack:
        nothing_lost(module, data, names)
        made.append(Stack(module, data))
        return made[-1]

    try:
        yield make
    except StackError as error:
        sentence = sentences.sentence(error, names, _version(made[-1], error))
        raise Refused("\n".join(filter(None, [sentence, error.afterwards]))) from None


def _version(stack: Stack, error: StackError) -> str:
    """Which Terraform this is, where that may be what is wrong."""
    if error.code == 127:
        return ""
    with suppress(StackError, KeyError, ValueError):
        return stack.version()
    return ""


def nothing_lost(module: Path, data: Path, names: Names) -> None:
    """Refuse as long as a state lies about that an apply could not write: set aside, or where Terraform left it."""
    for folder, name in ((data.parent, names.data.rpartition("/")[0]), (module, names.folder)):
        if (folder / LOST).exists():
            raise Refused(sentences.lost(f"{name}/{LOST}", names))


def planned(
    place: Place,
    names: Names,
    stack: Stack,
    saved: Saved,
    *values: Path,
    destroy: bool = False,
    targets: tuple[str, ...] = (),
) -> tuple[bool, Plan, tuple[Diagnostic, ...]]:
    """Plan into a file: whether there is something to do, what, and what Terraform warned of. Refused when it is of something else."""
    changes, warnings = stack.plan(new(saved.plan), *values, destroy=destroy, targets=targets)
    found = stack.show_plan(saved.plan)
    guards.values(place, names, found, warnings, stack.module)
    guards.plan_state(place, found.document)
    return changes, found, warnings


def carry_out(place: Place, names: Names, stack: Stack, saved: Saved, afterwards: str) -> None:
    """Apply a saved plan. Once something has begun it cannot be applied again, and is removed."""
    began: list[str] = []
    show_line = partial(print, file=sys.stdout, flush=True)

    def report(line: str) -> None:
        began.append(line)
        show_line(line)

    start = time.monotonic()
    try:
        stack.apply(saved.plan, report)
    except StackError as error:
        lost = stack.module / LOST
        if left := lost.exists():
            # Every environment of the cloud works in that folder: this one's is told apart by where it lies.
            lost.replace(stack.data.parent / LOST).chmod(0o600)
            error.afterwards = sentences.lost(f"{names.data.rpartition('/')[0]}/{LOST}", names)
        elif error.code < 0:
            error.afterwards = f"{sentences.last_moments(place.title)}; {afterwards}"
        elif began:
            error.afterwards = f"What was done before stands in the state: {afterwards}"
        if began or left:
            saved.remove()
        raise
    saved.remove()
    print(f"done in {time.monotonic() - start:.0f} s")


def show(place: Place, found: Plan) -> None:
    """Print what a plan does, in red what is lost."""
    first, *rest = plans.summary(found)
    print(f"{place.environment} ({', '.join((place.cloud, *_account(found)))}): {first}")
    for line in (*rest, *(plans.elsewhere(found) if place.cloud == "local" else ())):
        red = "DESTROYED" in line and sys.stdout.isatty()
        print(f"\033[1;31m{line}\033[0m" if red else line)


def _account(found: Plan) -> tuple[str, ...]:
    """In whose account a plan's objects are, and in which region; nothing where no account is."""
    named = [f"{word} {found.variables[name]}" for name, word in ACCOUNTS.items() if found.variables.get(name)]
    region = found.variables.get("region")
    return (*named, region) if named and region else tuple(named)


def new(plan: Path) -> Path:
    """The file, empty and its owner's alone, before Terraform writes values into it."""
    plan.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    plan.unlink(missing_ok=True)
    plan.touch(mode=0o600)
    return plan
