"""The reference profile: how the training data was distributed, in the bins in which live traffic is counted."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contract import Column, Contract
from .features import encode_column

Array = NDArray[Any]


def build(contract: Contract, columns: Mapping[str, Array], scores: Array, bins: int) -> dict[str, Any]:
    """Bins and ratios of every input and of the score; `columns` as `features.encode` takes them, scores of later rows.

    Numbers have up to `bins` bins of equal row counts: value v lies in bin `searchsorted(edges, v, side="right")`, and
    the last ratio is that of missing values. Categories have one bin a value, then `other`, then `missing`.
    """
    profiles = {}
    for name in contract.features:
        column = contract.columns[name]
        if column.type == "category":
            profiles[name] = _category(column, columns[name])
            continue
        names = [f"{name}.{part}" for part in column.parts] or [name]
        for name_of_input, values in zip(names, encode_column(column, columns[name]), strict=True):
            profiles[name_of_input] = {"kind": "number", **_number(np.asarray(values, dtype=np.float32), bins)}
    return {"bins": profiles, "score": _number(np.asarray(scores, dtype=np.float64), bins)}


def _number(values: Array, bins: int) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    # Few distinct values, such as hours, give one quantile twice: each edge stands once, and none below all values.
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1], method="higher")) if len(known) else known
    edges = edges[edges > known.min()] if len(known) else edges
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return {"edges": edges.tolist(), "ratios": _ratios([*counts.tolist(), len(values) - len(known)])}


def _category(column: Column, values: Array) -> dict[str, Any]:
    found = values.tolist()
    missing = sum(value is None or value != value for value in found)  # NaN is not equal to itself
    counts = [found.count(category) for category in column.categories]
    other = len(found) - missing - sum(counts)
    return {"kind": "category", "values": list(column.categories), "ratios": _ratios([*counts, other, missing])}


def _ratios(counts: list[int]) -> list[float]:
    total = max(sum(counts), 1)
    return [round(count / total, 6) for count in counts]
