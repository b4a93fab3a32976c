"""An environment in a cluster, as the verbs that know no cluster see it."""

import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from prometheus_client.parser import text_string_to_metric_families

from .. import advice, lineage
from ..advice import option
from ..errors import Refused
from ..overview import Served
from ..settings import Settings
from . import overlay
from .connection import Cluster, said
from .progress import ANNOTATION, trouble
from .rollout import DEPLOYMENT, SELECTOR, Rollout
from .waiting import plain

METRICS_PORT = 8081
ANNOTATED = "annotation"


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

    def require(self, there: bool = True) -> None:
        """Refused while the namespace is being deleted, and, unless it may still have to be made, where it is not there."""
        phase = self._phase()
        if phase is None and there:
            raise Refused(f"there is no namespace {self.name}: make deploy{self.where} first")
        if phase == "Terminating":
            raise Refused(
                f"the namespace {self.name} is being deleted: wait until it is gone, or run "
                f"make clean-cluster{self.where} CONFIRM={self.name} again, which waits for it"
            )

    def target(self) -> Rollout:
        """The Deployment, changed as the promoting account."""
        self.require()
        return Rollout(self.cluster, self.name, lineage.person(self.settings.root))

    def served(self) -> list[Served]:
        """What the Deployment is annotated with, and what each pod says."""
        with said(self.cluster, f"look at the pods in {self.name}"):
            deployment = client.AppsV1Api(self.cluster.api).read_namespaced_deployment(DEPLOYMENT, self.name)
            pods = client.CoreV1Api(self.cluster.api).list_namespaced_pod(self.name, label_selector=SELECTOR).items
        annotations = deployment.spec.template.metadata.annotations or {}
        found = [Served(ANNOTATED, annotations.get(f"{ANNOTATION}id"))]
        return found + [served for pod in pods if (served := self._of(pod)) is not None]

    def after_change(self) -> list[str]:
        """Nothing: the rollout has been waited for."""
        return []

    def remedy(self, champion: str | None, served: Sequence[Served]) -> str:
        """A promotion writes the annotations again, whoever changed them; where these are right, it is not they that need mending."""
        named = next((each.bundle_id for each in served if each.server == ANNOTATED), None)
        if named == champion and any(each.trouble for each in served):
            return f"{self._others(champion, served)}correct it, then make image{option(self.environment)}, make deploy{self.where}"
        bundle_id = champion or next((each.bundle_id for each in served if each.bundle_id), None)
        promoted = f'make promote{self.where} BUNDLE={bundle_id[:12] if bundle_id else "<id>"} REASON="…"'
        return f"{promoted} {'brings it back' if champion else 'makes it the champion'}"

    def _others(self, champion: str | None, served: Sequence[Served]) -> str:
        goes_on = any(each.server != ANNOTATED and each.bundle_id == champion and not each.trouble for each in served)
        return "the other servers go on; " if goes_on else ""

    def _phase(self) -> str | None:
        """What the namespace is in; None where there is none, and nothing where one may not look: the next request is told."""
        with said(self.cluster, f"look at the namespace {self.name}"):
            try:
                found = client.CoreV1Api(self.cluster.api).read_namespace(self.name)
            except ApiException as error:
                if error.status not in {403, 404}:
                    raise
                return None if error.status == 404 else ""
        return str(found.status.phase) if found.status else ""

    def _of(self, pod: Any) -> Served | None:
        """What a pod serves, or why it does not; None of one that has ended, stops, or still starts."""
        name = f"pod {pod.metadata.name}"
        if pod.metadata.deletion_timestamp is not None:
            return None
        if (found := trouble([plain(self.cluster, pod)])) is not None:
            return Served(name, None, found.said)
        return Served(name, self._says(pod)) if pod.status.phase == "Running" else None

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
    place, what = found(settings, environment, context), overlay.read(settings, environment)
    if overlay.of_platform(what.object_store_endpoint) or overlay.of_platform(what.mlflow_uri):
        place.require()  # its accounts are there
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
