"""`make platform`: what all environments of a cluster share. Secrets are made where they are missing; a second run changes nothing."""

import json
import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kubernetes import client

from ..errors import Refused
from ..settings import Settings
from . import deploying, object_store, operator, tracking
from .connection import Cluster, said
from .object_store import PLATFORM, Key
from .progress import Progress, Trouble, trouble
from .waiting import plain, wait

FOLDER = Path("k8s/platform")
START_SECONDS = 300
KEPT = {"postgres": "postgres", "mlflow": "postgres"}
"""Secrets whose values are in a volume too: whoever loses one cannot make it again."""
READER = "reader"
"""MLflow's account for people who look: it can change nothing."""

Object = dict[str, Any]


def install(cluster: Cluster, settings: Settings, environment: str, folder: Path = FOLDER) -> str:
    """Apply the folder with the images that were built for the environment, and wait; gives the last line to print."""
    rendered = render(cluster, settings, environment, folder)
    objects = deploying.objects(rendered)
    claims, made = _names(cluster, "claims"), _names(cluster, "secrets")
    if refused := storage(objects, claims, _default_class(cluster)) or lost(made, claims):
        raise Refused(refused)
    cluster.kubectl("apply", "--filename", "-", given=deploying.namespace_only(rendered))
    for name, values in new_secrets().items():
        if cluster.make_secret(PLATFORM, name, values):
            print(f"made the Secret {name} in {PLATFORM}")
    if any(each["apiVersion"].startswith(operator.GROUP) for each in objects):
        operator.install(cluster, settings)
    deploying.apply(cluster, rendered)
    names = workloads(objects)
    wait(cluster, PLATFORM, "platform", lambda: _progress(cluster, names), START_SECONDS)
    _ensure_accounts(cluster)
    return f"the platform is ready in {PLATFORM}: {', '.join(names)}"


def render(cluster: Cluster, settings: Settings, environment: str, folder: Path) -> str:
    """The platform's objects as YAML, MLflow's image as `make image` recorded it."""
    platform = settings.root / folder
    if not (platform / "kustomization.yaml").exists():
        raise Refused(f"{folder}: has no kustomization.yaml; the template's is {FOLDER}")
    images = deploying.images(settings, environment)
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.artifacts) as work:
        here = {"resources": [os.path.relpath(platform, work)], "components": [os.path.relpath(images, work)]}
        kind = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
        # JSON is YAML.
        (Path(work) / "kustomization.yaml").write_text(json.dumps(kind | here))
        rendered = cluster.kubectl("kustomize", work)
    if "image: mlflow\n" in rendered or deploying.UNBUILT in rendered:
        raise Refused(f"the image of MLflow was not built yet: make image ENV={environment} first")
    return rendered


def new_secrets() -> dict[str, dict[str, str]]:
    """The platform's Secrets with new random values. What must agree is in one of them, and so made at once."""
    key = Key.new()
    account = {
        "name": "mlflow",
        "credentials": [{"accessKey": key.id, "secretKey": key.secret}],
        "actions": [f"{action}:mlflow" for action in ("Read", "Write", "List")],
    }
    return {
        "postgres": {"password": _random(), "mlflow-password": _random()},
        "object-store": {
            "AWS_ACCESS_KEY_ID": key.id,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "identities.json": json.dumps({"identities": [account]}),
        },
        "mlflow": {"admin-password": _random(), "session-key": _random()},
        "mlflow-reader": {"MLFLOW_TRACKING_USERNAME": READER, "MLFLOW_TRACKING_PASSWORD": _random()},
    }


def storage(objects: Sequence[Object], claims: Iterable[str], default_class: str | None) -> str:
    """Why the volumes cannot be had; empty when they can."""
    if default_class is not None:
        return ""
    for each in objects:
        name = each["metadata"]["name"]
        if each["kind"] == "PersistentVolumeClaim" and "storageClassName" not in each["spec"] and name not in claims:
            return (
                f"the volume {name} needs a StorageClass, and this cluster has no default one: mark one "
                'by the annotation storageclass.kubernetes.io/is-default-class: "true"'
            )
    return ""


