"""The platform's object store, told through its own shell who may do what where. Keys go in by standard input, and nothing is printed."""

import json
import secrets
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .connection import Cluster

PLATFORM = "mlops-platform"
"""The namespace of what all environments share: k8s/platform/namespace."""

_SHELL = ("weed", "shell", "-master=127.0.0.1:9333", "-filer=127.0.0.1:8888")
_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Key:
    """What a client signs its requests with."""

    id: str
    secret: str = field(repr=False)

    @classmethod
    def new(cls) -> "Key":
        """A random one, of letters and digits, for it stands in commands and in JSON."""
        return cls(_random(20), _random(40))


@dataclass(frozen=True)
class Identity:
    """One account of the store: the keys it is known by, and its rights in the store's own words."""

    keys: frozenset[Key]
    rights: frozenset[str]


@dataclass(frozen=True)
class State:
    """What the store has."""

    buckets: frozenset[str]
    identities: dict[str, Identity]


def rights(own: str, before: str | None) -> frozenset[str]:
    """Everything under its own prefix (`bucket/path`), and reading under that of the environment before."""
    reading = ("Read", "List")
    return frozenset(
        [f"{action}:{own}/*" for action in (*reading, "Write")]
        + [f"{action}:{before}/*" for action in reading if before is not None]
    )


def commands(state: State, bucket: str, name: str, key: Key, wanted: frozenset[str]) -> list[str]:
    """What the shell must be told so that the bucket and this identity, with exactly this key and these rights, are there."""
    has = state.identities.get(name, Identity(frozenset(), frozenset()))
    told = [] if bucket in state.buckets else [f"s3.bucket.create -name {bucket}"]
    if missing := wanted - has.rights:
        told.append(f"s3.configure -user={name} -actions={_list(missing)} -apply")
    if extra := has.rights - wanted:
        told.append(f"s3.configure -user={name} -actions={_list(extra)} -delete -apply")
    if key not in has.keys:
        told.append(f"s3.configure -user={name} -access_key={key.id} -secret_key={key.secret} -apply")
    told += [f"s3.configure -user={name} -access_key={old.id} -delete -apply" for old in has.keys if old.id != key.id]
    return told


def look(cluster: Cluster) -> State:
    """Ask the store what it has."""
    return parse(_shell(cluster, ["s3.bucket.list", "s3.configure"]))


def tell(cluster: Cluster, told: Sequence[str]) -> None:
    """Have the shell do something; nothing to do is fine."""
    if told:
        _shell(cluster, told)


def forget(cluster: Cluster, name: str) -> None:
    """Remove an identity with its key; what it has stored stays."""
    tell(cluster, forgetting(look(cluster), name))


def forgetting(state: State, name: str) -> list[str]:
    """What the shell must be told so that there is no such identity; one that there is not it refuses to delete."""
    return [f"s3.configure -user={name} -delete -apply"] if name in state.identities else []


def parse(printed: str) -> State:
    """Read what the shell answers to `s3.bucket.list` and `s3.configure`: lines, then JSON."""
    lines, brace, configuration = printed.partition("{")
    buckets = frozenset(line.split("\t")[0].strip() for line in lines.splitlines() if "\t" in line)
    found: list[dict[str, Any]] = (json.loads(brace + configuration) if brace else {}).get("identities") or []
    return State(buckets, {each["name"]: _identity(each) for each in found})


def _identity(each: dict[str, Any]) -> Identity:
    keys = frozenset(Key(one["accessKey"], one["secretKey"]) for one in each.get("credentials") or ())
    return Identity(keys, frozenset(each.get("actions") or ()))


def _shell(cluster: Cluster, told: Sequence[str]) -> str:
    where = ("--namespace", PLATFORM, "statefulset/object-store")
    return cluster.kubectl("exec", "--stdin", *where, "--", *_SHELL, given="\n".join(told) + "\n")


def _list(actions: Iterable[str]) -> str:
    return ",".join(sorted(actions))


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
