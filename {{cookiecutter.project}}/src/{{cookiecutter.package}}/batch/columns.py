"""From Arrow to the model's input: the contract's check and `features.encode` for a part of a table, without pandas.

`tests/unit/test_batch.py` proves that the two encode alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..contract import Column
from ..features import Array, Matrix, encode_column
from ..times import WrongTime, instant, local

_OFFSET = r"(?:[Zz]|[+-]\d\d(?::?\d\d)?)\s*$"
_WORDS = pa.array(["false", "0", "true", "1"])
# Whatever is not among these in the type of a column of Arrow has no value that the contract could mean.
_NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)


class Wrong(Exception):
    """The first row (from 0) of a column that breaks the contract, and the rule it breaks."""

    def __init__(self, row: int, rule: str) -> None:
        super().__init__(rule)
        self.row, self.rule = row, rule


@dataclass(frozen=True)
class Inputs:
    """What a column gives to the model (an array for each input), and how many rows had no value or an unknown category."""

    values: list[Array]
    missing: int
    unknown: int = 0


def inputs(column: Column, cells: pa.Array, zone: str | None) -> Inputs:
    """Check a feature's cells and encode them; Wrong where one breaks the contract by itself.

    Whether too many are missing or unknown can be told from the whole table only; none may be where the share is 0.
    """
    if isinstance(cells, pa.DictionaryArray) and column.type != "category":
        cells = cells.dictionary_decode()
    if pa.types.is_null(cells.type):
        cells = cells.cast(pa.string())
    if column.type == "category":
        found = _category(column, cells)
    elif column.type == "timestamp":
        found = _with_missing(encode_column(column, _wall_clock(cells, zone)))
    elif column.type == "bool":
        found = _with_missing([_bool(cells)])
    else:
        found = _with_missing([_number(column, cells)])
    if found.missing and not column.missing:
        raise Wrong(_first(np.isnan(found.values[0])), "must not be missing")
    return found


def _with_missing(values: Any) -> Inputs:
    values = list(values)
    return Inputs(values, int(np.count_nonzero(np.isnan(values[0]))) if values[0].dtype.kind == "f" else 0)


def _category(column: Column, cells: pa.Array) -> Inputs:
    known = pa.array(column.categories, pa.string())
    if isinstance(cells, pa.DictionaryArray):
        # A few texts stand for many rows: only those few are looked up.
        meanings = np.append(_positions(cells.dictionary, known), np.float32(np.nan))
        positions = meanings[cells.indices.fill_null(len(cells.dictionary)).to_numpy(zero_copy_only=False)]
    else:
        positions = _positions(cells, known)
    missing = cells.null_count
    unknown = int(np.count_nonzero(np.isnan(positions))) - missing
    if unknown and not column.unknown:
        listed = ", ".join(column.categories[:20]) + (", …" if len(column.categories) > 20 else "")
        raise Wrong(_first(np.isnan(positions) & _present(cells)), f"must be one of {listed}")
    return Inputs([positions], missing, unknown)


def _positions(texts: pa.Array, known: pa.Array) -> Matrix:
    _must_be(texts, "a category", *_TEXTS, pa.types.is_integer)
    found = pc.index_in(texts.cast(pa.string()), value_set=known, skip_nulls=True)
    return found.cast(pa.float32()).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _number(column: Column, cells: pa.Array) -> Array:
    rule = f"must be a {'whole ' if column.integer else ''}number ({column.type})"
    _must_be(cells, rule.removeprefix("must be "), *_NUMBERS, *_TEXTS)
    values = _parsed(cells, rule) if _is(cells, *_TEXTS) else _plain(cells)
    if column.type == "float32":
        with np.errstate(over="ignore"):
            values = values.astype(np.float32)
    if column.integer and values.dtype.kind == "f":
        broken = values != np.floor(values)
        broken &= ~np.isnan(values)
        if broken.any():
            raise Wrong(_first(broken), rule)
    lowest, highest = column.bounds
    # fmin and fmax leave NaN out; comparing as Python's numbers keeps int64 and uint64 exact.
    for limit, extreme, beyond, sign in ((lowest, np.fmin, np.less, "≥"), (highest, np.fmax, np.greater, "≤")):
        if len(values) and beyond(extreme.reduce(values, keepdims=True), limit).all():
            row = _first(beyond(values, limit))
            raise Wrong(row, rule if np.isinf(values[row]) else f"must be {sign} {limit:.10g}")
    # The way that training takes: 64 bits first, then the 32 of the model.
    return values.astype(np.float64) if values.dtype.kind in "iu" and values.dtype.itemsize == 8 else values


def _plain(cells: pa.Array) -> Array:
    if pa.types.is_decimal(cells.type):
        cells = cells.cast(pa.float64())
    return cells.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _parsed(texts: pa.Array, rule: str) -> Array:
    texts = pc.utf8_trim_whitespace(texts)
    try:
        values: Array = texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        values = _one_by_one(texts, _to_number, np.float64, rule)
    if np.count_nonzero(np.isnan(values)) > texts.null_count:
        raise Wrong(_first(np.isnan(values) & _present(texts)), rule)
    return values


def _to_number(text: str) -> float:
    if "_" in text:  # Python reads 1_000; no one else does
        raise ValueError
    return float(text)


def _bool(cells: pa.Array) -> Array:
    rule = "must be true or false"
    _must_be(cells, "true or false", pa.types.is_boolean, pa.types.is_integer, *_TEXTS)
    words = pc.utf8_lower(pc.utf8_trim_whitespace(cells.cast(pa.string())))
    found = pc.index_in(words, value_set=_WORDS, skip_nulls=True)
    if found.null_count > cells.null_count:
        raise Wrong(_first(~_present(found) & _present(cells)), rule)
    positions: Array = found.cast(pa.float32()).to_numpy(zero_copy_only=False)
    return np.where(np.isnan(positions), np.float32(np.nan), positions >= 2).astype(np.float32)


def _wall_clock(cells: pa.Array, zone: str | None) -> Array:
    """Times as `features.encode` takes them: without zone, as the clocks of the contract's zone show them."""
    _must_be(cells, "a time", pa.types.is_timestamp, *_TEXTS)
    try:
        clock = _clock_of_text(cells, zone) if _is(cells, *_TEXTS) else _clock(cells, zone)
        return clock.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
    except pa.ArrowInvalid:
        return _one_by_one(cells, lambda value: local(instant(value, zone), zone), "datetime64[us]", "")


