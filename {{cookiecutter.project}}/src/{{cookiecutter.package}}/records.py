"""What was promoted, when, by whom and why: two immutable records for each attempt, next to the bundles.

`begun` is written before anything changes and `ended` with the outcome. A `begun` without its `ended` is an attempt
under way, or one that died; switch.py tells which and completes the record. The decisions are pure functions here.

The two are named `<time>-<id>`: when the attempt before ended, and the sha256 of that one's name. So names are in the
order of the attempts, whatever the clocks of their hosts say, and who follows the same history asks for the same name.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

import msgspec

from .bundle import canonical
from .errors import Refused
from .store import Store

FOLDER = "promotions"
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_FIRST = f"19700101T000000.000000Z-{'0' * 64}"
Kind = Literal["promotion", "rollback"]
Outcome = Literal["succeeded", "failed", "reverted"]


class Approval(msgspec.Struct, frozen=True):
    """Who agreed to a promotion, in which commit, and why."""

    approver: str
    commit: str
    date: str
    reason: str


class Begun(msgspec.Struct, frozen=True, rename={"from_id": "from", "to_id": "to"}):
    """An attempt, as decided before anything changed."""

    format: int
    time: str
    kind: Kind
    environment: str
    actor: str
    place: str
    reason: str
    from_id: str | None
    to_id: str
    verdicts: tuple[dict[str, Any], ...]
    commit: str | None
    approval: Approval | None


class Ended(msgspec.Struct, frozen=True):
    """How an attempt ended; `note` says what went wrong or who completed it."""

    format: int
    time: str
    actor: str
    outcome: Outcome
    version: str | None
    note: str


Record = TypeVar("Record", Begun, Ended)


class Attempt(msgspec.Struct, frozen=True):
    """A promotion or rollback; not ended while it runs, or when its process died."""

    name: str
    begun: Begun
    ended: Ended | None

    @property
    def succeeded(self) -> bool:
        """Whether its bundle became the champion."""
        return self.ended is not None and self.ended.outcome == "succeeded"


def begin(store: Store, known: Sequence[Attempt], begun: Begun) -> Attempt:
    """Record that an attempt begins after these, which have all ended; Taken, and nothing is written, when another did."""
    name = _next(known)
    store.put_new(f"{FOLDER}/{name}-begun.json", canonical(msgspec.to_builtins(begun)))
    return Attempt(name, begun, None)


def end(store: Store, attempt: Attempt, ended: Ended) -> Attempt:
    """Record how an attempt ended."""
    store.put_new(f"{FOLDER}/{attempt.name}-ended.json", canonical(msgspec.to_builtins(ended)))
    return msgspec.structs.replace(attempt, ended=ended)


def read(store: Store) -> list[Attempt]:
    """Give all attempts of an environment, the oldest first."""
    paths = store.list(FOLDER)
    attempts = []
    for path in paths:
        if path.endswith("-begun.json"):
            end_path = path.removesuffix("-begun.json") + "-ended.json"
            begun = _decode(store, path, Begun)
            ended = _decode(store, end_path, Ended) if end_path in paths else None
            attempts.append(Attempt(path.removeprefix(f"{FOLDER}/").removesuffix("-begun.json"), begun, ended))
    return attempts


def rejected(attempts: Iterable[Attempt]) -> set[str]:
    """Name the bundles that were rolled back, and not promoted again on purpose since."""
    bad: set[str] = set()
    for attempt in attempts:
        if attempt.succeeded:
            if attempt.begun.kind == "rollback" and attempt.begun.from_id is not None:
                bad.add(attempt.begun.from_id)
            bad.discard(attempt.begun.to_id)
    return bad


def rollback_target(attempts: Sequence[Attempt], champion: str) -> str | None:
    """Name the last bundle that was champion before this one and is not rejected.

    The champion itself counts as rejected from now on, so that rolling back again goes further back, never forth.
    """
    excluded = rejected(attempts) | {champion}
    served = (attempt.begun.to_id for attempt in reversed(attempts) if attempt.succeeded)
    return next((bundle_id for bundle_id in served if bundle_id not in excluded), None)


def _next(known: Sequence[Attempt]) -> str:
    if not known:
        return _FIRST
    last, ended = known[-1], known[-1].ended
    assert ended is not None
    after = datetime.strptime(last.name.partition("-")[0], _STAMP).replace(tzinfo=UTC) + timedelta(microseconds=1)
    time = max(datetime.fromisoformat(ended.time).astimezone(UTC), after)
    return f"{time.strftime(_STAMP)}-{hashlib.sha256(last.name.encode()).hexdigest()}"


def _decode(store: Store, path: str, kind: type[Record]) -> Record:
    try:
        return msgspec.json.decode(store.get(path), type=kind)
    except msgspec.DecodeError as error:
        raise Refused(f"{store.uri(path)}: this record cannot be read: {error}") from None
