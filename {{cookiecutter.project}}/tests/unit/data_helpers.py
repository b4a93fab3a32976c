"""A small contract with every type of column, and a table that keeps it."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from {{ cookiecutter.package }} import data, strict, validation
from {{ cookiecutter.package }}.contract import Contract
from {{ cookiecutter.package }}.errors import Refused

FILE = "config/data.yaml"


def rules(**changes: Any) -> dict[str, Any]:
    """config/data.yaml as plain data; `hour={"max": 12}` changes a column's rule, `hour=None` drops the column."""
    columns: dict[str, dict[str, Any] | None] = {
        "ride": {"type": "text", "roles": ["key"]},
        "start": {"type": "timestamp", "roles": ["time", "feature"], "parts": ["weekday", "hour"]},
        "hour": {"type": "uint8", "roles": ["feature"], "min": 0, "max": 23},
        "city": {"type": "category", "roles": ["feature", "slice"], "categories": ["NO", "CH"], "missing": 0.5},
        "line": {"type": "category", "roles": ["feature"], "categories": ["A", "B"], "unknown": 0.25},
        "heat": {"type": "float32", "roles": ["feature"], "min": -60, "max": 60, "missing": 0.25},
        "rush": {"type": "bool", "roles": ["feature"], "missing": 0.25},
        "late": {"type": "int16", "roles": ["label"], "missing": 0.5},
        "arrived": {"type": "timestamp", "roles": ["forbidden"], "missing": 1.0},
    }
    top = {
        "task": "binary",
        "source": "rides.csv",
        "purpose": "test",
        "retention": "none",
        "zone": "Europe/Zurich",
        "label": {"above": 15},
    }
    for name, change in changes.items():
        if name in top:
            top[name] = change
        else:
            columns[name] = None if change is None else {**(columns.get(name) or {}), **change}
    return {**top, "columns": {name: column for name, column in columns.items() if column is not None}}


def contract(**changes: Any) -> Contract:
    return strict.parse(Contract, rules(**changes), FILE)


def table(rows: int = 8, **columns: Any) -> pd.DataFrame:
    """Rows that keep the contract; `columns` replaces columns, or with a dict of row to value single cells."""
    count = range(rows)
    frame = pd.DataFrame(
        {
            "ride": [f"r{row}" for row in count],
            "start": [f"2026-05-{row % 28 + 1:02}T08:30:00" for row in count],
            "hour": [row % 24 for row in count],
            "city": ["NO" if row % 2 else "CH" for row in count],
            "line": ["A" if row % 3 else "B" for row in count],
            "heat": [row / 2 for row in count],
            "rush": [row % 2 == 0 for row in count],
            "late": [row * 5 for row in count],
            "arrived": [None for _ in count],
        }
    ).astype(object)
    for name, values in columns.items():
        if isinstance(values, dict):
            for row, value in values.items():
                frame.at[row, name] = value
        else:
            frame[name] = values
    return frame


def checked(given: Contract, source: str, root: Path) -> data.Dataset:
    """What training does with a source: load, then validate."""
    dataset = data.load(given, source, root)
    validation.check(given, dataset)
    return dataset


def csv(frame: pd.DataFrame, **options: Any) -> bytes:
    return frame.to_csv(index=False, **options).encode()


def refusal(root: Path, content: bytes, name: str = "rides.csv", given_: Contract | None = None) -> str:
    """What is said about a file of this content."""
    (root / name).write_bytes(content)
    with pytest.raises(Refused) as refused:
        checked(given_ or contract(), name, root)
    return str(refused.value)
