"""Each server asked for the same rows, one row a request, in its own words."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .load import post
from .peers.features import columns as contract_columns
from .peers.features import features

MODEL = "flight-delay"
API_KEY = "bench-0123456789abcdef0123456789abcdef"
KEY_HEADER = f"Authorization: Bearer {API_KEY}\r\n"
INFER = f"/v2/models/{MODEL}/infer"


@dataclass(frozen=True)
class Client:
    """One way to ask one server: whole HTTP requests, and where the score stands in an answer."""

    name: str
    server: str
    requests: Sequence[bytes]
    score: Callable[[Any], float]


def clients(model: Path) -> list[Client]:
    """The rows of the prepared folder as requests."""
    asked = json.loads((model / "requests.json").read_text())
    types = {name: column["type"] for name, column in contract_columns(model).items()}
    rows, inputs = asked["rows"], features(model)
    encoded = [[feature.code(row[feature.name]) for feature in inputs] for row in rows]
    flat = [post("/predict", _json(row)) for row in rows]
    return [
        Client("FastAPI + pydantic + joblib", "fastapi_joblib", flat, lambda answer: answer["score"]),
        Client("FastAPI + pydantic + ONNX", "fastapi_onnx", flat, lambda answer: answer["score"]),
        Client("MLServer + ONNX", "mlserver_onnx", [post(INFER, _json(tensor(row))) for row in encoded], output),
        Client("ours, bare", "bare", [post("/predict", _json({"rows": [row]})) for row in rows], prediction),
        Client(
            "ours",
            "ours",
            [post("/v1/predict", _json({"rows": [row]}), KEY_HEADER) for row in rows],
            prediction,
        ),
        Client(
            "ours, Open Inference Protocol",
            "ours",
            [post(INFER, _json(columns(row, types)), KEY_HEADER) for row in rows],
            output,
        ),
    ]


def tensor(encoded: Sequence[float]) -> dict[str, Any]:
    """The model's own input as one tensor: nothing left to encode or to check."""
    return {"inputs": [{"name": "features", "shape": [1, len(encoded)], "datatype": "FP32", "data": list(encoded)}]}


def columns(row: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    """One tensor for each raw column."""
    return {
        "inputs": [
            {"name": name, "shape": [1], "datatype": datatype(types[name]), "data": [value]}
            for name, value in row.items()
        ]
    }


def datatype(kind: str) -> str:
    """The Open Inference Protocol's name of a contract's type."""
    if kind in ("category", "timestamp"):
        return "BYTES"
    return kind.replace("float", "FP").upper()


def prediction(answer: Mapping[str, Any]) -> float:
    """The score of the one row."""
    return float(answer["predictions"][0]["score"])


def output(answer: Mapping[str, Any]) -> float:
    """The tensor `score` of an Open Inference Protocol answer."""
    return float(next(each["data"][0] for each in answer["outputs"] if each["name"] == "score"))


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
