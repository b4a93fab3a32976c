"""The load generator as a process of its own, and what its log says."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .load import CLIENTS

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Request:
    """One line of the log."""

    client: int
    connection: int
    begun: float
    ended: float
    row: int
    status: int
    bundle: str
    score: float | None
    error: str
    closed: bool


@dataclass(frozen=True)
class Measured:
    """Everything that was asked, in the order in which it was."""

    requests: list[Request]

    @property
    def seconds(self) -> float:
        return self.requests[-1].begun - self.requests[0].begun

    @property
    def per_second(self) -> float:
        return len(self.requests) / self.seconds

    @property
    def lost(self) -> list[Request]:
        """Whatever was not answered with 200."""
        return [request for request in self.requests if request.error or request.status != 200]

    @property
    def share(self) -> dict[str, float]:
        """Share of the answers by bundle."""
        counted = Counter(request.bundle for request in self.requests if request.status == 200)
        return {bundle: count / counted.total() for bundle, count in counted.items()}

    def wrong(self, offline: dict[str, list[float]]) -> list[Request]:
        """Answers whose score is not that of the bundle which they name, for the row that was asked."""
        return [
            request
            for request in self.requests
            if request.status == 200 and abs((request.score or 0) - offline[request.bundle][request.row]) > 1e-6
        ]

    def under_way(self, moment: float) -> int:
        """How many requests were sent and not answered at a moment."""
        return sum(request.begun <= moment <= request.ended for request in self.requests)

    def closed_by(self, bundle: str) -> dict[int, int]:
        """How many open connections servers of a bundle closed, for each client."""
        counted = Counter(request.client for request in self.requests if request.closed and request.bundle == bundle)
        return {client: counted[client] for client in range(CLIENTS)}

    def summary(self) -> dict[str, Any]:
        """What is worth keeping beside the log."""
        times = sorted(request.ended - request.begun for request in self.requests)
        return {
            "requests": len(self.requests),
            "per_second": round(self.per_second, 1),
            "lost": len(self.lost),
            "first_losses": [f"{request.status} {request.error}" for request in self.lost[:3]],
            "share": {bundle[:12]: round(share, 4) for bundle, share in self.share.items()},
            "median_ms": round(1000 * times[len(times) // 2], 2),
            "p99_ms": round(1000 * times[int(len(times) * 0.99)], 2),
            "longest_ms": round(1000 * times[-1], 1),
        }


class Load:
    """What is under way; `measured` is there when the block has ended."""

    measured: Measured


@contextmanager
def load(address: str, key: str, rows: list[dict[str, Any]], log: Path, *options: str) -> Iterator[Load]:
    """Ask from before the block begins until after it has ended; the raw log stays in the file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    questions = log.with_suffix(".rows.json")
    questions.write_text(json.dumps(rows))
    # A key may begin with a hyphen, and would be taken for an option.
    words = ("--address", address, "--rows", str(questions), "--log", str(log), f"--key={key}", *options)
    command = [sys.executable, str(HERE / "load.py"), *words]
    under_way = Load()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield under_way
        finally:
            process.terminate()
            assert process.stderr is not None
            said = process.stderr.read()
    assert process.returncode == 0, said
    under_way.measured = Measured([Request(*json.loads(line)) for line in log.read_text().splitlines()])
