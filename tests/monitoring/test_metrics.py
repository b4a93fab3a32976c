"""Every metric and label that rules and dashboards name is exported by a real server."""

import json
import os
import re
import signal
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from conftest import PROJECT_VENV, SKELETON, free_port, inherited

from .shipped import TARGET, Query, labels_of, metrics_of, queries, rules

RECORDED = {rule["record"] for rule in rules() if "record" in rule}
BY_PROMETHEUS = {"up"}


@pytest.fixture(scope="module")
def page(project: Path) -> Iterator[str]:
    """The metrics of a server that has answered and refused a request."""
    (bundle,) = (project / "tests" / "bundles" / "format-1").iterdir()
    port = free_port()
    ready, ready_end = os.pipe()
    environment = inherited(
        PYTHONPATH="src",
        MODEL_ID=bundle.name,
        MODEL_VERSION="1",
        MODEL_DIR=str(bundle.parent),
        PORT=str(port),
        METRICS_PORT=str(port + 1),
        READY_FD=str(ready_end),
    )
    command = [str(PROJECT_VENV / "bin" / "python"), "-m", f"{project.name.replace('-', '_')}.serving"]
    with subprocess.Popen(
        command, cwd=project, env=environment, pass_fds=[ready_end], stdout=subprocess.DEVNULL
    ) as server:
        os.close(ready_end)
        assert os.read(ready, 100) == b"ready"
        os.close(ready)
        row = json.loads((bundle / "manifest.json").read_text())["golden"]["request"]
        assert ask(port, "POST", "/v1/predict", {"rows": [row]})[0] == 200
        assert ask(port, "POST", "/v1/predict", {"rows": [{**row, "hour": 99}]})[0] == 422
        yield ask(port + 1, "GET", "/metrics")[1]
        server.send_signal(signal.SIGINT)


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, str]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, path, json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture(scope="module")
def exported(page: str) -> dict[str, set[str]]:
    return labels_by_metric(page)


def labels_by_metric(page: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name, labels in re.findall(r"^([a-z_]+)(?:\{([^}]*)\})? ", page, re.MULTILINE):
        found[name] |= set(re.findall(r'([a-z_]+)="', labels))
    return found


@pytest.mark.proof("Every metric that rules and dashboards name is one that the server exports")
def test_every_metric_is_exported(exported: dict[str, set[str]]) -> None:
    asked = {metric: query.where for query in queries() for metric in metrics_of(query.text)}
    assert len(asked) > 25
    known = exported.keys() | RECORDED | BY_PROMETHEUS
    assert {metric: where for metric, where in asked.items() if metric not in known} == {}


@pytest.mark.parametrize("query", queries(), ids=lambda query: query.where)
def test_every_label_is_exported(query: Query, exported: dict[str, set[str]]) -> None:
    recorded = {"bundle", "bin", "feature", "slo"}  # by our own rules
    known = TARGET.union(*(exported.get(metric, recorded) for metric in metrics_of(query.text)))
    assert labels_of(query.text) - known == set()


def test_the_values_that_are_asked_for_are_exported(page: str) -> None:
    asked = "".join(query.text for query in queries())
    assert set(re.findall(r'le="([^"]*)"', asked)) == {"0.1"}
    assert ',le="0.1"' in page or 'le="0.1",' in page
    (routes,) = set(re.findall(r'route=~"([^"]*)"', asked))
    assert re.search(f'^inference_requests_total{{route="{routes}",status="200"}} 1.0$', page, re.MULTILINE)
    statuses = {status for found in re.findall(r'status=~"([0-9|]+)"', asked) for status in found.split("|")}
    assert "422" in statuses
    counted = re.findall(f'^inference_requests_total{{route="{routes}",status="([0-9]+)"}} ', page, re.MULTILINE)
    missing = {(route, status) for route in ("predict", "infer") for status in statuses} - {*counted}
    assert missing == set(), "what appears with its first request has not increased"
    problems = (SKELETON / "src" / "{{cookiecutter.package}}" / "serving" / "problems.py").read_text(encoding="utf-8")
    kinds = {kind for found in re.findall(r'kind=~?"([^"]*)"', asked) for kind in found.split("|")}
    assert "too-busy" in kinds
    assert kinds - set(re.findall(r'^    "([a-z-]+)": "', problems, re.MULTILINE)) == set()


def test_every_recorded_series_is_used() -> None:
    used = {metric for query in queries() for metric in metrics_of(query.text)}
    assert RECORDED - used == set()


def test_names_are_found_in_queries() -> None:
    """The reading of queries, which the tests above stand on."""
    query = 'sum by (pod) (rate(a_total{x="b, c_total",y=~"z"}[5m])) > on (q) group_left (r) k:m:r1h and max(d_ratio) # e_total'
    assert metrics_of(query) == {"a_total", "k:m:r1h", "d_ratio"}
    assert labels_of(query) == {"pod", "x", "y", "q", "r"}
