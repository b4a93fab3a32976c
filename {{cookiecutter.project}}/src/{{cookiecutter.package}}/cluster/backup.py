"""`make backup` and `make restore`: everything of an environment that no other place has, as a folder that tells whether it is whole.

    backup.json     format, environment, time (UTC), size and sha256 of every other file, and what was left out and why: written last
    objects/        the environment's prefix of the object store: bundles and the records of promotions
    registry.json   its registered versions, the oldest first, and their aliases
    api-keys        name and hash of each key that was given out; no secret
    mlflow.dump     the registry's database (`pg_dump --format=custom`): runs and their metrics, of all projects of this platform;
                    left out where it is none of the platform's: the service that runs it backs it up

Restoring creates what is missing and replaces nothing, so it can be repeated, and other projects are not touched. The
database is for whoever has lost all of it: `pg_restore`, by hand (docs/how-to/back-up-and-restore.md).
"""

import hashlib
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from .. import staging
from ..errors import Refused
from ..registry import CHALLENGER, CHAMPION, PREVIOUS, Registry
from ..store import Store
from . import api_keys, overlay
from .connection import said
from .object_store import PLATFORM
from .place import Namespace

FORMAT = 1
CONTENTS, OBJECTS, REGISTRY, KEYS, DATABASE = "backup.json", "objects", "registry.json", "api-keys", "mlflow.dump"
POSTGRES = "postgres"
DUMP_SECONDS = 600


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A registered version."""

    bundle_id: str
    uri: str
    trainer: str
    rejected: bool


class Registered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """registry.json"""

    versions: tuple[Entry, ...]
    aliases: dict[str, str]
    """Bundle id by alias."""


class Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """backup.json"""

    format: int
    environment: str
    time: str
    files: dict[str, tuple[int, str]]
    left_out: dict[str, str] = {}
    """Why, by the name of the file."""


def backup(place: Namespace, folder: Path) -> str:
    """Save an environment into a new folder; gives the sentence to print."""
    require_new(folder)
    print(f"saving {place.environment} into {folder} …", flush=True)
    where = place.settings.environment(place.environment)
    store, registry = Store.open(where.store_uri), Registry(where)
    try:
        with staging.new_folder(folder) as staged:
            staged.chmod(0o700)  # it holds the rows of records and the hashes of passwords
            paths = store.list("")
            for path in paths:
                _write(staged / OBJECTS / path, store.get(path))
            versions = _registered(registry)
            _write(staged / REGISTRY, msgspec.json.encode(versions))
            _write(staged / KEYS, "".join(f"{line}\n" for line in api_keys.lines(place)).encode())
            left_out = {}
            if elsewhere := _elsewhere(place):
                left_out[DATABASE] = elsewhere
            else:
                _dump(place, staged / DATABASE)
            time = datetime.now(UTC).isoformat(timespec="seconds")
            contents = Contents(FORMAT, place.environment, time, _sums(staged), left_out)
            _write(staged / CONTENTS, msgspec.json.format(msgspec.json.encode(contents)))
    except FileExistsError:
        raise _not_new(folder) from None
    saved = f"{folder}: {len(paths)} objects and {len(versions.versions)} versions of {place.environment}"
    return f"{saved}, without the registry's database: {elsewhere}" if elsewhere else saved


def require_new(folder: Path) -> None:
    """Refused where a backup cannot become this folder: before anything is read, for that takes a while."""
    if any(folder.iterdir()) if folder.is_dir() else folder.exists() or folder.is_symlink():
        raise _not_new(folder)


def _not_new(folder: Path) -> Refused:
    return Refused(f"{folder}: {'has files already' if folder.is_dir() else 'is a file'}; name a new folder (OUTPUT=)")


def restore(place: Namespace, folder: Path) -> str:
    """Bring back what is missing of an environment: objects, versions, aliases, keys, and what the servers serve."""
    contents = _checked(folder, place.environment)
    registered = msgspec.json.decode((folder / REGISTRY).read_bytes(), type=Registered)
    where = place.settings.environment(place.environment)
    store, registry = Store.open(where.store_uri), Registry(where)
    made = sum(
        store.put_new(name.removeprefix(f"{OBJECTS}/"), (folder / name).read_bytes())
        # A record or a bundle is complete when its last file is there: in the order in which it was listed, manifests last.
        for name in sorted((name for name in contents.files if name.startswith(f"{OBJECTS}/")), key=_last_manifest)
    )
    target = place.target()
    with target.exclusive():
        for entry in registered.versions:
            version = registry.register(entry.uri, entry.bundle_id, entry.trainer)
            if version.rejected != entry.rejected:
                registry.set_rejected(version, entry.rejected)
        for alias in (CHALLENGER, PREVIOUS, CHAMPION):
            if registry.alias(alias) is None and alias in registered.aliases:
                registry.set_alias(alias, registry.find(registered.aliases[alias]))
        api_keys.merge(place, (folder / KEYS).read_text().splitlines())
        if (champion := registry.champion()) is not None:
            target.apply(champion)
    what = f"serves version {champion.number} (bundle {champion.bundle_id[:12]})" if champion else "has no champion"
    return (
        f"{made} objects were missing, {len(registered.versions)} versions are registered; {place.environment} {what}"
    )


def _registered(registry: Registry) -> Registered:
    entries = [Entry(v.bundle_id, v.uri, v.trainer, v.rejected) for v in reversed(registry.versions())]
    aliases = {alias: registry.alias(alias) for alias in (CHAMPION, CHALLENGER, PREVIOUS)}
    return Registered(tuple(entries), {alias: found.bundle_id for alias, found in aliases.items() if found})


def _elsewhere(place: Namespace) -> str:
    """Why the registry's database is none that we can dump; empty when it is the platform's, whether it answers or not."""
    backed_up = "the service that runs it backs it up"
    if not overlay.of_platform(overlay.read(place.settings, place.environment).mlflow_uri):
        return f"MLflow is not in {PLATFORM}; {backed_up}"
    with said(place.cluster, f"look for the StatefulSet {POSTGRES} in {PLATFORM}"):
        try:
            client.AppsV1Api(place.cluster.api).read_namespaced_stateful_set(POSTGRES, PLATFORM)
        except ApiException as error:
            if error.status == 404:
                return f"there is no StatefulSet {POSTGRES} in {PLATFORM}; {backed_up}"
            raise
    return ""


def _dump(place: Namespace, file: Path) -> None:
    """The database as PostgreSQL itself writes it."""
    postgres = ("--namespace", PLATFORM, "exec", f"statefulset/{POSTGRES}", "--")
    command = ["kubectl", "--context", place.cluster.context, *postgres]
    with file.open("wb") as output:
        done = subprocess.run(
            [*command, "pg_dump", "--username=postgres", "--format=custom", "mlflow"],
            stdout=output,
            stderr=subprocess.PIPE,
            timeout=DUMP_SECONDS,
            check=False,
        )
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise Refused(
            f"the registry's database was not saved: {reason[-1] if reason else 'pg_dump failed without a word'}"
        )


def _checked(folder: Path, environment: str) -> Contents:
    """Refused unless every byte of a backup is as it was written, and it is one of this environment."""
    try:
        contents = msgspec.json.decode((folder / CONTENTS).read_bytes(), type=Contents)
    except FileNotFoundError:
        raise Refused(f"{folder}: {CONTENTS} is missing: this is no backup, or only a part of one") from None
    except msgspec.MsgspecError as problem:
        raise Refused(f"{folder}/{CONTENTS}: {problem}") from None
    if contents.format != FORMAT:
        raise Refused(f"{folder}: format {contents.format}: this release reads {FORMAT}")
    if contents.environment != environment:
        raise Refused(f"{folder}: is a backup of {contents.environment}, not of {environment}")
    found = _sums(folder)
    for name in sorted(contents.files.keys() | found.keys()):
        if contents.files.get(name) != found.get(name):
            raise Refused(f"{folder}: {name} is not as it was written: take another backup")
    return contents


def _sums(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and sha256 of every file but the list itself."""
    found: Mapping[str, Any] = {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != CONTENTS
    }
    return {name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in found.items()}


def _last_manifest(name: str) -> tuple[bool, str]:
    return name.endswith("/manifest.json"), name


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
