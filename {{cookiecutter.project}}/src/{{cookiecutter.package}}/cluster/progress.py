"""How far a rollout is, and which pod is in trouble: decided from what the API says, as plain dictionaries in its own words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

ANNOTATION = "mlops-template.io/model-"
RESTARTS = 2
"""A container that is not ready after so many restarts will not become so: each start reads the same files."""
HOPELESS = (
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImageNeverPull",
    "ImagePullBackOff",
    "InvalidImageName",
)


@dataclass(frozen=True)
class Trouble:
    """A container that does not start."""

    pod: str
    container: str
    reason: str
    restarted: bool
    """Its log is that of the run before."""

    @property
    def said(self) -> str:
        """What goes on after the pod's name."""
        return f"container {self.container}: {self.reason}"


@dataclass(frozen=True)
class Progress:
    """How far it is, in words; done, or why it will never be."""

    said: str
    done: bool = False
    failed: str = ""
    trouble: Trouble | None = None


def model_id(pod: dict[str, Any]) -> str:
    """The bundle that a pod was made for; empty where there is no model."""
    return str((pod["metadata"].get("annotations") or {}).get(f"{ANNOTATION}id", ""))


def progress(deployment: dict[str, Any], pods: Sequence[dict[str, Any]], bundle_id: str) -> Progress:
    """How far the pods of a Deployment are on their way to this bundle, the pods that still stop included."""
    spec, status = deployment["spec"], deployment.get("status", {})
    wanted, ready = spec["replicas"], status.get("availableReplicas", 0)
    if not wanted:
        none = "the Deployment is scaled to 0, so no pod serves it"
        return Progress(none, failed=none)
    new = [pod for pod in pods if model_id(pod) == bundle_id]
    old = len(pods) - len(new)
    if status.get("observedGeneration", 0) < deployment["metadata"]["generation"]:
        return Progress("waiting for the cluster to see the change")
    if (failed := stuck(new)) is not None:
        return failed
    if refused := _condition(deployment, "ReplicaFailure", "True"):
        return Progress(refused, failed=f"the cluster refuses the pods: {refused}")
    if late := _condition(deployment, "Progressing", "False"):
        return Progress(late, failed=f"{late} {_unready(new)}")
    settled = status.get("replicas", 0) == status.get("updatedReplicas", 0) == wanted == ready
    if settled and not old:
        return Progress(f"{wanted} of {wanted} pods serve it", done=True)
    serving = sum(_is_ready(pod) for pod in new)
    others = f", of the others there are still {old}" if old else ""
    return Progress(f"{serving} of {wanted} pods serve it{others}{unscheduled(new)}")


def unscheduled(pods: Sequence[dict[str, Any]]) -> str:
    """What keeps a pod from every node, as a sentence about the pods goes on; empty where nothing does."""
    for pod in pods:
        for condition in pod.get("status", {}).get("conditions") or ():
            if (condition["type"], condition["status"]) == ("PodScheduled", "False"):
                reason = f"{condition.get('reason', 'Unschedulable')}, {condition.get('message', '')}"
                return f"; pod {pod['metadata']['name']} has no node: {reason}"
    return ""


def stuck(pods: Sequence[dict[str, Any]]) -> Progress | None:
    """That pods will never come to it, where one of them is in trouble."""
    if (found := trouble(pods)) is None:
        return None
    where = f"pod {found.pod}, {found.said}"
    return Progress(where, failed=where, trouble=found)


def trouble(pods: Sequence[dict[str, Any]]) -> Trouble | None:
    """The first container that cannot start, or that ends again and again."""
    for pod in pods:
        for container in _containers(pod):
            reason, restarts = _reason(container), container.get("restartCount", 0)
            if reason in HOPELESS or (not container.get("ready") and restarts >= RESTARTS and reason != "Completed"):
                words = reason or "not ready"
                return Trouble(pod["metadata"]["name"], container["name"], _said(words, container), restarts > 0)
    return None


def _containers(pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses") or ()
    yield from status.get("containerStatuses") or ()


def _reason(container: dict[str, Any]) -> str:
    state = container.get("state") or {}
    return str((state.get("waiting") or state.get("terminated") or {}).get("reason", ""))


def _said(reason: str, container: dict[str, Any]) -> str:
    waiting = (container.get("state") or {}).get("waiting") or {}
    ended = (container.get("lastState") or {}).get("terminated") or (container.get("state") or {}).get("terminated")
    message = waiting.get("message", "") if reason in HOPELESS else ""
    code = f"exit code {ended['exitCode']}" if ended else ""
    return ", ".join(part for part in (reason, code, message) if part)


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _condition(deployment: dict[str, Any], kind: str, status: str) -> str:
    for condition in deployment.get("status", {}).get("conditions") or ():
        if condition["type"] == kind and condition["status"] == status:
            return str(condition.get("message") or condition.get("reason"))
    return ""


def _unready(pods: Sequence[dict[str, Any]]) -> str:
    """What the pods that are not ready wait for, in the API's words."""
    found = []
    for pod in pods:
        for condition in pod.get("status", {}).get("conditions") or ():
            if condition["status"] == "False" and condition.get("message"):
                found.append(f"pod {pod['metadata']['name']}: {condition['message']}")
                break
    return "; ".join(found)
