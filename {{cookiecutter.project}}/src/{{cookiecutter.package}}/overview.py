"""What there is in an environment: who promoted what and why, what is served, and what nothing refers to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rich.markup import escape
from rich.table import Table

from . import bundle, records
from .records import Approval, Attempt
from .registry import ALIASES, CHAMPION, Registry, Version
from .settings import Environment
from .store import Store

# A pipeline publishes before it registers: what is younger may be about to be registered.
SETTLED = timedelta(hours=1)


@dataclass(frozen=True)
class Served:
    """What one server says that it serves."""

    server: str
    bundle_id: str | None
    trouble: str = ""
    """Why it serves nothing, where it has ended again and again, or cannot start."""


@dataclass(frozen=True)
class Unreferenced:
    """A bundle, whole or in part, that neither a version nor a record names."""

    bundle_id: str
    paths: tuple[str, ...]
    modified: datetime

    @property
    def settled(self) -> bool:
        """Whether it is old enough not to belong to a pipeline that is still running."""
        return datetime.now(UTC) - self.modified > SETTLED


def history(attempts: Sequence[Attempt], name: str) -> Table:
    """Lay out the records: the newest last."""
    table = Table(title=f"History of {name}", box=None, padding=(0, 2, 1, 0), title_justify="left")
    table.add_column("when (UTC)", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("who, why and how it ended")
    for attempt in attempts:
        begun, ended = attempt.begun, attempt.ended
        when = datetime.fromisoformat(begun.time).astimezone(UTC)
        outcome = "has not ended" if ended is None else ": ".join(text for text in (ended.outcome, ended.note) if text)
        approved = [_approved(begun.approval)] if begun.approval else []
        table.add_row(
            f"{when:%Y-%m-%d}\n{when:%H:%M:%S}",
            f"{begun.kind}\nfrom {_short(begun.from_id)}\nto   {_short(begun.to_id)}",
            escape("\n".join([begun.actor, begun.reason, *approved, outcome])),
        )
    return table


def status(registry: Registry, served: Sequence[Served], name: str) -> tuple[Table, list[str]]:
    """Lay out the aliases and what is served, and list the differences."""
    versions = registry.aliases()
    table = Table("what", "version", "bundle", "trained by", title=f"Status of {name}", box=None, title_justify="left")
    for alias in ALIASES:
        table.add_row(alias, *_cells(versions.get(alias)))
    for server in served:
        table.add_row(escape(server.server), "", _short(server.bundle_id), "")
    return table, differences(versions.get(CHAMPION), served)


def differences(champion: Version | None, served: Sequence[Served]) -> list[str]:
    """Say where what is served is not the champion, and which servers are in trouble."""
    wanted = champion.bundle_id if champion else None
    return [
        f"{server.server}, {server.trouble}"
        if server.trouble
        else f"{server.server} serves {_short(server.bundle_id)}, the champion is {_short(wanted)}"
        for server in served
        if server.trouble or server.bundle_id != wanted
    ]


def unreferenced(environment: Environment) -> list[Unreferenced]:
    """List the bundles that neither a registered version nor a record names: a killed run leaves them."""
    store = Store.open(environment.store_uri)
    named = {version.bundle_id for version in Registry(environment).versions()}
    for attempt in records.read(store):
        named |= {attempt.begun.to_id, attempt.begun.from_id or ""}
    files: dict[str, list[str]] = {}
    for path in store.list(bundle.FOLDER):
        files.setdefault(path.split("/")[1], []).append(path)
    return [
        Unreferenced(bundle_id, tuple(paths), max(store.modified(path) for path in paths))
        for bundle_id, paths in sorted(files.items())
        if bundle_id not in named
    ]


def remove(environment: Environment, found: Unreferenced) -> None:
    """Delete an unreferenced bundle, the manifest first: what remains if this is interrupted is no bundle."""
    store = Store.open(environment.store_uri)
    for path in sorted(found.paths, key=lambda path: not path.endswith(f"/{bundle.MANIFEST}")):
        store.remove(path)


def _approved(approval: Approval) -> str:
    return f"approved by {approval.approver} ({approval.date[:10]}, commit {approval.commit[:12]}): {approval.reason}"


def _cells(version: Version | None) -> tuple[str, str, str]:
    if version is None:
        return ("none", "", "")
    return (
        version.number,
        _short(version.bundle_id) + (" (rejected)" if version.rejected else ""),
        escape(version.trainer),
    )


def _short(bundle_id: str | None) -> str:
    return bundle_id[:12] if bundle_id else "nothing"
