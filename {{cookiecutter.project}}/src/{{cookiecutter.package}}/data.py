"""The table of training: read, converted to the contract's types, labelled, split by time."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from . import tables, times
from .contract import RANGES, Column, Contract
from .errors import Refused

if TYPE_CHECKING:
    import pyarrow as pa

_OFFSET = r"(?:[Zz]|[+-]\d\d(?::?\d\d)?)\s*$"
# pandas' integers that can be missing.
_NULLABLE = {name: name.replace("uint", "UInt").replace("int", "Int") for name in RANGES if "int" in name}
_WORDS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class Dataset:
    """Rows with the contract's columns and types, and how many came from which file."""

    frame: pd.DataFrame
    files: tuple[tuple[str, int], ...]

    def place(self, row: int) -> str:
        """File and row (from 1, without header) of a row of the frame."""
        for name, rows in self.files:
            if row < rows:
                return f"{name}: row {row + 1}"
            row -= rows
        raise IndexError(row)


def load(contract: Contract, source: str, root: Path) -> Dataset:
    """Read a source; Refused names file, column, row and value of the first cell of a column that has another type."""
    parts = [(name, convert(contract, name, table)) for name, table in tables.read(source, root)]
    frame = pd.concat([part for _, part in parts], ignore_index=True)
    if frame.empty:
        raise Refused(f"{source}: there is a header but no row; give a table with rows")
    return Dataset(frame, tuple((name, len(part)) for name, part in parts))


def convert(contract: Contract, file: str, table: "pa.Table") -> pd.DataFrame:
    """The contract's columns of one file in the contract's types; other columns are left out."""
    for name in contract.columns:
        if name not in table.column_names:
            raise Refused(f"{file}: column {name}: missing; the file has {', '.join(table.column_names)}")
    columns, problems = {}, []
    for name, column in contract.columns.items():
        raw = table.column(name).to_pandas()
        converted, reason = _converted(column, raw, contract.zone)
        wrong = np.flatnonzero(raw.notna() & converted.isna())
        if len(wrong):
            value, place = raw.iloc[wrong[0]], f"{file}: column {name}: row {wrong[0] + 1}"
            more = f" ({len(wrong)} such rows)" if len(wrong) > 1 else ""
            rule = reason or _time_reason(value, contract.zone)
            problems.append(f"{place}: {column.shown(value)}: {rule}{more}")
        columns[name] = converted
    if problems:
        raise Refused("\n".join(problems))
    return pd.DataFrame(columns)


