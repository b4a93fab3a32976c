"""`make api-key`: who may ask an environment's servers. A key is shown once; the cluster keeps its hash."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from ..errors import Refused
from .connection import said
from .deploying import API_KEYS
from .place import Namespace
from .rollout import SELECTOR
from .waiting import NO_ANSWER

Change = Callable[[list[str]], list[str]]
CHANGED = "mlops-template.io/api-keys-changed"
_NAME = re.compile("[A-Za-z0-9._-]{1,64}")


def give(place: Namespace, name: str) -> tuple[str, str]:
    """Make a key for somebody; gives it, and in words how soon it is valid. Refused when the name has one."""
    key = secrets.token_urlsafe(32)
    _change(place, lambda lines: added(lines, name, hashlib.sha256(key.encode()).hexdigest()))
    return key, _hurry(place)


def revoke(place: Namespace, name: str) -> str:
    """Make somebody's key invalid; gives in words how soon it is. Refused when there is none of that name."""
    _change(place, lambda lines: removed(lines, name))
    return _hurry(place)


def lines(place: Namespace) -> list[str]:
    """Name and hash of every key that is valid."""
    return ((place.cluster.secret(place.name, API_KEYS) or {}).get("keys", "")).splitlines()


def merge(place: Namespace, others: list[str]) -> None:
    """Make the keys of a backup valid again; a name that has a key keeps that one."""
    _change(place, lambda known: merged(known, others))
    _hurry(place)


def merged(known: list[str], others: list[str]) -> list[str]:
    """The key file with the lines of the names that it does not know."""
    names = {line.partition(":")[0] for line in known}
    return [*known, *(line for line in others if line.partition(":")[0] not in names)]


def added(lines: list[str], name: str, hashed: str) -> list[str]:
    """The key file with one more line."""
    if not _NAME.fullmatch(name):
        raise Refused(f"NAME={name}: must be 1 to 64 letters, digits, dots, underscores or hyphens")
    if any(line.startswith(f"{name}:") for line in lines):
        raise Refused(f"NAME={name}: has a key already; revoke that first (REVOKE=1), or take another name")
    return [*lines, f"{name}:{hashed}"]


def removed(lines: list[str], name: str) -> list[str]:
    """The key file without the line of this name."""
    left = [line for line in lines if not line.startswith(f"{name}:")]
    if left == lines:
        known = ", ".join(line.partition(":")[0] for line in lines) or "nobody has one"
        raise Refused(f"NAME={name}: has no key; known are: {known}")
    return left


def _hurry(place: Namespace) -> str:
    """Have the pods' new file written now, and say how soon it is there: a kubelet looks at a Secret when a pod changes, else every minute or so.

    https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/#mounted-configmaps-are-updated-automatically
    The keys are changed already: who may not change pods waits.
    """
    core = client.CoreV1Api(place.cluster.api)
    change = {"metadata": {"annotations": {CHANGED: datetime.now(UTC).isoformat()}}}
    try:
        for pod in core.list_namespaced_pod(place.name, label_selector=SELECTOR).items:
            core.patch_namespaced_pod(pod.metadata.name, place.name, change)
    except NO_ANSWER:
        return "within two minutes"
    return "within seconds, two minutes at most"


def _change(place: Namespace, change: Change) -> None:
    """Replace the Secret, unless somebody else did meanwhile."""
    core = client.CoreV1Api(place.cluster.api)
    with said(place.cluster, f"change the Secret {API_KEYS} in {place.name}"):
        try:
            found = core.read_namespaced_secret(API_KEYS, place.name)
            lines = base64.b64decode(found.data.get("keys", "")).decode().splitlines()
            content = "".join(f"{line}\n" for line in change(lines))
            found.data["keys"] = base64.b64encode(content.encode()).decode()
            core.replace_namespaced_secret(API_KEYS, place.name, found)
        except ApiException as error:
            if error.status == 404:
                raise Refused(f"{place.name} has no Secret {API_KEYS}: make deploy{place.where} first") from None
            if error.status == 409:
                raise Refused("somebody else changed the keys at the same moment: try again") from None
            raise
