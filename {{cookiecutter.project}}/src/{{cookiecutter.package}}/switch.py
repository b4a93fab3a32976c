"""Change an environment's champion, so that it is unchanged or fully new whenever the process dies.

Order: record `begun`, publish into the environment's prefix, register, alias, what serves, record `ended`. So whatever
the alias names exists; and an attempt that died is told by its alias: completed when that had moved, else reverted.

Of several at once exactly one goes on. On one host a lock decides, in a cluster its Lease. Between hosts that share
neither, `begun` does, in whatever order they look and write: who looks finds all attempts ended, or leaves; its `begun`
can follow only the last of them (records.py) and is created once, so whoever else looked by then is refused before it has
changed anything. No clock has a say in it; only for a dead host to be told from a slow one, clocks must differ by less
than UNDER_WAY.
"""

import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from . import bundle, lineage, records, staging
from .errors import Refused
from .records import Approval, Attempt, Begun, Ended, Kind, Outcome
from .registry import CHAMPION, PREVIOUS, Registry, Version
from .settings import Environment, Settings
from .store import Store, Taken

# Longer than a rollout may take: what another host began before that, and did not end, has died.
UNDER_WAY = timedelta(minutes=15)


class Target(Protocol):
    """What serves an environment."""

    def exclusive(self) -> AbstractContextManager[str | None]:
        """Hold it against other hosts, and name what is held; None where nothing can be."""

    def apply(self, version: Version | None) -> None:
        """Serve this version (None: no model) and wait until it is so; Refused when it does not come to that."""


class Laptop:
    """On a laptop the registry's alias is the pointer, and `make serve` asks it: nothing to change or await."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Do nothing: the host's own lock is held already."""
        return nullcontext()

    def apply(self, version: Version | None) -> None:
        """Do nothing."""


class UnderWay(Refused):
    """Another process is changing this environment's champion."""


@dataclass(frozen=True)
class Change:
    """What is to become champion, and everything that its record says about it."""

    kind: Kind
    reason: str
    candidate: bundle.Bundle
    verdicts: tuple[dict[str, Any], ...]
    approval: Approval | None


