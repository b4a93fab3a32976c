"""Waiting for a cluster: what is waited for is said when it changes, and what fails is shown with the events and log lines that matter."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from ..errors import Refused
from .connection import Cluster
from .progress import Progress, Trouble

POLL_SECONDS = 0.5
LOG_LINES = 5
EVENTS = 3
NO_ANSWER = (ApiException, HTTPError, OSError)
"""The control plane may restart meanwhile: what was begun goes on by itself, and only time ends the wait."""


def wait(
    cluster: Cluster, namespace: str, what: str, look: Callable[[], Progress], seconds: float, before: str = ""
) -> None:
    """Look until it is done; Refused when it never will be, or not in this time. What was said `before` is not said again."""
    end = time.monotonic() + seconds
    while True:
        now = _looked(look)
        if now.said != before:
            print(f"{what}: {now.said}", flush=True)
            before = now.said
        if now.done:
            return
        if now.failed or time.monotonic() > end:
            reason = now.failed or f"not done after {seconds:.0f} s: {now.said}"
            raise Refused(f"{what}: {reason}{_details(cluster, namespace, now.trouble)}")
        time.sleep(POLL_SECONDS)


def plain(cluster: Cluster, found: Any) -> Any:
    """An answer of the API as dictionaries, in the API's own words."""
    return cluster.api.sanitize_for_serialization(found)


def _looked(look: Callable[[], Progress]) -> Progress:
    try:
        return look()
    except NO_ANSWER:
        return Progress("waiting for the cluster to answer again")


def _details(cluster: Cluster, namespace: str, found: Trouble | None) -> str:
    """The last lines that a container in trouble wrote, and the last warnings about its pod."""
    if found is None:
        return ""
    core, lines = client.CoreV1Api(cluster.api), []
    with suppress(*NO_ANSWER):
        answer = core.read_namespaced_pod_log(
            found.pod,
            namespace,
            container=found.container,
            previous=found.restarted,
            tail_lines=LOG_LINES,
            _preload_content=False,  # else the client takes a line of JSON for an answer in JSON
        )
        lines += answer.data.decode(errors="replace").splitlines()
    with suppress(*NO_ANSWER):
        events = core.list_namespaced_event(
            namespace, field_selector=f"involvedObject.name={found.pod},type=Warning"
        ).items
        lines += [f"{event.reason}: {event.message}" for event in events[-EVENTS:]]
    return "".join(f"\n  {line}" for line in lines)
