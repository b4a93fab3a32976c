"""Where an environment is: k8s/overlays/<environment>/environment.yaml, and the way from this machine to what it names."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from pydantic import ConfigDict, Field

from .. import advice, variables
from ..errors import Refused
from ..settings import Settings
from ..strict import Strict, parse, read_yaml
from .connection import Cluster
from .object_store import PLATFORM

OBJECT_STORE, MLFLOW = "object-store", "mlflow"
"""The environment's own Secrets with the accounts of the two, where the platform of this cluster has them."""
KEYS = {
    OBJECT_STORE: ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    MLFLOW: ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"),
}
"""What each Secret holds: the variables by which an account is given."""

_SERVICE = re.compile(r"(https?)://([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?:(\d+)(.*)")


class Place(Strict):
    """What environment.yaml says that this code needs; manifests may need more."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    environment: str = Field(min_length=1)
    artifact_uri: str
    mlflow_uri: str
    region: str = ""
    registry: str = ""
    object_store_endpoint: str = ""


def read(settings: Settings, environment: str) -> Place:
    """Read environment.yaml; Refused names what is missing in it."""
    known = settings.environment(environment)  # refused by name when there is no such environment
    if (folder := settings.overlay(environment)) is None:
        raise _in_no_cluster(settings, environment)
    file = str((folder / "environment.yaml").relative_to(settings.root))
    place = parse(Place, (read_yaml(settings.root / file, file) or {}).get("data"), f"{file}: data")
    if place.environment != known.name:
        raise Refused(f"{file}: data.environment: {place.environment}: must be {known.name}, as its folder is called")
    for key in ("artifact_uri", "mlflow_uri"):
        if not getattr(place, key):
            raise Refused(
                f"{file}: data.{key}: is empty; write the address there: `make overlay-values` does it from Terraform's"
            )
    return place


def _in_no_cluster(settings: Settings, environment: str) -> Refused:
    said = f"environment {environment} is in no cluster: k8s/overlays has no folder of that name"
    known = [name for name in settings.gates.environments if settings.overlay(name) is not None]
    if not known:
        return Refused(said)
    return Refused(f"{said}; say which: ENV={' or '.join(filter(None, (', '.join(known[:-1]), known[-1])))}")


def namespace(settings: Settings, environment: str) -> str:
    """The namespace of an environment; its registered model and its prefix in the object store are called the same."""
    return settings.environment(environment).model_name


def of_platform(address: str) -> bool:
    """Whether a service is one of the platform in this cluster."""
    return f".{PLATFORM}.svc" in address


def value(secret: Mapping[str, str], key: str, name: str, where: str) -> str:
    """What a Secret holds under a key; Refused when it does not."""
    try:
        return secret[key]
    except KeyError:
        raise Refused(f"the Secret {name} in {where} has no {key}: delete it, and it is made again") from None


@contextmanager
def reached(
    settings: Settings, environment: str, cluster: Cluster, tries: int = 2, seconds: int = 30
) -> Iterator[None]:
    """Let the registry and the object store of an environment be used from here: addresses and accounts as variables of this process.

    What lies in the cluster is reached by port-forward. Accounts are the environment's own, read for the call, never written.
    The registry is asked so many times, and each time waited for so long: a person waits, and MLflow's own eight tries take minutes.
    """
    place = read(settings, environment)
    # First: without them the clients would look for accounts of this machine, and ask a cloud's metadata service.
    accounts = _account(settings, environment, cluster, OBJECT_STORE, place.object_store_endpoint)
    accounts |= _account(settings, environment, cluster, MLFLOW, place.mlflow_uri)
    with ExitStack() as stack:
        values = {
            "ARTIFACT_URI": place.artifact_uri,
            "MLFLOW_TRACKING_URI": stack.enter_context(_way(cluster, place.mlflow_uri)),
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(tries - 1),
            "MLFLOW_HTTP_REQUEST_TIMEOUT": str(seconds),
            # Through a port-forward, downloads in parts never end.
            "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
        }
        before = settings.environment(environment).rule.after
        if before is not None and settings.overlay(before) is not None:
            values[f"ARTIFACT_URI_{before.upper()}"] = read(settings, before).artifact_uri
        if place.region:
            values["AWS_REGION"] = place.region
        if place.object_store_endpoint:
            values["AWS_ENDPOINT_URL"] = stack.enter_context(_way(cluster, place.object_store_endpoint))
        stack.enter_context(variables.given(values | accounts))
        yield


def _account(settings: Settings, environment: str, cluster: Cluster, name: str, address: str) -> dict[str, str]:
    """The account that a Secret holds. Where the platform has the service there must be one; elsewhere it may be missing."""
    where = namespace(settings, environment)
    found = cluster.secret(where, name)
    if not of_platform(address):
        return found or {}
    if found is None:
        deploy = f"make deploy{advice.where(settings, environment)}"
        raise Refused(f"{where} has no Secret {name}: {deploy} first")
    return found | {key: value(found, key, name, where) for key in KEYS[name]}


@contextmanager
def _way(cluster: Cluster, address: str) -> Iterator[str]:
    """The address itself, or where a port-forward to the Service that it names begins."""
    if (service := _SERVICE.fullmatch(address)) is None:
        yield address
        return
    scheme, name, where, port, rest = service.groups()
    with cluster.forward(where, name, int(port)) as local:
        yield f"{scheme}://127.0.0.1:{local}{rest}"
