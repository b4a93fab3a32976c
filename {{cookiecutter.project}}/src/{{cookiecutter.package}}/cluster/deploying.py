"""`make deploy`: the manifests of an environment and the secrets they need; never the model."""

import hashlib
import io
import secrets
from pathlib import Path
from typing import Any

from kubernetes import client
from ruamel.yaml import YAML

from .. import advice
from ..errors import Refused, interruptible
from ..registry import Registry, Version
from ..settings import Settings
from . import accounts, origin, overlay
from .connection import Cluster, said
from .place import Namespace
from .progress import ANNOTATION, Progress, stuck, unscheduled
from .rollout import DEPLOYMENT, SELECTOR, require_servers, wait_for
from .waiting import plain, wait

API_KEYS, SMOKE_KEY, PREDICTION_LOG = "api-keys", "smoke-key", "prediction-log"
UNBUILT = "0" * 64
START_SECONDS = 180
REGISTRY_SECONDS = 5
METRICS_API = "/apis/metrics.k8s.io/v1beta1"
UNKNOWN_KIND = ("no matches for kind", "could not find the requested resource")
"""What kubectl says, or the API server where kubectl remembers a kind that is gone."""


@interruptible("run it again")
def deploy(place: Namespace) -> str:
    """Apply the overlay and wait; gives the last line to print. Nothing but a namespace and its secrets is there if it is refused."""
    folder = place.settings.overlay(place.environment)
    images(place.settings, place.environment)
    rendered = place.cluster.kubectl("kustomize", str(folder))
    _require_images(rendered, place)
    if note := origin.outdated(place.settings, place.environment):
        print(note)
    place.require(there=False)
    place.cluster.kubectl("apply", "--filename", "-", given=namespace_only(rendered))
    make_secrets(place)
    apply(place.cluster, rendered)
    if not _answers(place.cluster, METRICS_API):
        print("note: this cluster has no metrics API: nothing scales by load (install metrics-server)")
    return _wait(place)


def images(settings: Settings, environment: str) -> Path:
    """The part of an overlay's folder that names its images; Refused as long as none were built."""
    folder = settings.overlay(environment)
    if folder is None or not (folder / "images" / "kustomization.yaml").exists():
        raise Refused(f"no images are known for {environment}: {origin.first(settings, environment)}")
    return folder / "images"


def apply(cluster: Cluster, rendered: str) -> None:
    """Apply all or nothing, as far as the API can tell beforehand."""
    for words in (("--dry-run=server",), ()):
        try:
            said = cluster.kubectl("apply", *words, "--filename", "-", given=rendered, timeout=120)
        except Refused as problem:
            if any(words in str(problem) for words in UNKNOWN_KIND):
                raise Refused(f"{problem}: this cluster does not know that kind: make platform first") from None
            raise
    for line in said.splitlines():
        if not line.endswith(" unchanged"):
            print(line)


def make_secrets(place: Namespace) -> None:
    """Make the namespace's missing secrets with random values; none is printed, none written to a file."""
    key = secrets.token_urlsafe(32)
    if place.cluster.make_secret(place.name, SMOKE_KEY, {"key": key}):
        hashed = hashlib.sha256(key.encode()).hexdigest()
        place.cluster.make_secret(place.name, API_KEYS, {"keys": f"smoke:{hashed}\n"})
    place.cluster.make_secret(place.name, PREDICTION_LOG, {"secret": secrets.token_urlsafe(32)})
    accounts.ensure(place.cluster, place.settings, place.environment)


def _require_images(rendered: str, place: Namespace) -> None:
    if UNBUILT in rendered:
        raise Refused(
            f"the images of {place.environment} were not built yet: {origin.first(place.settings, place.environment)}"
        )


def objects(rendered: str) -> list[dict[str, Any]]:
    """What is rendered, object by object."""
    yaml = YAML(typ="safe", pure=True)
    # A lone `=` was something of its own in YAML 1.1; kustomize writes it without quotes.
    yaml.constructor.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)
    return [each for each in yaml.load_all(rendered) if each]


def namespace_only(rendered: str) -> str:
    """The Namespace alone: secrets must be there before the pods that mount them."""
    out = io.StringIO()
    YAML(typ="safe", pure=True).dump_all([each for each in objects(rendered) if each["kind"] == "Namespace"], out)
    return out.getvalue()


def _answers(cluster: Cluster, path: str) -> bool:
    try:
        cluster.kubectl("get", "--raw", path)
    except Refused:
        return False
    return True


def _wait(place: Namespace) -> str:
    with said(place.cluster, f"look at the Deployment {DEPLOYMENT} in {place.name}"):
        deployment = client.AppsV1Api(place.cluster.api).read_namespaced_deployment(DEPLOYMENT, place.name)
    try:
        require_servers(place.cluster, place.name, deployment)
    except Refused as problem:
        raise Refused(f"the manifests are applied, but {problem}") from None
    bundle_id = (deployment.spec.template.metadata.annotations or {}).get(f"{ANNOTATION}id")
    try:
        if bundle_id:
            wait_for(place.cluster, place.name, bundle_id)
            return f"{place.environment} serves bundle {bundle_id[:12]} as before: a deployment never changes the model"
        wait(place.cluster, place.name, "start", lambda: _started(place), START_SECONDS)
    except Refused as problem:
        raise Refused(f"{problem}\n  {_what_now(place)}") from None
    return waiting(place, _champion(place))


def _what_now(place: Namespace) -> str:
    """Who serves after a deployment that did not come to its end, and what brings it there."""
    with said(place.cluster, f"look at the Deployment {DEPLOYMENT} in {place.name}"):
        status = client.AppsV1Api(place.cluster.api).read_namespaced_deployment(DEPLOYMENT, place.name).status
    others = "the servers of before go on; " if status.available_replicas else ""
    image = f"(config/ and src/ are in the image: make image{advice.option(place.environment)})"
    return f"{others}correct what is wrong {image}, then make deploy{place.where}"


def waiting(place: Namespace, champion: Version | None) -> str:
    """What brings a model to servers that have none."""
    if champion is None:
        what = advice.first_model(place.settings, place.environment, place.context)
    else:
        bundle = f'BUNDLE={champion.bundle_id[:12]} REASON="…"'
        what = f"make promote{place.where} {bundle} brings back version {champion.number}, its champion"
    return f"{place.environment} is waiting for a model: {what}"


def _champion(place: Namespace) -> Version | None:
    """The registry's champion of the environment; None also where it cannot be asked: all is deployed, and this is for a hint."""
    try:
        with overlay.reached(place.settings, place.environment, place.cluster, tries=1, seconds=REGISTRY_SECONDS):
            return Registry(place.settings.environment(place.environment)).champion()
    except Exception:
        return None


def _started(place: Namespace) -> Progress:
    """Without a model the servers live, and are not ready: that is all there is to wait for."""
    core = client.CoreV1Api(place.cluster.api)
    pods = plain(place.cluster, core.list_namespaced_pod(place.name, label_selector=SELECTOR))["items"]
    if (failed := stuck(pods)) is not None:
        return failed
    started = sum(_is_started(pod) for pod in pods)
    words = f"{started} of {len(pods)} servers live{unscheduled(pods)}"
    return Progress(words, done=bool(pods) and started == len(pods))


def _is_started(pod: dict[str, Any]) -> bool:
    containers = pod.get("status", {}).get("containerStatuses") or ()
    return any(container.get("started") for container in containers)
