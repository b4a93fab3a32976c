"""`make clean-cluster`: remove what `make deploy` made of an environment; its bundles, records and versions stay."""

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from ..errors import Refused
from .connection import said
from .place import Namespace
from .progress import Progress
from .waiting import wait

SECONDS = 180


def clean(place: Namespace, confirm: str) -> str:
    """Delete the namespace, whose name must be repeated."""
    if confirm != place.name:
        raise Refused(
            f"this deletes the namespace {place.name} with its servers, API keys and accounts: CONFIRM={place.name}"
        )
    core = client.CoreV1Api(place.cluster.api)
    with said(place.cluster, f"delete the namespace {place.name}"):
        try:
            core.delete_namespace(place.name)
        except ApiException as error:
            if error.status == 404:
                return f"there is no namespace {place.name}"
            raise
    wait(place.cluster, place.name, f"namespace {place.name}", lambda: _gone(core, place.name), SECONDS)
    return f"bundles, records and versions stay: make deploy ENV={place.environment}, then make promote with BUNDLE="


def _gone(core: client.CoreV1Api, name: str) -> Progress:
    try:
        core.read_namespace(name)
    except ApiException as error:
        if error.status == 404:
            return Progress("is gone", done=True)
        raise
    return Progress("is being deleted")
