"""Logs as lines of JSON in the Elastic Common Schema on standard output: no payloads, no addresses, no keys.

Lines are collected and written every few milliseconds: writing each on its own would cost as much as the prediction.
"""

import asyncio
import hashlib
import hmac
import logging
import os
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from time import time_ns
from typing import Any

import msgspec

FLUSH_SECONDS = 0.1
FLUSH_LINES = 128
"""Under load written before the time is up: to keep more would cost the requests the processor's cache."""
SELDOM_SECONDS = 60
PREDICTION_FORMAT = 1
SECRET = "PREDICTION_LOG_SECRET"  # noqa: S105 - the name of the variable that holds it


class RequestLine(msgspec.Struct):
    """One request."""

    timestamp: str = msgspec.field(name="@timestamp")
    level: str = msgspec.field(name="log.level")
    message: str
    method: str = msgspec.field(name="http.request.method")
    status: int = msgspec.field(name="http.response.status_code")
    duration: int = msgspec.field(name="event.duration")
    rows: int = msgspec.field(name="inference.rows")
    client: str | None = msgspec.field(name="user.name")
    trace: str | msgspec.UnsetType = msgspec.field(name="trace.id", default=msgspec.UNSET)
    reason: str | msgspec.UnsetType = msgspec.field(name="error.message", default=msgspec.UNSET)
    dataset: str = msgspec.field(name="event.dataset", default="serving.request")
    ecs: str = msgspec.field(name="ecs.version", default="8.11.0")


class PredictionLine(msgspec.Struct):
    """One prediction; docs/reference/prediction-log.md explains each field."""

    timestamp: str = msgspec.field(name="@timestamp")
    id: str = msgspec.field(name="prediction.id")
    key: str | None = msgspec.field(name="prediction.key")
    bundle: str = msgspec.field(name="model.bundle")
    version: str = msgspec.field(name="model.version")
    score: float = msgspec.field(name="prediction.score")
    decision: bool = msgspec.field(name="prediction.decision")
    features: dict[str, Any] = msgspec.field(name="prediction.features")
    format: int = msgspec.field(name="prediction.format", default=PREDICTION_FORMAT)
    dataset: str = msgspec.field(name="event.dataset", default="serving.prediction")
    ecs: str = msgspec.field(name="ecs.version", default="8.11.0")


class Log:
    """Collects lines and writes them. Threads of libraries may add lines: what they share changes in single steps only."""

    def __init__(self, write: Callable[[bytes], object] | None = None) -> None:
        self._lines: list[bytes] = []
        self._write = write or _to_standard_output
        self._encode = msgspec.json.Encoder().encode
        self._clock = (0, "")

    def add(self, line: msgspec.Struct | dict[str, Any]) -> None:
        self._lines.append(self._encode(line))

    def event(self, level: str, message: str, **fields: object) -> None:
        """Say what happened to the server itself."""
        fields = {name.replace("__", "."): value for name, value in fields.items()}
        standard = {"@timestamp": self.time(time_ns()), "log.level": level, "message": message, "ecs.version": "8.11.0"}
        self.add({**standard, "event.dataset": "serving", **fields})

    def time(self, nanoseconds: int) -> str:
        """A time in UTC, to the millisecond."""
        second, rest = divmod(nanoseconds, 1_000_000_000)
        known, prefix = self._clock
        if second != known:
            prefix = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
            self._clock = (second, prefix)
        return f"{prefix}{rest // 1_000_000:03d}Z"

    def flush(self, least: int = 1) -> None:
        """Write the lines, if there are so many; for the event loop's thread only."""
        if len(self._lines) >= least and (lines := self._lines[:]):
            del self._lines[: len(lines)]
            self._write(b"\n".join(lines) + b"\n")

    async def run(self) -> None:
        """Write what has come together, for ever."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            self.flush()


class Handler(logging.Handler):
    """Takes what libraries log. Of an exception only its type and place are kept: its message may quote a payload."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, object] = {"log__logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            fields |= failure(record.exc_info[1])
        self._log.event(record.levelname.lower(), record.getMessage().strip(), **fields)


class Seldom(logging.Filter):
    """Lets one record of each logger pass in SELDOM_SECONDS: what cannot be delivered fails again and again."""

    def __init__(self) -> None:
        super().__init__()
        self._next: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.created < self._next.get(record.name, 0):
            return False
        self._next[record.name] = record.created + SELDOM_SECONDS
        return True


def failure(error: BaseException) -> dict[str, object]:
    """Type and place of an exception, without its message."""
    place = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    return {"error__type": type(error).__name__, "error__stack_trace": "\n".join(place)}


class KeyHash:
    """A row's key as the prediction log shows it: HMAC-SHA-256 under a secret, so that labels can be joined and nobody be named."""

    def __init__(self, secret: bytes | None) -> None:
        self._secret = secret

    @classmethod
    def from_environment(cls) -> "KeyHash":
        return cls(os.environ.get(SECRET, "").encode() or None)

    @property
    def known(self) -> bool:
        return self._secret is not None

    def __call__(self, key: str | None) -> str | None:
        if key is None or self._secret is None:
            return None
        return hmac.digest(self._secret, key.encode(), hashlib.sha256).hex()


def _to_standard_output(content: bytes) -> None:
    while content:
        content = content[os.write(1, content) :]
