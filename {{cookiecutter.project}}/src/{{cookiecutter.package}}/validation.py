"""Does a table keep the data contract? A pandera schema built from config/data.yaml, and what concerns the whole table."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .contract import Column, Contract
from .data import Dataset, label
from .errors import Refused

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema


def check(contract: Contract, dataset: Dataset) -> None:
    """Refused has a line for each rule that is broken: file, column, the first such row, its value, the rule."""
    problems = [*_cells(contract, dataset), *_shares(contract, dataset), *_keys(contract, dataset)]
    if problems := problems or list(_label(contract, dataset)):
        raise Refused("\n".join(problems))


def schema(contract: Contract) -> "DataFrameSchema":
    """The contract's bounds and categories as a pandera schema; the name of each check is the rule in words."""
    import pandera.pandas as pa

    columns = {}
    for name, column in contract.columns.items():
        checks = []
        if column.numeric:
            lowest, highest = column.bounds
            checks.append(pa.Check.ge(lowest, error=f"must be ≥ {lowest}"))
            checks.append(pa.Check.le(highest, error=f"must be ≤ {highest}"))
        if column.categories and not column.unknown:
            rule = f"is not among {column.listed} (config/data.yaml: columns.{name}.categories)"
            checks.append(pa.Check.isin(column.categories, error=rule))
        columns[name] = pa.Column(checks=checks, nullable=True)
    return pa.DataFrameSchema(columns)


def _cells(contract: Contract, dataset: Dataset) -> Iterator[str]:
    """One line for each rule of a column that cells break, with the first such row."""
    from pandera.errors import SchemaErrors

    try:
        schema(contract).validate(dataset.frame, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases.sort_values("index", kind="stable")
        for (name, rule), cells in cases.groupby(["column", "check"], sort=False):
            value = contract.columns[str(name)].shown(cells["failure_case"].iloc[0])
            yield _line(dataset, str(name), cells["index"].tolist(), f"{value}: {rule}")


def _shares(contract: Contract, dataset: Dataset) -> Iterator[str]:
    for name, column in contract.columns.items():
        values = dataset.frame[name]
        found = [("missing", values.isna(), column.missing, "missing")]
        if column.unknown:
            found.append(("unknown", _unknown(column, values), column.unknown, "of unknown categories"))
        for key, where, allowed, words in found:
            rows = np.flatnonzero(where)
            share = len(rows) / len(values)
            if share > allowed:
                value = "missing" if key == "missing" else column.shown(values.iloc[rows[0]])
                limit = f"at most {allowed} may be (config/data.yaml: columns.{name}.{key})"
                yield f"{_place(dataset, name, rows[0])}: {value}: {share:.2g} of the rows are {words}, {limit}"


def _keys(contract: Contract, dataset: Dataset) -> Iterator[str]:
    if (name := contract.key_column) is None:
        return
    keys = dataset.frame[name]
    rows = np.flatnonzero(keys.duplicated())
    if len(rows):
        value = keys.iloc[rows[0]]
        first, shown = dataset.place(int(np.flatnonzero(keys == value)[0])), contract.columns[name].shown(value)
        yield _line(dataset, name, rows.tolist(), f"{shown}: this key is also that of {first}; each row needs its own")


def _label(contract: Contract, dataset: Dataset) -> Iterator[str]:
    """Why the table cannot teach the label, though every cell is allowed."""
    name, positive = contract.label_column, label(contract, dataset.frame).dropna()
    place = f"{', '.join(file for file, _ in dataset.files)}: column {name}"
    if positive.empty:
        yield f"{place}: missing in every row: the label cannot be computed; add rows whose outcome is known"
    elif positive.nunique() == 1:
        kind = "positive" if positive.iloc[0] else "negative"
        rule = f"config/data.yaml: label ({contract.label})"
        yield f"{place}: all {len(positive)} rows are {kind} by {rule}, a model needs both; correct it or add rows"


def _unknown(column: Column, values: "pd.Series[Any]") -> "pd.Series[bool]":
    return values.notna() & ~values.isin(column.categories)


def _line(dataset: Dataset, name: str, rows: list[int], reason: str) -> str:
    more = f" ({len(rows)} such rows)" if len(rows) > 1 else ""
    return f"{_place(dataset, name, rows[0])}: {reason}{more}"


def _place(dataset: Dataset, name: str, row: int) -> str:
    file, place = dataset.place(int(row)).rsplit(": ", 1)
    return f"{file}: column {name}: {place}"