def _clock(times: pa.Array, zone: str | None) -> pa.Array:
    if times.type.tz is not None:
        return pc.local_timestamp(times.cast(pa.timestamp(times.type.unit, zone or "UTC")))
    if zone is None:
        raise pa.ArrowInvalid("no zone")
    pc.assume_timezone(times, zone, ambiguous="raise", nonexistent="raise")
    return times


def _clock_of_text(texts: pa.Array, zone: str | None) -> pa.Array:
    exact = pa.timestamp("us", "UTC")
    with_offset = pc.and_(pc.match_substring_regex(texts, _OFFSET), pc.match_substring(texts, ":"))
    if pc.all(with_offset, min_count=0).as_py():
        return _clock(texts.cast(exact), zone)
    there = _clock(pc.if_else(with_offset, texts, None).cast(exact), zone)
    here = _clock(pc.if_else(with_offset, None, texts).cast(pa.timestamp("us")), zone)
    return pc.coalesce(there, here)


def _one_by_one(cells: pa.Array, convert: Callable[[Any], Any], kind: Any, rule: str) -> Array:
    """What Arrow could not read at once: it knows fewer forms than Python, and does not say which cell was wrong."""
    values: list[Any] = []
    for row, cell in enumerate(cells.to_pylist()):
        try:
            values.append(None if cell is None else convert(cell))
        except (ValueError, OverflowError) as error:
            raise Wrong(row, str(error) if isinstance(error, WrongTime) else rule or "is out of range") from None
    return np.array(values, dtype=kind)


def _is(cells: pa.Array, *kinds: Callable[[pa.DataType], bool]) -> bool:
    return any(kind(cells.type) for kind in kinds)


def _must_be(cells: pa.Array, what: str, *kinds: Callable[[pa.DataType], bool]) -> None:
    if not _is(cells, *kinds) and cells.null_count < len(cells):
        raise Wrong(_first(_present(cells)), f"must be {what}, and the column is of type {cells.type}")


def _present(cells: pa.Array) -> Array:
    return pc.is_valid(cells).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _first(broken: Array) -> int:
    return int(np.argmax(broken))