@dataclass
class Switch:
    """One process's exclusive hold of one environment's champion."""

    settings: Settings
    environment: Environment
    target: Target
    store: Store
    registry: Registry
    actor: str
    place: str
    attempts: list[Attempt] = field(default_factory=list)
    champion: Version | None = None
    notes: list[str] = field(default_factory=list)
    """What recovery has to say."""
    completed: list[Attempt] = field(default_factory=list)
    """What recovery has completed."""

    def carry_out(self, change: Change) -> Version:
        """Record, change, record; on failure the alias and what serves go back, the records stay."""
        attempt = self._begin(change)
        try:
            version = self._enter(change.candidate)
            self.registry.set_alias(CHAMPION, version)
            self.target.apply(version)
            self._label(attempt, version)
        except BaseException as error:
            self._revert(attempt, error)
            raise
        self._end(attempt, "succeeded", version, "")
        return version

    def recover(self) -> None:
        """Complete or revert what a dead process began; UnderWay when that may still be alive."""
        for attempt in records.read(self.store):
            if attempt.ended is None:
                self._check_dead(attempt)
                self._settle(attempt)
        self.attempts = records.read(self.store)
        for attempt in self.attempts:
            if attempt.ended is None:
                raise _under_way(attempt)
        self.champion = self.registry.champion()

    def _begin(self, change: Change) -> Attempt:
        """Begin, unless another host did since we looked: what we found and decided may then be true no more."""
        try:
            return records.begin(self.store, self.attempts, self._begun(change))
        except Taken as taken:
            later = records.read(self.store)[len(self.attempts) :]
            raise (_under_way(later[0]) if later else taken) from None

    def _begun(self, change: Change) -> Begun:
        return Begun(
            format=1,
            time=_now().isoformat(),
            kind=change.kind,
            environment=self.environment.name,
            actor=self.actor,
            place=self.place,
            reason=change.reason,
            from_id=self.champion.bundle_id if self.champion else None,
            to_id=change.candidate.id,
            verdicts=change.verdicts,
            commit=lineage.source(self.settings.root).commit,
            approval=change.approval,
        )

    def _enter(self, candidate: bundle.Bundle) -> Version:
        """Publish and register the bundle here; for one that is here already both change nothing."""
        uri = bundle.publish(candidate.folder, self.store)
        return self.registry.register(uri, candidate.id, candidate.manifest.trainer)

    def _label(self, attempt: Attempt, version: Version) -> None:
        """Set what the registry shows besides the champion, `previous` and `rejected`, to what the records imply."""
        others = [other for other in records.read(self.store) if other.name != attempt.name]
        ended = Ended(1, _now().isoformat(), self.actor, "succeeded", version.number, "")
        attempts = [*others, msgspec.structs.replace(attempt, ended=ended)]
        rejected = records.rejected(attempts)
        for known in self.registry.versions():
            if known.rejected != (known.bundle_id in rejected):
                self.registry.set_rejected(known, not known.rejected)
        before = records.rollback_target(attempts, version.bundle_id)
        self.registry.set_alias(PREVIOUS, self.registry.find(before) if before else None)

    def _settle(self, attempt: Attempt) -> None:
        begun, champion = attempt.begun, self.registry.champion()
        what = f"the {begun.kind} to {begun.to_id[:12]} that {begun.actor} began at {begun.time} was interrupted"
        if champion is None or champion.bundle_id != begun.to_id:
            self.target.apply(champion)
            note = f"{what} before the champion had changed: reverted"
            self._end(attempt, "reverted", None, note)
        else:
            try:
                self.target.apply(champion)
                self._label(attempt, champion)
            except BaseException as error:
                self._revert(attempt, error)
                raise
            note = f"{what} after the champion had changed: completed"
            self._end(attempt, "succeeded", champion, note)
            self.completed.append(attempt)
        self.notes.append(note)

    def _revert(self, attempt: Attempt, error: BaseException) -> None:
        interrupted = isinstance(error, KeyboardInterrupt)
        if interrupted:
            print("interrupted: going back to what was served; another Ctrl-C leaves that to make status", flush=True)
        before = self.registry.find(attempt.begun.from_id) if attempt.begun.from_id else None
        self.registry.set_alias(CHAMPION, before)
        self.target.apply(before)
        self._end(attempt, "failed", None, "interrupted" if interrupted else str(error) or type(error).__name__)

    def _end(self, attempt: Attempt, outcome: Outcome, version: Version | None, note: str) -> None:
        number = version.number if version else None
        records.end(self.store, attempt, Ended(1, _now().isoformat(), self.actor, outcome, number, note))

    def _check_dead(self, attempt: Attempt) -> None:
        """What began in this very place has died, since we hold its lock; elsewhere only time can tell."""
        if attempt.begun.place != self.place and _now() - datetime.fromisoformat(attempt.begun.time) < UNDER_WAY:
            raise _under_way(attempt)


@contextmanager
def held(settings: Settings, name: str, target: Target | None) -> Iterator[Switch]:
    """Hold an environment for as long as it takes, recovered; UnderWay when another process does."""
    environment = settings.environment(name)
    lock = settings.artifacts / f"{name}.lock"
    with ExitStack() as stack:
        try:
            stack.enter_context(staging.locked(lock, wait=False))
        except BlockingIOError:
            raise UnderWay(f"another promotion or rollback of {name} is under way here; wait for it to end") from None
        staging.clean_below(settings.artifacts)
        store = Store.open(environment.store_uri)
        store.clean()
        target = target or Laptop()
        place = stack.enter_context(target.exclusive()) or f"{socket.gethostname()}:{lock}"
        switch = Switch(
            settings=settings,
            environment=environment,
            target=target,
            store=store,
            registry=Registry(environment),
            actor=lineage.person(settings.root),
            place=place,
        )
        switch.recover()
        yield switch


def _under_way(attempt: Attempt) -> UnderWay:
    begun = attempt.begun
    host = begun.place.partition(":")[0]
    if attempt.ended is not None:
        return UnderWay(
            f"a {begun.kind} to {begun.to_id[:12]} in {begun.environment} came first: {begun.actor} began it at "
            f"{begun.time} on {host}, and it {attempt.ended.outcome}; look at make status, then try again"
        )
    return UnderWay(
        f"a {begun.kind} to {begun.to_id[:12]} is under way in {begun.environment}: {begun.actor} began it at "
        f"{begun.time} on {host}; wait for it to end (one that died is recovered after {UNDER_WAY.seconds // 60} min)"
    )


def _now() -> datetime:
    return datetime.now(UTC)
