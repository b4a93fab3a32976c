"""More load than one server, more than all servers, and the largest request."""

import concurrent.futures
import hashlib
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT_VENV, free_port, inherited
from ruamel.yaml import YAML

from bench.load import Limit, drive, post
from bench.servers import Server, running

from .burst import flood
from .conftest import EVIDENCE, LOCAL, World, objects, record, until
from .meter import load
from .questions import sample_rows, smoke_key
from .serving import SERVING, least, replicas, restarts, wait_until_calm, wait_until_whole
from .stored import champion_in

OVERLOAD = 3000
"""Requests a second of one row: several times what two servers with one processor each are asked usually."""
CLIENTS, SATURATED_SECONDS = 500, 20
"""Each with the most rows: five hundred wait where a dozen are let in."""
REPETITIONS, WARM, MEASURED = 7, Limit(200, 1), Limit(1000, 2)


@pytest.fixture(scope="module")
def rows(world: World) -> list[dict[str, Any]]:
    return sample_rows(world, 1000)


@pytest.mark.proof("Under load the autoscaler adds servers, and takes them away afterwards, without a lost request")
def test_scaling(world: World, node_port: str, rows: list[dict[str, Any]]) -> None:
    wait_until_calm()
    with load(node_port, smoke_key(), rows, EVIDENCE / "5-scaling.log", f"--per-second={OVERLOAD}") as under_way:
        out = until(lambda: replicas() > least(), 120, "more servers under load")
        wait_until_whole()
        time.sleep(5)
    most = replicas()
    with load(node_port, smoke_key(), rows, EVIDENCE / "5-scaling-in.log", "--per-second=50") as calm:
        back = until(lambda: replicas() == least(), 240, "the least number of servers after the load")
        wait_until_whole()
    record(
        "5-scaling",
        least=least(),
        most=most,
        seconds_out=round(out, 1),
        seconds_in=round(back, 1),
        under_load=under_way.measured.summary(),
        calm=calm.measured.summary(),
    )
    assert under_way.measured.lost == []
    assert calm.measured.lost == []


def ask(address: str, body: bytes) -> tuple[int, str | None]:
    """Status and Retry-After."""
    request = urllib.request.Request(
        f"http://{address}/v1/predict",
        body,
        {"Authorization": f"Bearer {smoke_key_once()}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - this address is ours
            answer.read()
            return int(answer.status), None
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Retry-After"]


_KEY: list[str] = []


def smoke_key_once() -> str:
    if not _KEY:
        _KEY.append(smoke_key())
    return _KEY[0]


@pytest.mark.proof("At the largest request that the configuration allows, many at once, no server runs out of memory")
def test_the_largest_request(world: World, node_port: str, rows: list[dict[str, Any]]) -> None:
    limits = YAML(typ="safe").load((world.project / "config/serving.yaml").read_text())["limits"]
    body = json.dumps({"rows": rows[: limits["rows"]]}).encode()
    body += b" " * (limits["body_bytes"] - len(body))
    assert (len(body), len(rows)) == (limits["body_bytes"], limits["rows"])
    before = restarts()
    with concurrent.futures.ThreadPoolExecutor(32) as threads:
        answers = Counter(threads.map(lambda _: ask(node_port, body), range(200)))
    record("5-largest-request", bytes=len(body), rows=len(rows), answers={str(key): n for key, n in answers.items()})
    assert answers[200, None] > 0
    assert {status for status, _ in answers} <= {200, 503}
    assert restarts() == before


@pytest.mark.proof(
    "Beyond its limits of what is under way a server answers 503 with Retry-After and goes on answering the others: nobody is cut off"
)
def test_saturation(world: World, node_port: str, rows: list[dict[str, Any]]) -> None:
    wait_until_whole()
    body, since, before = json.dumps({"rows": rows}).encode(), _ready_since(), restarts()
    answers = flood(node_port, smoke_key(), body, CLIENTS, SATURATED_SECONDS)
    counted = Counter((each.status, each.retry_after) for each in answers)
    record(
        "5-saturation",
        clients=CLIENTS,
        body_bytes=len(body),
        answers={str(key): n for key, n in counted.items()},
        longest_seconds=round(max(each.seconds for each in answers), 1),
        in_service_all_the_time=since.items() <= _ready_since().items(),
    )
    assert set(counted) == {(200, None), (503, "1")}
    wait_until_whole()
    assert since.keys() <= _ready_since().keys()
    assert restarts() == before


@pytest.mark.proof("What Service and pod add to a prediction's latency is measured against the bare process")
def test_what_the_way_through_the_cluster_adds(
    world: World, node_port: str, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Same machine, bundle, row and features; one connection each, in turns."""
    host, _, port = node_port.rpartition(":")
    request = post("/v1/predict", json.dumps({"rows": rows[:1]}).encode(), f"Authorization: Bearer {smoke_key()}\r\n")
    samples: dict[str, list[float]] = {"bare": [], "pods": []}
    with running(bare(world, tmp_path), core=0) as process:
        for _ in range(REPETITIONS):
            for side, where in (("bare", ("127.0.0.1", process.port)), ("pods", (host, int(port)))):
                drive(where[1], [request], 1, WARM, where[0])
                samples[side].append(1e6 * drive(where[1], [request], 1, MEASURED, where[0]).median)
    record("5-way", **samples)
    assert min(samples["pods"]) > 0.5 * min(samples["bare"])  # else the two do not do the same


def bare(world: World, folder: Path) -> Server:
    """The champion's server as a process of this machine, with the pods' key and features."""
    bundle = champion_in(world, folder)
    (folder / "keys").write_text(f"smoke:{hashlib.sha256(smoke_key().encode()).hexdigest()}\n")
    environment = inherited(
        PYTHONPATH="src",
        MODEL_URI=bundle.as_uri(),
        MODEL_ID=bundle.name,
        MODEL_VERSION="1",
        MODEL_DIR=str(folder),
        API_KEYS_FILE=str(folder / "keys"),
        PREDICTION_LOG_SECRET="bare",  # noqa: S106 - it hashes what nobody reads
        OMP_NUM_THREADS="1",
    )
    return Server(
        "bare",
        lambda _: (PROJECT_VENV / "bin" / "python", "-m", "flight_delay.serving"),
        lambda port: environment | {"PORT": str(port), "METRICS_PORT": str(free_port())},
        "/v2/health/ready",
        world.project,
    )


def _ready_since() -> dict[str, str]:
    """Since when each server that is ready has been so without a break."""
    return {
        pod["metadata"]["name"]: each["lastTransitionTime"]
        for pod in objects("pods", LOCAL, "-l", SERVING)
        for each in pod["status"]["conditions"]
        if each["type"] == "Ready" and each["status"] == "True"
    }
