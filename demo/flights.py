"""Run with the project's Python, in the project: write flights of the sample as a table and as requests."""

import json
import sys
from pathlib import Path

import pandas as pd

FLIGHTS = 200
"""How many are asked; few enough for one request."""


def main(table: Path, requests: Path) -> None:
    from importlib import import_module

    settings = import_module(f"{sys.argv[1]}.settings").Settings.load()
    sample = pd.read_parquet(settings.root / settings.contract.source)
    arrived = sample.dropna(subset=[settings.contract.label_column])
    later = arrived.tail(len(arrived) // 4)  # what no model of the sample was trained on
    chosen = later.iloc[:: len(later) // FLIGHTS][:FLIGHTS]
    chosen.to_csv(table, index=False)
    features = list(settings.contract.features)
    rows = json.loads(chosen[features].to_json(orient="records", double_precision=15))
    known = json.loads(chosen[["flight_id", "arr_delay"]].to_json(orient="records"))
    requests.write_text(json.dumps([{"row": row, **each} for row, each in zip(rows, known, strict=True)]))


main(Path(sys.argv[2]), Path(sys.argv[3]))
