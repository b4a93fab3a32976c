"""The accounts of an environment in the platform, and the two Secrets in its namespace that hold them."""

import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from ..errors import Refused
from ..settings import Settings
from . import object_store, overlay, tracking
from .connection import Cluster
from .object_store import PLATFORM, Key

KEY_NAMES = overlay.KEYS[overlay.OBJECT_STORE]


def ensure(cluster: Cluster, settings: Settings, environment: str) -> None:
    """Let the environment use what it takes from the platform: make what is missing, and complete what an earlier try left half made.

    An object store or registry that is elsewhere is left alone. What the Secret holds is right, for the pods use it; nothing is printed.
    """
    place = overlay.read(settings, environment)
    if overlay.of_platform(place.object_store_endpoint):
        _ensure_key(cluster, settings, environment, place.artifact_uri)
    if overlay.of_platform(place.mlflow_uri):
        _ensure_registry_account(cluster, overlay.namespace(settings, environment))


def remove(cluster: Cluster, settings: Settings, environment: str) -> list[str]:
    """Take the environment's accounts away, so that nobody who has their passwords gets in; gives what stays, and why.

    What the accounts have made stays: bundles and records, versions and runs.
    """
    place, name = overlay.read(settings, environment), overlay.namespace(settings, environment)
    stays = []
    if overlay.of_platform(place.object_store_endpoint):
        stays += _unless_done("its key in the object store", lambda: object_store.forget(cluster, name))
    if overlay.of_platform(place.mlflow_uri):
        stays += _unless_done("its account in MLflow", lambda: _remove_registry_account(cluster, name))
    return stays


def _unless_done(what: str, do: Callable[[], None]) -> list[str]:
    try:
        do()
    except Refused as problem:
        return [f"{what} ({problem})"]
    return []


def _remove_registry_account(cluster: Cluster, name: str) -> None:
    with tracking.reached(cluster) as registry:
        registry.remove_account(name)


def _ensure_key(cluster: Cluster, settings: Settings, environment: str, artifact_uri: str) -> None:
    """A key for everything under the environment's own prefix, and for reading under that of the environment before."""
    name = overlay.namespace(settings, environment)
    bucket, prefix = split(artifact_uri)
    wanted = object_store.rights(f"{prefix}/{name}", _prefix_before(settings, environment))
    state, secret = object_store.look(cluster), cluster.secret(name, overlay.OBJECT_STORE)
    if secret is not None:
        key = Key(*(overlay.value(secret, each, overlay.OBJECT_STORE, name) for each in KEY_NAMES))
    else:
        known = state.identities[name].keys if name in state.identities else frozenset()
        key = next(iter(known), None) or Key.new()
    object_store.tell(cluster, object_store.commands(state, bucket, name, key, wanted))
    if secret is None:
        cluster.make_secret(name, overlay.OBJECT_STORE, dict(zip(KEY_NAMES, (key.id, key.secret), strict=True)))


def _prefix_before(settings: Settings, environment: str) -> str | None:
    """Where the environment before keeps its bundles in the same store; None when it keeps them elsewhere."""
    before = settings.environment(environment).rule.after
    if before is None or settings.overlay(before) is None:
        return None
    place = overlay.read(settings, before)
    if not overlay.of_platform(place.object_store_endpoint):
        return None
    return f"{split(place.artifact_uri)[1]}/{overlay.namespace(settings, before)}"


def _ensure_registry_account(cluster: Cluster, name: str) -> None:
    """An account that may change the experiment and the registered model of its own name, and read all others."""
    secret = cluster.secret(name, overlay.MLFLOW)
    values = secret or {"MLFLOW_TRACKING_USERNAME": name, "MLFLOW_TRACKING_PASSWORD": secrets.token_urlsafe(32)}
    with tracking.reached(cluster) as registry:
        registry.ensure_account(name, overlay.value(values, "MLFLOW_TRACKING_PASSWORD", overlay.MLFLOW, name))
        registry.ensure_model(name)
    if secret is None:
        cluster.make_secret(name, overlay.MLFLOW, values)


def split(artifact_uri: str) -> tuple[str, str]:
    """The bucket of `s3://bucket/path`, and the place in it, as the store's rights name it: `bucket/path`."""
    address = urlsplit(artifact_uri)
    if address.scheme != "s3" or not address.netloc:
        raise Refused(f"artifact_uri {artifact_uri!r}: the object store of {PLATFORM} is addressed by s3://<bucket>")
    return address.netloc, f"{address.netloc}{address.path}".rstrip("/")
