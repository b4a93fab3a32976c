"""`make pipeline-run`: train in the cluster, as a Job made from the CronJob that an environment has anyway."""

import shlex
import socket
import subprocess
from datetime import UTC, datetime
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from .. import lineage
from ..errors import Refused, interruptible
from . import origin
from .connection import said
from .place import Namespace
from .progress import Progress, stuck, unscheduled
from .waiting import NO_ANSWER, plain, wait

CRON_JOB = "training"
START_SECONDS, RUN_SECONDS = 180, 3600
RUNNING = "running"


def run(place: Namespace, source: str) -> None:
    """Run the pipeline in the cluster and show what it prints; Refused when it does not succeed.

    The bundle names as its trainer who calls this, not the pod's account: else nobody could tell whether a second person approves.
    """
    if note := origin.outdated(place.settings, place.environment):
        print(note)
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
    with interruptible(goes_on(place, name)):
        try:
            wait(place.cluster, place.name, f"job {name}", lambda: _running(place, name), START_SECONDS)
        except Refused as problem:
            raise Refused(f"{problem}\n  {_given_up(place, name)}") from None
        before = RUNNING if _follow(place, name) else ""
        wait(place.cluster, place.name, f"job {name}", lambda: _ended(place, name), RUN_SECONDS, before)


def goes_on(place: Namespace, name: str) -> str:
    """What is to be said of a Job that nobody follows any more."""
    kubectl = " ".join(map(shlex.quote, _kubectl(place)))
    return (
        f"job {name} goes on: follow it with {kubectl} logs --follow job/{name}, "
        f"stop it with {kubectl} delete job {name}"
    )


def _given_up(place: Namespace, name: str) -> str:
    """Delete a Job that does not start, for it would train later, when nobody looks; one that has failed stays, with its events."""
    try:
        if _ended(place, name).failed:
            return f"job {name} is left as it is"
        client.BatchV1Api(place.cluster.api).delete_namespaced_job(
            name, place.name, body=client.V1DeleteOptions(propagation_policy="Background")
        )
    except NO_ANSWER:
        return f"job {name} could not be deleted, and may train later: {' '.join(_kubectl(place))} delete job {name}"
    return f"job {name} was deleted, so that it does not train later: then make pipeline-run{place.where} again"


def _kubectl(place: Namespace) -> list[str]:
    return ["kubectl", "--context", place.cluster.context, "--namespace", place.name]


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
    if not pods and (refused := _refused(place, name)):
        return Progress(refused, failed=refused)
    ended = _ended(place, name)
    return ended if ended.failed else Progress(f"waiting for its pod to start{unscheduled(pods)}")


def _refused(place: Namespace, name: str) -> str:
    """Why the cluster makes no pod of a Job, such as a full quota; empty where it has not said so."""
    job = f"involvedObject.kind=Job,involvedObject.name={name},reason=FailedCreate"
    events = client.CoreV1Api(place.cluster.api).list_namespaced_event(place.name, field_selector=job).items
    return f"the cluster refuses its pod: {events[-1].message}" if events else ""


def _follow(place: Namespace, name: str) -> bool:
    """Show the log as it is written, and tell whether to its end; when it breaks off, the wait for the Job's end goes on."""
    command = [*_kubectl(place), "logs", "--follow", f"job/{name}"]
    # As in connection.py: Ctrl-C ends it through us, who say what goes on.
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, start_new_session=True).returncode == 0


def _ended(place: Namespace, name: str) -> Progress:
    job = plain(place.cluster, client.BatchV1Api(place.cluster.api).read_namespaced_job(name, place.name))
    for condition in job.get("status", {}).get("conditions") or ():
        if condition["status"] == "True" and condition["type"] == "Complete":
            return Progress("succeeded", done=True)
        if condition["status"] == "True" and condition["type"] == "Failed":
            reason = f"failed ({condition['reason']}): {condition.get('message', '')}; its log above says why"
            return Progress(reason, failed=reason)
    return Progress(RUNNING)


def _pods(place: Namespace, name: str) -> list[dict[str, Any]]:
    core = client.CoreV1Api(place.cluster.api)
    found: list[dict[str, Any]] = plain(
        place.cluster, core.list_namespaced_pod(place.name, label_selector=f"batch.kubernetes.io/job-name={name}")
    )["items"]
    return found
