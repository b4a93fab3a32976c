"""One model's answers: from a body to the bytes that go back, counted and logged."""

import itertools
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from .logs import KeyHash, Log, PredictionLine
from .observe import Metrics
from .predictor import Predictor, Scores
from .together import Together
from .wire import Request, datatype

Answer = Callable[[bytes, str], Awaitable[tuple[int, bytes]]]
"""From a body and the time of the request to the number of rows and the answer's body."""


class Prediction(msgspec.Struct):
    """One row's answer."""

    id: str
    key: str | None
    score: float
    decision: bool


class Predictions(msgspec.Struct):
    """The answer of /v1/predict."""

    model: str
    version: str
    bundle: str
    predictions: list[Prediction]


class Model:
    """A loaded model behind its routes."""

    def __init__(self, predictor: Predictor, metrics: Metrics, log: Log | None, key_hash: KeyHash) -> None:
        self.predictor, self.name, self.version = predictor, predictor.manifest.name, predictor.version
        self._metrics, self._log, self._key_hash = metrics, log, key_hash
        self._logged = [(index, each.name) for index, each in enumerate(predictor.wire.features) if each.public]
        # Unique without asking the system for random bytes each time.
        self._prefix, self._counter = secrets.token_hex(6), itertools.count()
        self._encode = msgspec.json.Encoder().encode
        self._together = Together(predictor.scores)
        metrics.serve(predictor)

    async def rows(self, body: bytes, time: str) -> tuple[int, bytes]:
        """POST /v1/predict"""
        request = self.predictor.wire.rows(body)
        predictions = self._predictions(request, time, await self._together.scores(request.matrix))
        return request.rows, self._encode(Predictions(self.name, self.version, self.predictor.id, predictions))

    async def tensors(self, body: bytes, time: str) -> tuple[int, bytes]:
        """POST /v2/models/{name}/infer"""
        request = self.predictor.wire.tensors(body)
        predictions = self._predictions(request, time, await self._together.scores(request.matrix))
        shape = [request.rows]
        columns: list[tuple[str, str, list[Any]]] = [
            ("score", "FP32", [each.score for each in predictions]),
            ("decision", "BOOL", [each.decision for each in predictions]),
            ("id", "BYTES", [each.id for each in predictions]),
        ]
        answer = {
            "model_name": self.name,
            "model_version": self.version,
            "id": request.id or predictions[0].id,
            "parameters": {"bundle": self.predictor.id},
            "outputs": [{"name": name, "shape": shape, "datatype": kind, "data": data} for name, kind, data in columns],
        }
        return request.rows, self._encode(answer)

    def metadata(self) -> dict[str, Any]:
        """GET /v2/models/{name}"""
        inputs = [
            {"name": each.name, "datatype": datatype(each), "shape": [-1]} for each in self.predictor.wire.features
        ]
        outputs = [
            {"name": name, "datatype": kind, "shape": [-1]}
            for name, kind in (("score", "FP32"), ("decision", "BOOL"), ("id", "BYTES"))
        ]
        return {
            "name": self.name,
            "versions": [self.version],
            "platform": "onnx",
            "inputs": inputs,
            "outputs": outputs,
            "parameters": {"bundle": self.predictor.id, "threshold": self.predictor.threshold},
        }

    def _predictions(self, request: Request, time: str, found: Scores) -> list[Prediction]:
        scores: list[float] = found.tolist()
        threshold, prefix, counter = self.predictor.threshold, self._prefix, self._counter
        decisions = [score >= threshold for score in scores]
        self._metrics.scored(request.values, request.matrix, found, decisions)
        predictions = [
            Prediction(f"{prefix}-{next(counter):x}", key, score, decision)
            for key, score, decision in zip(request.keys, scores, decisions, strict=True)
        ]
        if self._log is not None:
            self._write(self._log, predictions, request, time)
        return predictions

    def _write(self, log: Log, predictions: list[Prediction], request: Request, time: str) -> None:
        values, bundle, version = request.values, self.predictor.id, self.version
        for row, each in enumerate(predictions):
            features = {name: values[index][row] for index, name in self._logged}
            log.add(
                PredictionLine(
                    time, each.id, self._key_hash(each.key), bundle, version, each.score, each.decision, features
                )
            )
