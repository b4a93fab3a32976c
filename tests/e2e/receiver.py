"""Somebody who is called when an alert fires: a pod in a namespace of its own, which prints what it is sent."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from monitoring.shipped import alerts

from .conftest import LOCAL, PLATFORM, kubectl
from .prometheus import forwarded, got, noticed
from .test_6_security import PAUSE, changed

NAME = "alert-receivers"
"""The namespace, and the platform's Secret with the addresses that are called."""
ADDRESS = f"http://receiver.{NAME}.svc:8080"
PRINT = """
import http.server, json
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        print(json.dumps({"path": self.path, **call}), flush=True)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *said):
        pass
http.server.ThreadingHTTPServer(("", 8080), Receiver).serve_forever()
"""


def manifests(image: str) -> list[dict[str, Any]]:
    """The pod with an image that has Python, and a policy: Alertmanager gets in, nothing gets out."""
    labels = {"app.kubernetes.io/name": "receiver", "mlops-template.io/alert-receiver": "true"}
    pod = changed(PAUSE, "metadata", {"name": "receiver", "namespace": NAME, "labels": labels})
    pod = changed(pod, "spec.terminationGracePeriodSeconds", 1)  # nobody has told it to end when it is told to
    for field, value in {
        "name": "receiver",
        "image": image,
        "command": ["python", "-c", PRINT],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"tcpSocket": {"port": "http"}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "5m", "memory": "32Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}},
    }.items():
        pod = changed(pod, f"spec.containers.0.{field}", value)
    caller = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": PLATFORM}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "alertmanager"}},
    }
    policy = {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [caller], "ports": [{"port": "http"}]}],
    }
    service = {"selector": labels, "ports": [{"port": 8080, "targetPort": "http"}]}
    there = {"name": "receiver", "namespace": NAME}
    restricted = {"name": NAME, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": restricted},
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": there, "spec": policy},
        {"apiVersion": "v1", "kind": "Service", "metadata": there, "spec": service},
        pod,
    ]


@contextmanager
def receiving(image: str) -> Iterator[None]:
    """Alertmanager calls the receiver, as long as the block lasts."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": NAME, "namespace": PLATFORM},
        "stringData": {"page": f"{ADDRESS}/page", "ticket": f"{ADDRESS}/ticket"},
    }
    wanted = {f"{PLATFORM}/alerts/page", f"{PLATFORM}/alerts/ticket"}
    _nobody()  # a run that was interrupted has left its own
    try:
        _apply(*manifests(image))
        kubectl("wait", "pod/receiver", "-n", NAME, "--for=condition=Ready", "--timeout=60s")
        with forwarded("alertmanager-operated", 9093) as alertmanager:
            _apply(secret)
            noticed("alertmanager-alertmanager-0", lambda: wanted <= _known(alertmanager), "who is to be called")
        yield
    finally:
        _nobody()


def _nobody() -> None:
    kubectl("delete", "secret", NAME, "-n", PLATFORM, "--ignore-not-found")
    kubectl("delete", "namespace", NAME, "--ignore-not-found")


def _apply(*found: dict[str, Any]) -> None:
    kubectl("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": found}))


def _known(alertmanager: str) -> set[str]:
    return {each["name"] for each in got(f"{alertmanager}/v2/receivers")}


def pages(since: int = 0, namespace: str = LOCAL) -> list[dict[str, Any]]:
    """Every alert of an environment for which somebody was woken, or told that it is over, in that order."""
    calls = [json.loads(line) for line in kubectl("logs", "receiver", "-n", NAME, "--tail=-1").splitlines()]
    woken = [alert for call in calls if call["path"] == "/page" for alert in call["alerts"]]
    return [alert for alert in woken if alert["labels"]["namespace"] == namespace][since:]


def paged(since: int) -> set[str]:
    return {each["labels"]["alertname"] for each in pages(since)}


def untold_ends() -> set[str]:
    """The alerts that somebody was told of, and not yet that they are over."""
    last = {each["labels"]["alertname"]: each["status"] for each in pages()}
    return {alert for alert, status in last.items() if status == "firing"}


def told(alert: str, status: str, since: int, namespace: str = LOCAL) -> Callable[[], bool]:
    """Whether somebody was told by now that an alert is firing, or resolved."""

    def calls() -> set[tuple[str, str]]:
        return {(each["labels"]["alertname"], each["status"]) for each in pages(since, namespace)}

    return lambda: (alert, status) in calls()


def assert_page(alert: str, told_of: list[dict[str, Any]], namespace: str = LOCAL) -> None:
    """Somebody was told what the shipped rule says, with the values filled in."""
    found = next(each for each in told_of if each["labels"]["alertname"] == alert)
    rule = alerts()[alert]
    assert (found["labels"]["severity"], found["labels"]["namespace"]) == ("page", namespace)
    said, meant = found["annotations"], rule["annotations"]
    assert said["runbook_url"] == meant["runbook_url"]
    assert said["summary"] == meant["summary"].replace("{{ $labels.namespace }}", namespace)
    before, _, after = meant["description"].partition("{{ $value | humanizePercentage }}")
    assert said["description"].startswith(before)
    assert said["description"].endswith(after)