def lost(made: Iterable[str], claims: Iterable[str]) -> str:
    """Why a missing Secret must not be made anew; empty when it may."""
    for name, claim in KEPT.items():
        if claim in claims and name not in made:
            return (
                f"the Secret {name} in {PLATFORM} is gone, and the database in the volume {claim} still has its passwords: "
                f"put it back, or give up all that is registered: kubectl --namespace {PLATFORM} delete pvc {claim}"
            )
    return ""


def workloads(objects: Iterable[Object]) -> list[str]:
    """The names of what must run: Deployments and StatefulSets, those included that the Prometheus operator makes."""
    made = {"Deployment": "", "StatefulSet": "", "Alertmanager": "alertmanager-", "Prometheus": "prometheus-"}
    return [made[each["kind"]] + each["metadata"]["name"] for each in objects if each["kind"] in made]


def progress(names: Sequence[str], found: Sequence[Object], pods: Sequence[Object]) -> Progress:
    """How many of the named workloads run in their newest form, and which are waited for."""
    own = [pod for pod in pods if pod["metadata"]["name"].startswith(tuple(f"{name}-" for name in names))]
    if (seen := trouble(own)) is not None:
        where = f"pod {seen.pod}, container {seen.container}: {seen.reason}"
        return Progress(where, failed=where, trouble=seen)
    settled = {each["metadata"]["name"] for each in found if _settled(each)}
    if missing := [name for name in names if name not in settled]:
        return Progress(f"waiting for {', '.join(missing)}", trouble=_first(missing, own))
    return Progress("all ready", done=True)


def _settled(workload: Mapping[str, Any]) -> bool:
    status, wanted = workload.get("status") or {}, workload["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= workload["metadata"].get("generation", 1)
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas")]
    return bool(seen and counts == [wanted] * 3)


def _first(names: Sequence[str], pods: Sequence[Object]) -> Trouble | None:
    """A pod to look at when time is up."""
    for pod in pods:
        if pod["metadata"]["name"].startswith(tuple(f"{name}-" for name in names)):
            return Trouble(pod["metadata"]["name"], pod["spec"]["containers"][0]["name"], "not ready", restarted=False)
    return None


def _progress(cluster: Cluster, names: Sequence[str]) -> Progress:
    apps, core = client.AppsV1Api(cluster.api), client.CoreV1Api(cluster.api)
    listed = (apps.list_namespaced_deployment(PLATFORM), apps.list_namespaced_stateful_set(PLATFORM))
    found = [each for some in listed for each in plain(cluster, some)["items"]]
    return progress(names, found, plain(cluster, core.list_namespaced_pod(PLATFORM))["items"])


def _ensure_accounts(cluster: Cluster) -> None:
    state = object_store.look(cluster)
    if "mlflow" not in state.buckets:
        object_store.tell(cluster, ["s3.bucket.create -name mlflow"])
    reader = cluster.secret(PLATFORM, "mlflow-reader") or {}
    with tracking.reached(cluster) as registry:
        registry.ensure_account(READER, reader["MLFLOW_TRACKING_PASSWORD"])


def _names(cluster: Cluster, what: str) -> set[str]:
    core = client.CoreV1Api(cluster.api)
    listing = core.list_namespaced_secret if what == "secrets" else core.list_namespaced_persistent_volume_claim
    with said(cluster, f"list the {what} in {PLATFORM}"):
        return {each.metadata.name for each in listing(PLATFORM).items}


def _default_class(cluster: Cluster) -> str | None:
    with said(cluster, "list the storage classes"):
        for each in client.StorageV1Api(cluster.api).list_storage_class().items:
            if (each.metadata.annotations or {}).get("storageclass.kubernetes.io/is-default-class") == "true":
                return str(each.metadata.name)
    return None


def _random() -> str:
    return secrets.token_urlsafe(32)
