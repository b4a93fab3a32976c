"""`make pipeline-run`: train in the cluster, as a Job made from the CronJob that an environment has anyway."""

import socket
import subprocess
from datetime import UTC, datetime
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from .. import lineage
from ..errors import Refused
from .connection import said
from .place import Namespace
from .progress import Progress, stuck
from .waiting import plain, wait

CRON_JOB = "training"
START_SECONDS, RUN_SECONDS = 180, 3600


def run(place: Namespace, source: str) -> None:
    """Run the pipeline in the cluster and show what it prints; Refused when it does not succeed.

    The bundle names as its trainer who calls this, not the pod's account: else nobody could tell whether a second person approves.
    """
    batch = client.BatchV1Api(place.cluster.api)
    with said(place.cluster, f"start a training in {place.name}"):
        try:
            cron_job = batch.read_namespaced_cron_job(CRON_JOB, place.name)
        except ApiException as error:
            if error.status != 404:
                raise
            raise Refused(f"{place.name} has no CronJob {CRON_JOB}: make deploy{place.where} first") from None
        name = f"{CRON_JOB}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        template = plain(place.cluster, cron_job)["spec"]["jobTemplate"]
        container = template["spec"]["template"]["spec"]["containers"][0]
        container["args"] += ["--source", source] if source else []
        container["env"] += author(lineage.person(place.settings.root))
        metadata = {**template.get("metadata", {}), "name": name}
        batch.create_namespaced_job(place.name, {"metadata": metadata, "spec": template["spec"]})
    wait(place.cluster, place.name, f"job {name}", lambda: _running(place, name), START_SECONDS)
    _follow(place, name)
    wait(place.cluster, place.name, f"job {name}", lambda: _ended(place, name), RUN_SECONDS)


def author(person: str) -> list[dict[str, str]]:
    """The variables by which Git, and lineage.py, know who acts."""
    name, mail = lineage.name_and_mail(person)
    # An account of this machine has no address, and means nothing elsewhere: it is told from others by the host.
    mail = mail or f"{name}@{socket.gethostname()}"
    return [{"name": "GIT_AUTHOR_NAME", "value": name}, {"name": "GIT_AUTHOR_EMAIL", "value": mail}]


def _running(place: Namespace, name: str) -> Progress:
    pods = _pods(place, name)
    if (failed := stuck(pods)) is not None:
        return failed
    phases = [pod.get("status", {}).get("phase", "Pending") for pod in pods]
    if any(phase != "Pending" for phase in phases):
        return Progress("its pod has started", done=True)
    ended = _ended(place, name)
    return ended if ended.failed else Progress("waiting for its pod to start")


def _follow(place: Namespace, name: str) -> None:
    """Show the log as it is written; when that breaks off, the wait for the Job's end goes on."""
    command = ["kubectl", "--context", place.cluster.context, "--namespace", place.name]
    subprocess.run([*command, "logs", "--follow", f"job/{name}"], check=False)


def _ended(place: Namespace, name: str) -> Progress:
    job = plain(place.cluster, client.BatchV1Api(place.cluster.api).read_namespaced_job(name, place.name))
    for condition in job.get("status", {}).get("conditions") or ():
        if condition["status"] == "True" and condition["type"] == "Complete":
            return Progress("succeeded", done=True)
        if condition["status"] == "True" and condition["type"] == "Failed":
            reason = f"failed ({condition['reason']}): {condition.get('message', '')}; its log above says why"
            return Progress(reason, failed=reason)
    return Progress("running")


def _pods(place: Namespace, name: str) -> list[dict[str, Any]]:
    core = client.CoreV1Api(place.cluster.api)
    found: list[dict[str, Any]] = plain(
        place.cluster, core.list_namespaced_pod(place.name, label_selector=f"batch.kubernetes.io/job-name={name}")
    )["items"]
    return found
