"""Rows of the sample as requests, and what the laptop says of them."""

import csv
import json
import urllib.request
from pathlib import Path
from typing import Any

from .conftest import LOCAL, World, kubectl

_ROWS = """
import json, sys
import pandas as pd
frame = pd.read_parquet("samples/flights.parquet").sample(int(sys.argv[1]), random_state=7)
frame.to_parquet(sys.argv[2])
from flight_delay.settings import Settings
features = list(Settings.load().contract.features)
print(frame[features].to_json(orient="records"))
"""


def sample_rows(world: World, count: int) -> list[dict[str, Any]]:
    """So many rows of the sample as a request holds them; the table itself lies in artifacts/asked.parquet."""
    found: list[dict[str, Any]] = json.loads(world.python(_ROWS, str(count), "artifacts/asked.parquet"))
    return found


def offline(world: World, rows: list[dict[str, Any]], folder: Path) -> list[float]:
    """The champion's scores of these rows, computed on this machine with the bundle out of the cluster's store."""
    output = folder / "scores.csv"
    world.make("predict", "ENV=local", "INPUT=artifacts/asked.parquet", f"OUTPUT={output}")
    with output.open() as file:
        scores = [float(line["score"]) for line in csv.DictReader(file)]
    assert len(scores) == len(rows)
    return scores


def smoke_key() -> str:
    """The key that the namespace holds for `make smoke`."""
    template = "-o=go-template={{.data.key | base64decode}}"
    return kubectl("get", "secret", "smoke-key", "-n", LOCAL, template)


def asked(world: World, address: str, rows: list[dict[str, Any]], key: str | None = None) -> list[float]:
    """The Service's scores of these rows, in requests of 100."""
    scores: list[float] = []
    for start in range(0, len(rows), 100):
        request = urllib.request.Request(
            f"http://{address}/v1/predict",
            json.dumps({"rows": rows[start : start + 100]}).encode(),
            {"Authorization": f"Bearer {key or smoke_key()}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - this address is ours
            scores += [each["score"] for each in json.load(answer)["predictions"]]
    return scores
