"""Promotion and rollback: which bundle may become the champion of an environment, and why not."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from . import advice, approvals, bundle, records, staging
from .errors import Refused
from .records import Approval
from .registry import Version
from .settings import Settings
from .store import Store
from .switch import Change, Switch, Target, UnderWay, held


@dataclass(frozen=True)
class Promoted:
    """The champion after a promotion or rollback, and everything there is to say about it."""

    champion: Version
    notes: list[str]


def promote(
    settings: Settings, name: str, reason: str, bundle_id: str | None = None, target: Target | None = None
) -> Promoted:
    """Make a bundle (default: the challenger) the champion of an environment."""
    reason = _required(reason)
    with held(settings, name, target) as switch:
        to_id = _resolve(switch, bundle_id) if bundle_id else _challenger(switch)
        if switch.champion is not None and switch.champion.bundle_id == to_id:
            # Somebody may have changed by hand what is served.
            switch.target.apply(switch.champion)
            return Promoted(switch.champion, [*switch.notes, f"{to_id[:12]} is the champion of {name} already"])
        if not bundle_id and to_id in records.rejected(switch.attempts):
            raise Refused(f"{to_id[:12]} was rolled back: train again, or promote it by name with BUNDLE=")
        with _candidate(switch, to_id) as candidate:
            approval = _approval(switch, candidate)
            verdicts = _verdicts(switch, candidate)
            return _carried_out(switch, Change("promotion", reason, candidate, verdicts, approval))


def rollback(settings: Settings, name: str, reason: str, target: Target | None = None) -> Promoted:
    """Make the last champion that is not rejected the champion again, and reject the present one."""
    reason = _required(reason)
    with held(settings, name, target) as switch:
        if switch.champion is None:
            raise Refused(f"{name} has no champion: there is nothing to roll back")
        if any(attempt.begun.kind == "rollback" for attempt in switch.completed):
            # Who repeats an interrupted rollback wants that one, and not to go back twice.
            return Promoted(switch.champion, [*switch.notes, "to go further back, roll back once more"])
        to_id = records.rollback_target(switch.attempts, switch.champion.bundle_id)
        if to_id is None:
            raise Refused(
                f"{name} has nothing to go back to: no champion before {switch.champion.bundle_id[:12]} that was not "
                "rolled back itself; promote a bundle by name (BUNDLE=)"
            )
        with _candidate(switch, to_id) as candidate:
            return _carried_out(switch, Change("rollback", reason, candidate, candidate.manifest.verdicts, None))


def recover(settings: Settings, name: str, target: Target | None = None) -> list[str]:
    """Settle what a dead process began; say what was done, or what is still under way.

    Where nothing is open nothing is held: who only looks must not keep anybody from rolling back.
    """
    store = Store.open(settings.environment(name).store_uri)
    staging.clean_below(settings.artifacts)
    store.clean()
    if all(attempt.ended for attempt in records.read(store)):
        return []
    try:
        with held(settings, name, target) as switch:
            return switch.notes
    except UnderWay as busy:
        return [str(busy)]


def _carried_out(switch: Switch, change: Change) -> Promoted:
    version = switch.carry_out(change)
    what = f"{version.bundle_id[:12]} is now the champion of {switch.environment.name} (version {version.number})"
    return Promoted(version, [*switch.notes, what])


def _required(reason: str) -> str:
    if not reason.strip():
        raise Refused("REASON= is required: say in a few words why; the record keeps it")
    return reason.strip()


def _challenger(switch: Switch) -> str:
    challenger, name = switch.registry.challenger(), switch.environment.name
    if challenger is None:
        raise Refused(f"{name} has no challenger: {advice.challenger(switch.settings, name)}")
    return challenger.bundle_id


def _resolve(switch: Switch, text: str) -> str:
    """Give the whole id that a person began to type."""
    if not re.fullmatch("[0-9a-f]{8,64}", text):
        raise Refused(f"BUNDLE={text}: must be a bundle id, or at least its first 8 digits (0-9, a-f)")
    known = {path.split("/")[1] for store in _stores(switch) for path in store.list(bundle.FOLDER)}
    found = [bundle_id for bundle_id in known if bundle_id.startswith(text)]
    if len(found) > 1:
        raise Refused(f"BUNDLE={text}: {len(found)} bundles begin so: give more digits")
    if not found:
        raise _nowhere(switch, f"BUNDLE={text}")
    return found[0]


@contextmanager
def _candidate(switch: Switch, bundle_id: str) -> Iterator[bundle.Bundle]:
    """Fetch and verify a bundle from the environment's own store, or from that of the environment before it."""
    path = bundle.path_of(bundle_id)
    store = next((store for store in _stores(switch) if store.exists(f"{path}/{bundle.MANIFEST}")), None)
    if store is None:
        raise _nowhere(switch, bundle_id[:12])
    with staging.scratch(switch.settings.artifacts) as folder:
        yield bundle.fetch(store.uri(path), folder / "candidate", bundle_id)


def _verdicts(switch: Switch, candidate: bundle.Bundle) -> tuple[dict[str, Any], ...]:
    """Give the bundle's verdicts, with those of the gates that this environment runs again."""
    if not switch.environment.rule.gates:
        return candidate.manifest.verdicts
    from . import comparison

    again = comparison.verdicts(switch.settings, switch.environment, candidate, candidate.folder.parent)
    names = {verdict.gate for verdict in again}
    kept = (verdict for verdict in candidate.manifest.verdicts if verdict["gate"] not in names)
    return (*kept, *(msgspec.to_builtins(verdict) for verdict in again))


def _approval(switch: Switch, candidate: bundle.Bundle) -> Approval | None:
    if switch.environment.rule.approval == "none":
        return None
    return approvals.check(switch.settings.root, candidate.id, candidate.manifest.trainer)


def _stores(switch: Switch) -> list[Store]:
    before = switch.environment.rule.after
    return [switch.store, *([Store.open(switch.settings.environment(before).store_uri)] if before else [])]


def _nowhere(switch: Switch, what: str) -> Refused:
    places = " or ".join(store.uri() for store in _stores(switch))
    return Refused(f"{what}: there is no such bundle in {places}")
