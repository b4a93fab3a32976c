"""What a cluster serves: the promoted model stands in the pod template's annotations, and a rollout brings it to the pods.

Written by server-side apply with a field manager of its own, so that a manifest's apply never resets the model, and a
promotion never touches the manifest. Never `rollout undo`: it reverts the last change of any kind, the image included.
"""

import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kubernetes import client

from ..errors import Refused
from ..registry import Version
from . import lease
from .connection import Cluster, said
from .progress import ANNOTATION, Progress, progress
from .waiting import NO_ANSWER, plain, wait

DEPLOYMENT, ACCOUNT, MANAGER = "serving", "promoter", "promote"
SELECTOR = "app.kubernetes.io/name=serving"
ROLLOUT_SECONDS = 300
"""Beyond the Deployment's own progressDeadlineSeconds, which is what usually ends a rollout that does not come to an end."""


class Rollout:
    """The Deployment of one environment, changed as the namespace's account `promoter`, so that its policy binds people too."""

    def __init__(self, cluster: Cluster, namespace: str, person: str) -> None:
        self._cluster = cluster.acting_as(namespace, ACCOUNT)
        self._namespace = namespace
        self._lease = lease.Lease(self._cluster, namespace, f"{person} on {socket.gethostname()}")
        with said(self._cluster, f"read the Deployment {DEPLOYMENT} in {namespace}"):
            deployment = client.AppsV1Api(self._cluster.api).read_namespaced_deployment(DEPLOYMENT, namespace)
        require_servers(cluster, namespace, deployment)

    @contextmanager
    def exclusive(self) -> Iterator[str]:
        """Hold the environment against all other hosts; gives the name of what is held."""
        with self._lease.held():
            yield f"{self._namespace}:{lease.NAME}"

    def apply(self, version: Version | None) -> None:
        """Serve this version (None: no model, and nothing to wait for); Refused says which pod is in trouble, and why."""
        self._lease.check()
        with said(self._cluster, f"change the model of the Deployment {DEPLOYMENT} in {self._namespace}"):
            apply(self._cluster, self._namespace, template(version))
        if version is not None:
            wait_for(self._cluster, self._namespace, version.bundle_id)


def require_servers(cluster: Cluster, namespace: str, deployment: Any) -> None:
    """Refused where somebody scaled the Deployment to 0: nothing can be served, and nothing scales it up again."""
    if deployment.spec.replicas == 0:
        where = f"--context {shlex.quote(cluster.context)} --namespace {namespace}"
        raise Refused(
            f"{DEPLOYMENT} is scaled to 0, where no autoscaler acts: "
            f"kubectl {where} scale deployment {DEPLOYMENT} --replicas {_least(cluster, namespace)}"
        )


def _least(cluster: Cluster, namespace: str) -> int:
    """How many servers the autoscaler leaves; one where there is none, or none that may be read."""
    try:
        found = client.AutoscalingV2Api(cluster.api).read_namespaced_horizontal_pod_autoscaler(DEPLOYMENT, namespace)
    except NO_ANSWER:
        return 1
    return found.spec.min_replicas or 1


def wait_for(cluster: Cluster, namespace: str, bundle_id: str) -> None:
    """Wait until all pods of a namespace serve a bundle and no other is left; Refused says which pod is in trouble, and why."""
    wait(cluster, namespace, "rollout", lambda: serving(cluster, namespace, bundle_id), ROLLOUT_SECONDS)


def serving(cluster: Cluster, namespace: str, bundle_id: str) -> Progress:
    """How far the pods of a namespace are on their way to a bundle."""
    deployment = client.AppsV1Api(cluster.api).read_namespaced_deployment(DEPLOYMENT, namespace)
    pods = client.CoreV1Api(cluster.api).list_namespaced_pod(namespace, label_selector=SELECTOR)
    return progress(plain(cluster, deployment), plain(cluster, pods)["items"], bundle_id)


def apply(cluster: Cluster, namespace: str, body: dict[str, Any]) -> None:
    """Apply a part of the Deployment on the server's side; the client has no method for this kind of patch."""
    cluster.api.call_api(
        "/apis/apps/v1/namespaces/{namespace}/deployments/{name}",
        "PATCH",
        {"namespace": namespace, "name": DEPLOYMENT},
        # By force: whoever annotated by hand, or went back with `kubectl rollout undo`, owns the fields now.
        [("fieldManager", MANAGER), ("force", "true")],
        {"Content-Type": "application/apply-patch+yaml", "Accept": "application/json"},
        body=body,
        auth_settings=["BearerToken"],
    )


def template(version: Version | None) -> dict[str, Any]:
    """The part of the Deployment that is the promotion's: nothing but the three annotations, and the cause that history shows."""
    annotations, cause = {}, "no model"
    if version is not None:
        annotations = {
            f"{ANNOTATION}uri": version.uri,
            f"{ANNOTATION}id": version.bundle_id,
            f"{ANNOTATION}version": version.number,
        }
        cause = f"model version {version.number}, bundle {version.bundle_id[:12]}"
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": DEPLOYMENT, "annotations": {"kubernetes.io/change-cause": cause}},
        "spec": {"template": {"metadata": {"annotations": annotations}}},
    }
