"""`make clean-cluster`: remove what `make deploy` made of an environment; its bundles, records and versions stay."""

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from ..errors import Refused, interruptible
from . import accounts
from .connection import said
from .place import Namespace
from .progress import Progress
from .waiting import wait

SECONDS = 180


@interruptible("run it again")
def clean(place: Namespace, confirm: str) -> str:
    """Delete the namespace, whose name must be repeated, and its accounts in the platform; gives the line to print.

    Refused names the accounts that stay: whoever has their passwords gets in.
    """
    if confirm != place.name:
        raise Refused(
            f"this deletes the namespace {place.name} with its servers, API keys and accounts: CONFIRM={place.name}"
        )
    there = _delete(place)
    # Last: until the namespace is gone, its pods use them.
    if stays := accounts.remove(place.cluster, place.settings, place.environment):
        raise Refused(
            f"the namespace {place.name} is gone, but {' and '.join(stays)} could not be removed: "
            f"make clean-cluster{place.where} CONFIRM={place.name} removes what is left once the platform answers"
        )
    if not there:
        return f"there is no namespace {place.name}"
    return f"bundles, records and versions stay: make deploy{place.where} says how to serve the champion again"


def _delete(place: Namespace) -> bool:
    """Delete the namespace and wait until it is gone; False when there is none."""
    core = client.CoreV1Api(place.cluster.api)
    with said(place.cluster, f"delete the namespace {place.name}"):
        try:
            core.delete_namespace(place.name)
        except ApiException as error:
            if error.status == 404:
                return False
            if error.status != 409:  # it is being deleted already
                raise
    wait(place.cluster, place.name, f"namespace {place.name}", lambda: _gone(core, place.name), SECONDS)
    return True


def _gone(core: client.CoreV1Api, name: str) -> Progress:
    try:
        core.read_namespace(name)
    except ApiException as error:
        if error.status == 404:
            return Progress("is gone", done=True)
        raise
    return Progress("is being deleted")