def content_hash(frame: pd.DataFrame) -> str:
    """`sha256:…` of columns, types and values, whatever file they came from."""
    digest = hashlib.sha256()
    for name in frame.columns:
        digest.update(f"{name}:{frame[name].dtype};".encode())
        digest.update(pd.util.hash_pandas_object(frame[name], index=False).to_numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"


def label(contract: Contract, frame: pd.DataFrame) -> pd.Series:
    """1.0 for positive, 0.0 for negative rows, NaN where the label is missing."""
    values, (rule, limit) = frame[contract.label_column], contract.label.rule
    if contract.label.values:
        positive = values.isin(list(contract.label.values))
    else:
        compare = {"above": values.gt, "below": values.lt, "at_least": values.ge, "at_most": values.le}[rule]
        positive = compare(limit)
    return positive.fillna(value=False).astype("float64").where(values.notna())


def boundary(contract: Contract, frame: pd.DataFrame, share: float) -> datetime:
    """The time from which rows are for evaluation, so that they are about this share of all."""
    ordered = frame[contract.time_column].sort_values(ignore_index=True)
    start: datetime = ordered.iloc[min(int(len(ordered) * (1 - share)), len(ordered) - 1)].to_pydatetime()
    return start


def between(contract: Contract, frame: pd.DataFrame, start: datetime | None, end: datetime | None) -> pd.DataFrame:
    """The rows of the half-open interval [start, end) in the order of time."""
    time = frame[contract.time_column]
    keep = pd.Series(data=True, index=frame.index)
    if start is not None:
        keep &= time >= start
    if end is not None:
        keep &= time < end
    return frame[keep].sort_values(contract.time_column, kind="stable", ignore_index=True)


def arrays(contract: Contract, frame: pd.DataFrame) -> dict[str, np.ndarray[Any, Any]]:
    """The features as `features.encode` takes them."""
    return {name: _array(contract.columns[name], frame[name], contract.zone) for name in contract.features}


def inputs(contract: Contract, frame: pd.DataFrame) -> pd.DataFrame:
    """The features as the scikit-learn pipeline takes them: numbers as float32, categories as text, a column for each part of a time."""
    columns: dict[str, pd.Series] = {}
    for name in contract.features:
        column, values = contract.columns[name], frame[name]
        if column.type == "timestamp":
            clock = values.dt.tz_convert(contract.zone or "UTC")
            columns |= {f"{name}.{part}": _part(clock, part) for part in column.parts}
        elif column.type == "category":
            columns[name] = values.astype(object)
        else:
            columns[name] = values.astype("Float32").astype("float32")
    return pd.DataFrame(columns)


def _part(clock: pd.Series, part: str) -> pd.Series:
    numbers = clock.dt.day_of_week + 1 if part == "weekday" else getattr(clock.dt, part)
    return pd.Series(numbers.astype("float32"))


def _array(column: Column, values: pd.Series, zone: str | None) -> np.ndarray[Any, Any]:
    if column.type == "timestamp":
        return np.asarray(values.dt.tz_convert(zone or "UTC").dt.tz_localize(None))
    if column.type == "category":
        return np.asarray(values.to_numpy(dtype=object, na_value=None))
    return np.asarray(values.astype("Float64").to_numpy(dtype="float64", na_value=np.nan))


def _converted(column: Column, raw: pd.Series, zone: str | None) -> tuple[pd.Series, str]:
    """The column in its type, missing where that failed, and what a failure means (empty: ask `times`)."""
    if column.type == "timestamp":
        return _times(raw, zone), ""
    if column.type in ("category", "text"):
        return _text(raw), f"must be {column.type}"
    if column.type == "bool":
        return _bool(raw), "must be true or false"
    return _number(column, raw), f"must be a {'whole ' if column.integer else ''}number ({column.type})"


def _number(column: Column, raw: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(raw) or pd.api.types.is_datetime64_any_dtype(raw):
        return pd.Series(pd.NA, index=raw.index, dtype="Float64")
    numbers = pd.to_numeric(raw, errors="coerce")
    if column.integer:
        lowest, highest = (int(limit) for limit in RANGES[column.type])
        whole = numbers.where((numbers % 1 == 0) & (numbers >= lowest) & (numbers <= highest))
        return whole.astype(_NULLABLE[column.type])
    return numbers.where(np.isfinite(numbers.astype("float64"))).astype(column.type)


def _bool(raw: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(raw):
        return raw.astype("boolean")
    words = raw.map(lambda value: _WORDS.get(str(value).strip().lower()), na_action="ignore")
    return words.astype("boolean")


def _text(raw: pd.Series) -> pd.Series:
    if pd.api.types.is_integer_dtype(raw) or pd.api.types.is_string_dtype(raw):
        return raw.astype("str")
    if isinstance(raw.dtype, pd.CategoricalDtype) and pd.api.types.is_string_dtype(raw.cat.categories):
        return raw.astype("str")
    return pd.Series(np.nan, index=raw.index).astype("str")


def _times(raw: pd.Series, zone: str | None) -> pd.Series:
    if isinstance(raw.dtype, pd.DatetimeTZDtype):
        return raw.dt.tz_convert("UTC").dt.as_unit("us")
    if pd.api.types.is_datetime64_any_dtype(raw):
        return _localized(raw, zone)
    if not pd.api.types.is_string_dtype(raw):
        return pd.Series(pd.NaT, index=raw.index, dtype="datetime64[us, UTC]")
    with_offset = raw.str.contains(_OFFSET, regex=True, na=False) & raw.str.contains(":", na=False)
    there = pd.to_datetime(raw.where(with_offset), errors="coerce", format="ISO8601", utc=True).dt.as_unit("us")
    here = _localized(pd.to_datetime(raw.where(~with_offset), errors="coerce", format="ISO8601"), zone)
    return there.where(with_offset, here)


def _localized(clock: pd.Series, zone: str | None) -> pd.Series:
    if zone is None:
        return pd.Series(pd.NaT, index=clock.index, dtype="datetime64[us, UTC]")
    known = clock.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    return known.dt.tz_convert("UTC").dt.as_unit("us")


def _time_reason(value: object, zone: str | None) -> str:
    try:
        times.instant(value if isinstance(value, datetime) else str(value), zone)
    except times.WrongTime as error:
        return str(error)
    return "is no time in the form 2013-10-01T08:30:00+02:00"
