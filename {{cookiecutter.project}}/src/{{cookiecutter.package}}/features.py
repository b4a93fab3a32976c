"""From columns to the model's input: one float32 matrix. The same code in training, serving and batch, so that they cannot differ."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .contract import Column, Contract

Matrix = NDArray[np.float32]
Array = NDArray[Any]


def input_names(contract: "Contract") -> tuple[str, ...]:
    """Names of the matrix's columns: a feature each, or `feature.part` for each part of a timestamp."""
    return tuple(name for feature in contract.features for name in _names(feature, contract.columns[feature]))


def categories(contract: "Contract") -> dict[str, tuple[str, ...]]:
    """The categories of every input that has any; an input's value is the position in this list."""
    return {name: contract.columns[name].categories for name in contract.features if contract.columns[name].categories}


def encode(contract: "Contract", columns: Mapping[str, Array]) -> Matrix:
    """The model's input, [rows, inputs], C-contiguous; missing values and unknown categories are NaN.

    `columns` holds an array for each feature: numbers (NaN where missing), bool or text (None or NaN where missing), and for a
    timestamp datetime64 without zone: the wall clock of the contract's zone (`times.local`).
    """
    features = contract.features
    rows = len(columns[features[0]])
    matrix = np.empty((rows, len(input_names(contract))), dtype=np.float32)
    position = 0
    for feature in features:
        for values in encode_column(contract.columns[feature], columns[feature]):
            matrix[:, position] = values
            position += 1
    return matrix


def encode_column(column: "Column", values: Array) -> Iterable[Array]:
    """One array for each input that a column gives."""
    if column.type == "category":
        return [_positions(column.categories, values)]
    if column.type == "timestamp":
        return [_PARTS[part](values.astype("datetime64[s]")) for part in column.parts]
    if values.dtype == object:
        return [np.array([np.nan if value is None else value for value in values], dtype=np.float32)]
    return [values]


def _names(feature: str, column: "Column") -> list[str]:
    return [f"{feature}.{part}" for part in column.parts] if column.parts else [feature]


def _positions(known: tuple[str, ...], values: Array) -> Matrix:
    position = {name: float(index) for index, name in enumerate(known)}
    missing = float("nan")
    return np.fromiter((position.get(value, missing) for value in values), dtype=np.float32, count=len(values))


def _within(values: Array, unit: str, whole: str) -> Array:
    start = values.astype(f"datetime64[{whole}]")
    return _or_nan(values, (values.astype(f"datetime64[{unit}]") - start).astype(np.int64))


def _or_nan(values: Array, numbers: Array) -> Array:
    return np.where(np.isnat(values), np.nan, numbers.astype(np.float64))


_PARTS: dict[str, Callable[[Array], Array]] = {
    "year": lambda values: _or_nan(values, values.astype("datetime64[Y]").astype(np.int64) + 1970),
    "month": lambda values: _within(values, "M", "Y") + 1,
    "day": lambda values: _within(values, "D", "M") + 1,
    # ISO 8601: Monday is 1. The epoch was a Thursday.
    "weekday": lambda values: _or_nan(values, (values.astype("datetime64[D]").astype(np.int64) + 3) % 7 + 1),
    "hour": lambda values: _within(values, "h", "D"),
    "minute": lambda values: _within(values, "m", "h"),
}
