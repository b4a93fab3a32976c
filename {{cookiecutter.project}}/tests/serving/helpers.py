"""A small model with every type of feature, and a real server process in front of it."""

import http.client
import json
import math
import os
import signal
import subprocess
import sys
import threading
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from {{ cookiecutter.package }} import bundle, serving
from {{ cookiecutter.package }}.contract import Contract

MODULE = serving.__name__
"""What `python -m` starts as a server, or as what fetches a bundle."""

CONTRACT = Contract.from_json(
    json.dumps(
        {
            "task": "binary",
            "source": "rows.parquet",
            "purpose": "To test the server.",
            "retention": "none",
            "zone": "Europe/Zurich",
            "label": {"above": 1},
            "columns": {
                "id": {"type": "text", "roles": ["key"]},
                "when": {"type": "timestamp", "roles": ["time"]},
                "hour": {"type": "uint8", "roles": ["feature"], "min": 0, "max": 23},
                "weight": {"type": "float32", "roles": ["feature"], "min": -10, "max": 10, "missing": 0.1},
                "carrier": {"type": "category", "roles": ["feature"], "categories": ["AA", "NO", "ZZ"], "unknown": 0.1},
                "origin": {"type": "category", "roles": ["feature"], "categories": ["east", "west"]},
                "express": {"type": "bool", "roles": ["feature"]},
                "booked": {"type": "timestamp", "roles": ["feature"], "parts": ["weekday", "hour"]},
                "age": {"type": "int16", "roles": ["feature"], "min": 0, "max": 150, "personal": "personal"},
                "late": {"type": "float64", "roles": ["label"], "missing": 1},
            },
        }
    ).encode()
)
ROW: dict[str, Any] = {
    "hour": 8,
    "weight": 1.5,
    "carrier": "NO",
    "origin": "west",
    "express": True,
    "booked": "2026-03-02T09:30:00+01:00",
    "age": 40,
}
INPUTS = (8.0, 1.5, 1.0, 1.0, 1.0, 1.0, 9.0, 40.0)
"""What the row above is to the model: `booked` was a Monday, at nine."""

WEIGHTS = (0.05, 0.5, 0.1, -0.2, 0.3, 0.01, -0.02, 0.001)
THRESHOLD = 0.5


def score(inputs: tuple[float, ...] = INPUTS) -> float:
    """What the model below answers: a logistic sum, in which missing values count nothing."""
    total = sum(value * weight for value, weight in zip(inputs, WEIGHTS, strict=True) if not math.isnan(value))
    return 1 / (1 + math.exp(-total))


def model(fails: bool = False) -> bytes:
    """The same as an ONNX graph. One that fails looks the weight up in a table that ends at 2; its message quotes it."""
    weights = helper.make_tensor("weights", TensorProto.FLOAT, [len(WEIGHTS), 1], WEIGHTS)
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0])
    last = helper.make_tensor("last", TensorProto.INT64, [1], [1])
    nodes = [
        helper.make_node("IsNaN", ["features"], ["empty"]),
        helper.make_node("Where", ["empty", "zero", "features"], ["known"]),
        helper.make_node("MatMul", ["known", "weights"], ["total"]),
        helper.make_node("Sigmoid", ["total"], ["column"]),
        helper.make_node("Squeeze", ["column", "last"], ["score"]),
    ]
    constants = [weights, zero, last]
    if fails:
        nodes[-1].output[0] = "plain"
        nodes += [
            helper.make_node("Gather", ["features", "one"], ["weight"], axis=1),
            helper.make_node("Mul", ["weight", "scale"], ["scaled"]),
            helper.make_node("Cast", ["scaled"], ["place"], to=TensorProto.INT64),
            helper.make_node("Gather", ["table", "place"], ["nothing"]),
            helper.make_node("Add", ["plain", "nothing"], ["score"]),
        ]
        constants += [
            helper.make_tensor("one", TensorProto.INT64, [], [1]),
            helper.make_tensor("scale", TensorProto.FLOAT, [], [10_000.0]),
            helper.make_tensor("table", TensorProto.FLOAT, [20_000], [0.0] * 20_000),
        ]
    taken = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", len(WEIGHTS)])
    given = helper.make_tensor_value_info("score", TensorProto.FLOAT, ["rows"])
    graph = helper.make_graph(nodes, "model", [taken], [given], constants)
    opset = [helper.make_opsetid("", 17)]
    content: bytes = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    onnx.checker.check_model(onnx.load_from_string(content))
    return content


def reference() -> bytes:
    number = {"kind": "number", "edges": [0.0, 5.0], "ratios": [0.2, 0.3, 0.4, 0.1]}
    carriers = {"kind": "category", "values": ["AA", "NO", "ZZ"], "ratios": [0.2, 0.3, 0.4, 0.1, 0.0]}
    origins = {"kind": "category", "values": ["east", "west"], "ratios": [0.5, 0.5, 0.0, 0.0]}
    numbers = ("hour", "weight", "express", "booked.weekday", "booked.hour", "age")
    bins = {**dict.fromkeys(numbers, number), "carrier": carriers, "origin": origins}
    return json.dumps({"bins": bins, "score": {"edges": [0.5], "ratios": [0.6, 0.4, 0.0]}}).encode()


