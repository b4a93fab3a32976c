"""The measurements themselves: each returns samples by name, one for each repetition."""

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from . import environments
from .clients import Client
from .load import Failed, Limit, ask, drive
from .machine import cpu_seconds, pss_megabytes
from .project import BUILD, ROOT, Project, generate, run
from .rows import BATCH_ROWS, REPETITIONS, SERVING_REPETITIONS, Samples
from .servers import Running, Server, running

WARM = Limit(200, 2)
MANY = Limit(20_000, 3)
ONE = Limit(1_000, 2)
CONNECTIONS = 64
RECORD = ROOT / "build" / "test-seconds"
CLUSTER = ROOT / "build" / "evidence" / "cluster" / "5-way.json"
TOLERANCE = 1e-5
"""ONNX answers in float32, scikit-learn in float64; values at a split are the parity check's business."""


Calm = Callable[[], None]
"""Waits until the machine is quiet, or raises Loaded."""


def turns(calm: Calm, repetitions: int = REPETITIONS) -> Iterator[int]:
    """The repetitions, each when the machine is calm."""
    for repetition in range(repetitions):
        calm()
        yield repetition


def generation(calm: Calm) -> Samples:
    """Seconds to generate a project."""
    return {"generate": [generate(BUILD / "generated").seconds for _ in turns(calm)]}


def pipeline(project: Project, calm: Calm) -> Samples:
    """Seconds of the compiled pipeline, and of the same steps without kfp."""
    samples: Samples = defaultdict(list)
    for _ in turns(calm):
        samples["compiled"].append(project.run("pipelines", "run").seconds)
        samples["direct"].append(project.run(project.package, "pipeline").seconds)
    return samples


def same_scores(started: Mapping[str, Running], clients: Sequence[Client], scores: Sequence[float]) -> None:
    """Refuse to compare servers that disagree about a row."""
    for client in clients:
        for request, score in zip(client.requests, scores, strict=True):
            answered = client.score(json.loads(ask(started[client.server].port, request)))
            if abs(answered - score) > TOLERANCE:
                raise Failed(f"{client.name} answered {answered} where the model says {score}")


def serving(
    servers: Sequence[Server], clients: Sequence[Client], scores: Sequence[float], calm: Calm
) -> dict[str, Samples]:
    """By client: CPU seconds per request and requests/s at 64 connections, median latency at 1, PSS after them."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])
    samples: dict[str, Samples] = {client.name: defaultdict(list) for client in clients}
    try:
        with ExitStack() as stack:
            started = {server.name: stack.enter_context(running(server, cores[-1])) for server in servers}
            same_scores(started, clients, scores)
            for _ in turns(calm, SERVING_REPETITIONS):
                for client in clients:
                    for name, value in _one(client, started[client.server]).items():
                        samples[client.name][name].append(value)
    finally:
        os.sched_setaffinity(0, cores)
    return samples


def _one(client: Client, server: Running) -> dict[str, float]:
    drive(server.port, client.requests, 8, WARM)
    before = cpu_seconds(server.pid)
    many = drive(server.port, client.requests, CONNECTIONS, MANY)
    used = cpu_seconds(server.pid) - before
    one = drive(server.port, client.requests, 1, ONE)
    return {
        "cpu": used / many.requests,
        "rate": many.per_second,
        "latency": one.median,
        "memory": pss_megabytes(server.pid),
    }


def readiness(server: Server, calm: Calm) -> Samples:
    """Seconds from the start of the process to its first ready answer."""
    core = max(os.sched_getaffinity(0))
    seconds = []
    for _ in turns(calm):
        with running(server, core) as ready:
            seconds.append(ready.seconds)
    return {"ready": seconds}


def batch(project: Project, model: Path, calm: Calm) -> Samples:
    """Rows a second and peak memory of both sides."""
    samples: Samples = defaultdict(list)
    peer, table = environments.python("fastapi_joblib", BUILD), model / "batch.parquet"
    cores = str(len(os.sched_getaffinity(0)))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "BENCH_MODEL": str(model), "OMP_NUM_THREADS": cores}
    for _ in turns(calm):
        theirs = run([peer, "-m", "bench.peers.batch", table, BUILD / "theirs.parquet"], ROOT, environment)
        ours = project.run(project.package, "predict", table, BUILD / "ours.parquet")
        for side, used in (("their", theirs), ("our", ours)):
            samples[f"{side} rate"].append(BATCH_ROWS / used.seconds)
            samples[f"{side} memory"].append(used.megabytes)
    return samples


def tests(calm: Calm) -> Samples:
    """Minutes of `make test`: what its last green run recorded, else one run."""
    if not RECORD.exists():
        calm()
        run([shutil.which("make") or "make", "test"], ROOT, os.environ)
    return {"test": [int(RECORD.read_text()) / 60]}


def cluster() -> Samples:
    """What the last `make test-cluster` recorded of the way through a cluster; nothing where there was none."""
    if not CLUSTER.exists():
        print(f"not measured: the way through a cluster (make test-cluster writes {CLUSTER.relative_to(ROOT)})")
        return {}
    recorded: Samples = json.loads(CLUSTER.read_text())
    return recorded
