"""What the peers know of a bundle: the features of its contract, in order, and the row that the graph takes."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODEL = Path(
    os.environ.get("BENCH_MODEL", ".")
)  # a folder with contract.json, manifest.json, model.onnx and model.joblib
WORDS = {"category": str, "bool": bool}


@dataclass(frozen=True)
class Feature:
    """One column of a request; `codes` holds a category's place in the contract's list."""

    name: str
    type: type
    optional: bool
    codes: Mapping[str, int] | None

    def code(self, value: object) -> float:
        """The number that the graph takes for this value: NaN where it is missing or an unknown category."""
        if value is None:
            return math.nan
        return float(value) if self.codes is None else self.codes.get(str(value), math.nan)  # type: ignore[arg-type]


def features(folder: Path = MODEL) -> tuple[Feature, ...]:
    """The contract's features as plain Python types: whole numbers, numbers, words."""
    return tuple(
        _feature(name, column) for name, column in columns(folder).items() if "feature" in column.get("roles", [])
    )


def key() -> str:
    """The contract's key, as prepare.py names it in the large table."""
    return next((name for name, column in columns(MODEL).items() if "key" in column.get("roles", [])), "key")


def columns(folder: Path) -> dict[str, Any]:
    """The contract's columns."""
    return dict(json.loads((folder / "contract.json").read_text())["columns"])


def threshold() -> float:
    """The score from which the bundle decides yes."""
    return float(json.loads((MODEL / "manifest.json").read_text())["threshold"])


def _feature(name: str, column: Mapping[str, object]) -> Feature:
    kind, categories = str(column["type"]), column.get("categories")
    python = WORDS.get(kind, int if "int" in kind else float)
    codes = {str(value): code for code, value in enumerate(categories)} if isinstance(categories, list) else None
    return Feature(name, python, bool(column.get("missing")), codes)