def write_bundle(parent: Path, golden: float | None = None, name: str = "parcels", fails: bool = False) -> str:
    """Write a bundle into `parent/<id>` and return the id."""
    fields = {
        "name": name,
        "created": "2026-01-01T00:00:00+00:00",
        "source": {"commit": None, "dirty": None, "reason": "a test"},
        "data_hash": "sha256:0",
        "contract_hash": CONTRACT.hash(),
        "task": "binary",
        "threshold": THRESHOLD,
        "framework": {"name": "none", "versions": {}},
        "metrics": {},
        "verdicts": [],
        "parity": {},
        "golden": {"request": ROW, "score": score() if golden is None else golden, "decision": True},
        "trainer": "A <a@example.org>",
    }
    content = {"model.onnx": model(fails), "contract.json": CONTRACT.to_json(), "reference.json": reference()}
    bundle_id = bundle.write(parent / "new", fields, {**content, "card.md": b"", "sbom.json": b"{}"})
    (parent / "new").rename(parent / bundle_id)
    return bundle_id


LIMITS = {
    "rows": 50,
    "body_bytes": 20_000,
    "header_seconds": 1,
    "body_seconds": 0.6,
    "concurrency": 4,
    "concurrent_bytes": 45_000,
    "retry_seconds": 7,
}


def write_settings(root: Path, drain_seconds: float = 0.5, **limits: float) -> None:
    """config/serving.yaml with limits that a test can wait for (JSON is YAML)."""
    content: dict[str, Any] = dict.fromkeys(("port", "metrics_port"), 0) | {
        "limits": {**LIMITS, **limits},
        "drain_seconds": drain_seconds,
        "prediction_log": "stdout",
        "batch": {"rows": 100},
    }
    (root / "config").mkdir(parents=True, exist_ok=True)
    (root / "config/serving.yaml").write_text(json.dumps(content))


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Running:
    """A server process: `lines` is what it has logged."""

    process: subprocess.Popen[bytes]
    lines: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    metrics_port: int = 0

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request on a connection of its own; a body that is no bytes is sent as JSON."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            fields.setdefault("content-type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, fields)
        found = connection.getresponse()
        answer = Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())
        connection.close()
        return answer

    def predict(self, *rows: dict[str, Any], **headers: str) -> Answer:
        return self.request("POST", "/v1/predict", {"rows": rows}, **headers)

    def metrics(self) -> dict[str, float]:
        """Name with labels → value, as Prometheus sees it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=10)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def logged(self, dataset: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event.dataset"] == dataset]

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(20)
        self._reader.join(5)
        return code

    def _read(self, listening: threading.Event) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                entry = json.loads(line)
                self.lines.append(entry)
                if entry.get("message") == "listening":
                    self.port, self.metrics_port = entry["server.port"], entry["metrics.port"]
                    listening.set()
        listening.set()

    def start(self) -> "Running":
        listening = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(listening,), daemon=True)
        self._reader.start()
        assert listening.wait(20)
        return self


def start(root: Path, bundle_id: str, stderr: Path | None = None, **variables: str) -> Running:
    """Start a server process for the bundle at root/bundles/<id>, or for none."""
    # Whoever traces the tests themselves does not want to hear of their servers.
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SENTRY_"))}
    environment = {
        **outer,
        "PROJECT_ROOT": str(root),
        "MODEL_DIR": str(root / "bundles"),
        "MODEL_ID": bundle_id,
        "MODEL_VERSION": "3" if bundle_id else "",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        **variables,
    }
    command = [sys.executable, "-W", "error", "-m", MODULE]
    with stderr.open("wb") if stderr else nullcontext() as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors)
    return Running(process).start()


def columns(rows: list[dict[str, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    """Rows as `features.encode` takes them."""
    found = {name: np.array([row[name] for row in rows], dtype=object) for name in CONTRACT.features}
    clock = [np.datetime64(row["booked"][:19]) for row in rows]
    return {**found, "booked": np.array(clock, dtype="datetime64[s]")}


class Clients:
    """Keep-alive clients that send without pause; when told to close a connection each opens another, until `stop`."""

    def __init__(self, port: int, number: int, reconnect: bool = False) -> None:
        self._port, self._reconnect, self._stopped = port, reconnect, threading.Event()
        self.answered, self.versions = 0, set[str]()
        self._statuses: list[set[int | str]] = [set() for _ in range(number)]
        self._threads = [threading.Thread(target=self._run, args=(statuses,)) for statuses in self._statuses]
        for thread in self._threads:
            thread.start()

    def stop(self) -> list[list[int | str]]:
        """For each client, the different statuses it got; the error's name where it got no answer."""
        if self._reconnect:
            self._stopped.set()
        for thread in self._threads:
            thread.join(20)
        return [sorted(statuses, key=str) for statuses in self._statuses]

    def _run(self, statuses: set[int | str]) -> None:
        body = json.dumps({"rows": [ROW]})
        goes_on = True
        while goes_on and not self._stopped.is_set():
            with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)) as connection:
                kept = True
                while kept and not self._stopped.is_set():
                    try:
                        connection.request("POST", "/v1/predict", body, {"content-type": "application/json"})
                        answer = connection.getresponse()
                        self.versions.add(json.loads(answer.read())["version"])
                    except (OSError, http.client.HTTPException, KeyError) as error:
                        statuses.add(type(error).__name__)
                        return
                    statuses.add(answer.status)
                    self.answered += 1
                    kept = answer.getheader("connection") != "close"
            goes_on = self._reconnect
