"""The platform's Prometheus: what it knows, and how its rules are changed for a while."""

import json
import math
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from conftest import free_port

from .conftest import LOCAL, PLATFORM, kubectl, until


@contextmanager
def forwarded(service: str, port: int) -> Iterator[str]:
    """The address of the API of a service of the platform, as long as the block lasts."""
    here = free_port()
    command = ["kubectl", "port-forward", "-n", PLATFORM, f"service/{service}", f"{here}:{port}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: _ready(f"http://127.0.0.1:{here}/-/ready"), 30, f"{service} answers")
            yield f"http://127.0.0.1:{here}/api"
        finally:
            process.terminate()


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - this address is ours
            return bool(answer.status == 200)
    except OSError:
        return False


def got(address: str, **parameters: str) -> Any:
    """What an API answers."""
    with urllib.request.urlopen(f"{address}?{urllib.parse.urlencode(parameters)}", timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def numbers(prometheus: str, query: str) -> list[float]:
    """The values that a query has now; a ratio of nothing to nothing is none."""
    answer = got(f"{prometheus}/v1/query", query=query)["data"]
    values = [answer["result"]] if answer["resultType"] == "scalar" else [each["value"] for each in answer["result"]]
    return [value for _, text in values if math.isfinite(value := float(text))]


def targets(prometheus: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = got(f"{prometheus}/v1/targets", state="active")["data"]["activeTargets"]
    return found


def evaluated(prometheus: str) -> list[dict[str, Any]]:
    """The rules of this environment as Prometheus has read them."""
    groups = got(f"{prometheus}/v1/rules")["data"]["groups"]
    return [rule for group in groups if f"/{LOCAL}-" in group["file"] for rule in group["rules"]]


def touch(pod: str) -> None:
    """Let the kubelet look for what has changed in a pod's ConfigMaps and Secrets: it does once a minute, and when the pod changes."""
    kubectl("annotate", "pod", pod, "-n", PLATFORM, "--overwrite", f"mlops-template.io/touched={time.time_ns()}")


def noticed(pod: str, true: Callable[[], bool], what: str) -> float:
    """Wait until a pod works with a changed ConfigMap or Secret."""

    def touched() -> bool:
        touch(pod)
        return true()

    return until(touched, 120, f"{pod} has read {what}")


def specification(name: str) -> Any:
    """A rule object's `spec` as it is in the cluster."""
    return json.loads(kubectl("get", "prometheusrule", name, "-n", LOCAL, "-o", "json"))["spec"]


def shortened(spec: Any, windows: dict[str, str]) -> Any:
    """The same rules over other windows."""
    return json.loads(re.sub(r"\[(\w+)\]", lambda found: f"[{windows.get(found[1], found[1])}]", json.dumps(spec)))


def differences(shipped: Any, there: Any) -> dict[str, str]:
    """The windows that are not the same in two specifications; all the rest of them must be."""
    one, other = (re.split(r"\[(\w+)\]", json.dumps(each, sort_keys=True)) for each in (shipped, there))
    assert one[::2] == other[::2]
    pairs = {pair for pair in zip(one[1::2], other[1::2], strict=True) if pair[0] != pair[1]}
    assert len(dict(pairs)) == len(pairs), "a window was changed into different ones"
    return dict(pairs)


@contextmanager
def rules_over(prometheus: str, name: str, shipped: Any, windows: dict[str, str]) -> Iterator[None]:
    """A shipped object's rules over shorter windows; afterwards they are as they were."""
    assert specification(name) == shipped
    try:
        _replace(prometheus, name, shortened(shipped, windows))
        assert differences(shipped, specification(name)) == windows
        yield
    finally:
        _replace(prometheus, name, shipped)
    assert specification(name) == shipped


def _replace(prometheus: str, name: str, spec: Any) -> None:
    kubectl("patch", "prometheusrule", name, "-n", LOCAL, "--type=merge", f"--patch={json.dumps({'spec': spec})}")
    rules = [rule for group in spec["groups"] for rule in group["rules"]]
    ours = {rule.get("alert") or rule["record"] for rule in rules}

    def read() -> bool:
        found = [rule["query"] for rule in evaluated(prometheus) if rule["name"] in ours]
        return _windows(found) == _windows(rule["expr"] for rule in rules)

    noticed("prometheus-prometheus-0", read, "the changed rules")


def _windows(queries: Iterable[str]) -> list[str]:
    return sorted(re.findall(r"\[(\w+)\]", " ".join(queries)))
