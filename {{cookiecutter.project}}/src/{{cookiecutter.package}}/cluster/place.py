"""An environment in a cluster, as the verbs that know no cluster see it."""

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kubernetes import client
from prometheus_client.parser import text_string_to_metric_families

from .. import advice, lineage
from ..errors import Refused
from ..overview import Served
from ..settings import Settings
from . import overlay
from .connection import Cluster, said
from .progress import ANNOTATION
from .rollout import DEPLOYMENT, SELECTOR, Rollout

METRICS_PORT = 8081


class Namespace:
    """One environment's namespace."""

    def __init__(self, settings: Settings, environment: str, cluster: Cluster, context: str = "") -> None:
        self.settings, self.environment, self.cluster = settings, environment, cluster
        self.context = context
        """What the user named the cluster by; empty: nothing."""
        self.name = overlay.namespace(settings, environment)

    @property
    def where(self) -> str:
        """What leads a verb here again."""
        return advice.where(self.settings, self.environment, self.context)

    def target(self) -> Rollout:
        """The Deployment, changed as the promoting account."""
        return Rollout(self.cluster, self.name, lineage.person(self.settings.root))

    def served(self) -> list[Served]:
        """What the Deployment is annotated with, and what each pod says."""
        with said(self.cluster, f"look at the pods in {self.name}"):
            deployment = client.AppsV1Api(self.cluster.api).read_namespaced_deployment(DEPLOYMENT, self.name)
            pods = client.CoreV1Api(self.cluster.api).list_namespaced_pod(self.name, label_selector=SELECTOR).items
        annotations = deployment.spec.template.metadata.annotations or {}
        found = [Served("annotation", annotations.get(f"{ANNOTATION}id"))]
        return found + [Served(f"pod {pod.metadata.name}", self._says(pod)) for pod in pods if _lives(pod)]

    def after_change(self) -> list[str]:
        """Nothing: the rollout has been waited for."""
        return []

    def remedy(self) -> str:
        """A promotion writes the annotations again, whoever changed them."""
        return f'make promote{self.where} BUNDLE=<the champion> REASON="…" brings it back'

    def _says(self, pod: Any) -> str | None:
        """The bundle that a pod names in its metrics; None when it has no model."""
        try:
            with (
                self.cluster.forward(self.name, f"pod/{pod.metadata.name}", METRICS_PORT) as port,
                urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer,
            ):
                text = answer.read().decode()
        except (OSError, Refused):
            return None
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == "model_info":
                    return sample.labels["bundle"]
        return None


@contextmanager
def reached(settings: Settings, environment: str, context: str) -> Iterator[Namespace]:
    """The environment with its registry and object store within reach, for as long as the block lasts."""
    place = found(settings, environment, context)
    with overlay.reached(settings, environment, place.cluster):
        yield place


def found(settings: Settings, environment: str, context: str) -> Namespace:
    """The environment in the cluster of that context."""
    return Namespace(settings, environment, connected(settings, environment, context), context)


def connected(settings: Settings, environment: str, context: str) -> Cluster:
    """The cluster of kubeconfig's current context, or of the one named; where approvals are demanded it must be named."""
    overlay.read(settings, environment)
    cluster = Cluster.connect(context or None)
    if settings.environment(environment).rule.approval == "file" and not context:
        raise Refused(
            f"environment {environment} demands approvals, so name the cluster that you mean by its context: CONTEXT=… "
            f"(the current one is {cluster.context})"
        )
    return cluster


def _lives(pod: Any) -> bool:
    return pod.metadata.deletion_timestamp is None and pod.status.phase == "Running"
