"""Tables as people have them: every way to store one is read, and every flaw is refused by file, column, row and value."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from {{ cookiecutter.package }} import data, steps, validation
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.settings import Settings

import sample_project

from .data_helpers import checked, contract, csv, refusal, table

RULES = contract()
NONE = ""  # an empty cell of a CSV


CELLS = [
    # What is wrong, the column with row (from 0) and value, and the whole message.
    ("wrong type", "hour", {2: "noon"}, "column hour: row 3: noon: must be a whole number (uint8)"),
    (
        "wrong type twice",
        "hour",
        {2: "x", 5: "y"},
        "column hour: row 3: x: must be a whole number (uint8) (2 such rows)",
    ),
    ("half a number", "hour", {2: "7.5"}, "column hour: row 3: 7.5: must be a whole number (uint8)"),
    ("beyond its type", "hour", {2: "256"}, "column hour: row 3: 256: must be a whole number (uint8)"),
    ("a word for a number", "heat", {0: "warm"}, "column heat: row 1: warm: must be a number (float32)"),
    ("infinity", "heat", {0: "inf"}, "column heat: row 1: inf: must be a number (float32)"),
    ("a word for a bool", "rush", {1: "maybe"}, "column rush: row 2: maybe: must be true or false"),
    ("too high", "hour", {7: 24}, "column hour: row 8: 24: must be ≤ 23"),
    ("too low", "heat", {7: -61}, "column heat: row 8: -61.0: must be ≥ -60"),
    (
        "unknown category",
        "city",
        {3: "DE"},
        "column city: row 4: DE: is not among NO, CH (config/data.yaml: columns.city.categories)",
    ),
    (
        "too many unknown categories",
        "line",
        {1: "X", 3: "Y", 5: "Z"},
        "column line: row 2: X: 0.38 of the rows are of unknown categories, "
        "at most 0.25 may be (config/data.yaml: columns.line.unknown)",
    ),
    (
        "too many missing",
        "heat",
        {1: NONE, 3: NONE, 5: NONE},
        "column heat: row 2: missing: 0.38 of the rows are missing, at most 0.25 may be (config/data.yaml: columns.heat.missing)",
    ),
    (
        "one missing where none may be",
        "hour",
        {6: NONE},
        "column hour: row 7: missing: 0.12 of the rows are missing, at most 0.0 may be (config/data.yaml: columns.hour.missing)",
    ),
    (
        "duplicate keys",
        "ride",
        {4: "r1", 6: "r1"},
        "column ride: row 5: r1: this key is also that of rides.csv: row 2; each row needs its own (2 such rows)",
    ),
    ("no time", "start", {3: "soon"}, "column start: row 4: soon: is no time in the form 2013-10-01T08:30:00+02:00"),
    (
        "the hour that came twice",
        "start",
        {3: "2026-10-25T02:30:00"},
        "column start: row 4: 2026-10-25T02:30:00: "
        "happened twice in Europe/Zurich: clocks were put back; write it with an offset",
    ),
    (
        "the hour that never came",
        "start",
        {3: "2026-03-29T02:30:00"},
        "column start: row 4: 2026-03-29T02:30:00: "
        "did not happen in Europe/Zurich: clocks were put forward; write it with an offset",
    ),
    ("label of another type", "late", {0: "n/a"}, "column late: row 1: n/a: must be a whole number (int16)"),
    (
        "no label at all",
        "late",
        dict.fromkeys(range(8), NONE),
        "column late: row 1: missing: 1 of the rows are missing, at most 0.5 may be (config/data.yaml: columns.late.missing)",
    ),
    (
        "only negative rows",
        "late",
        dict.fromkeys(range(8), 3),
        "column late: all 8 rows are negative by config/data.yaml: label (above 15), a model needs both; "
        "correct it or add rows",
    ),
    (
        "only positive rows",
        "late",
        dict.fromkeys(range(8), 99),
        "column late: all 8 rows are positive by config/data.yaml: label (above 15), a model needs both; "
        "correct it or add rows",
    ),
]


@pytest.mark.proof("A table that breaks the data contract is refused by file, column, row, value and rule")
@pytest.mark.parametrize(("column", "cells", "message"), [row[1:] for row in CELLS], ids=[row[0] for row in CELLS])
def test_a_wrong_cell_is_named(tmp_path: Path, column: str, cells: dict[int, Any], message: str) -> None:
    assert refusal(tmp_path, csv(table(**{column: cells}))) == f"rides.csv: {message}"


def test_the_good_table_is_not_refused(tmp_path: Path) -> None:
    (tmp_path / "rides.csv").write_bytes(csv(table()))
    dataset = checked(RULES, "rides.csv", tmp_path)
    assert len(dataset.frame) == 8
    assert data.label(RULES, dataset.frame).tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_shares_may_be_used_up_to_the_last_row(tmp_path: Path) -> None:
    content = csv(table(line={1: "X", 3: "Y"}, heat={1: NONE, 3: NONE}))
    (tmp_path / "rides.csv").write_bytes(content)
    assert data.load(RULES, "rides.csv", tmp_path).frame["heat"].isna().sum() == 2
    checked(RULES, "rides.csv", tmp_path)


@pytest.mark.proof("A table that breaks the data contract is refused by file, column, row, value and rule")
def test_every_broken_rule_has_its_line(tmp_path: Path) -> None:
    content = csv(table(hour={7: 24}, city={2: "DE"}, ride={4: "r1"}))
    assert refusal(tmp_path, content).splitlines() == [
        "rides.csv: column city: row 3: DE: is not among NO, CH (config/data.yaml: columns.city.categories)",
        "rides.csv: column hour: row 8: 24: must be ≤ 23",
        "rides.csv: column ride: row 5: r1: this key is also that of rides.csv: row 2; each row needs its own",
    ]


def test_every_column_of_another_type_has_its_line(tmp_path: Path) -> None:
    content = csv(table(hour={7: "noon"}, start={2: "2026-03-29T02:30:00"}))
    first, second = refusal(tmp_path, content).splitlines()
    assert first.startswith("rides.csv: column start: row 3: 2026-03-29T02:30:00: did not happen in Europe/Zurich: ")
    assert second == "rides.csv: column hour: row 8: noon: must be a whole number (uint8)"


HIDDEN = [
    ("another type", {"hour": {2: "noon"}}, "column hour: row 3: (hidden: personal): must be a whole number (uint8)"),
    ("out of bounds", {"hour": {7: 24}}, "column hour: row 8: (hidden: personal): must be ≤ 23"),
    (
        "another category",
        {"city": {2: "DE"}},
        "column city: row 3: (hidden: personal): is not among NO, CH (config/data.yaml: columns.city.categories)",
    ),
    (
        "too many unknown",
        {"line": {1: "X", 3: "Y", 5: "X"}},
        "column line: row 2: (hidden: personal): 0.38 of the rows are of unknown categories, "
        "at most 0.25 may be (config/data.yaml: columns.line.unknown)",
    ),
    (
        "a key that stands twice",
        {"ride": {4: "r1"}},
        "column ride: row 5: (hidden: personal): this key is also that of rides.csv: row 2; each row needs its own",
    ),
    (
        "no time",
        {"start": {3: "soon"}},
        "column start: row 4: (hidden: personal): is no time in the form 2013-10-01T08:30:00+02:00",
    ),
]


@pytest.mark.parametrize(("cells", "message"), [row[1:] for row in HIDDEN], ids=[row[0] for row in HIDDEN])
@pytest.mark.parametrize("kind", ["pseudonymous", "personal", "special"])
def test_a_personal_value_is_hidden(tmp_path: Path, kind: str, cells: dict[str, Any], message: str) -> None:
    given_ = contract(**{name: {"personal": kind} for name in cells})
    assert refusal(tmp_path, csv(table(**cells)), given_=given_) == f"rides.csv: {message}"


def test_a_time_without_zone(tmp_path: Path) -> None:
    assert refusal(tmp_path, csv(table()), given_=contract(zone=None)) == (
        "rides.csv: column start: row 1: 2026-05-01T08:30:00: has no zone; write it with an offset, "
        "or name the zone in config/data.yaml: zone (8 such rows)"
    )


def test_no_label_where_the_contract_lets_all_be_missing(tmp_path: Path) -> None:
    content = csv(table(late=None))
    assert refusal(tmp_path, content, given_=contract(late={"missing": 1.0})) == (
        "rides.csv: column late: missing in every row: the label cannot be computed; add rows whose outcome is known"
    )


def test_the_second_of_two_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv(table()))
    (tmp_path / "b.csv").write_bytes(csv(table(ride=[f"b{row}" for row in range(8)], hour={0: 99})))
    with pytest.raises(Refused, match=r"^b\.csv: column hour: row 1: 99: must be ≤ 23$"):
        checked(RULES, "*.csv", tmp_path)


WRONG = {
    # A value that breaks the column's rule, whatever the other rows are.
    "hour": [-1, 24, 255],
    "heat": [-60.5, 60.5, 1024.0],
    "city": ["", "DE", "no", "NO "],
    "late": [-32769, 40_000],
}


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_the_one_bad_value_among_good_rows_is_found(choice: st.DataObject) -> None:
    rows = choice.draw(st.integers(2, 30))
    row = choice.draw(st.integers(0, rows - 1))
    name = choice.draw(st.sampled_from(list(WRONG)))
    value = choice.draw(st.sampled_from(WRONG[name]))
    frame = table(rows, late=[row * 40 % 100 for row in range(rows)])
    frame.at[row, name] = value
    with pytest.raises(Refused) as refused:
        validation.check(RULES, data.Dataset(data.convert(RULES, "t", arrow(frame)), (("t", rows),)))
    assert str(refused.value).startswith(f"t: column {name}: row {row + 1}: {value}: ")
    assert "\n" not in str(refused.value)


def arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame.assign(start=pd.to_datetime(frame["start"])), preserve_index=False)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 40), st.floats(0.05, 0.95))
def test_the_split_is_by_time_and_loses_nothing(rows: int, share: float) -> None:
    frame = data.convert(RULES, "t", arrow(table(rows, late=0).sample(frac=1, random_state=rows)))
    start = data.boundary(RULES, frame, share)
    before, after = data.between(RULES, frame, None, start), data.between(RULES, frame, start, None)
    assert sorted([*before["ride"], *after["ride"]]) == sorted(frame["ride"])
    assert (before["start"] < start).all()
    assert (after["start"] >= start).all()
    assert len(after)


LABELS = [
    ({"above": 15}, [0, 0, 1, np.nan]),
    ({"at_least": 15}, [0, 1, 1, np.nan]),
    ({"below": 15}, [1, 0, 0, np.nan]),
    ({"at_most": 15}, [1, 1, 0, np.nan]),
    ({"equals": 15}, [0, 1, 0, np.nan]),
    ({"one_of": [14, 16]}, [1, 0, 1, np.nan]),
]


@pytest.mark.parametrize(("rule", "expected"), LABELS, ids=[next(iter(rule)) for rule, _ in LABELS])
def test_label_rules(rule: dict[str, Any], expected: list[float]) -> None:
    given_ = contract(label=rule)
    frame = data.convert(given_, "t", arrow(table(4, late=[14, 15, 16, None])))
    np.testing.assert_array_equal(data.label(given_, frame), expected)


def test_the_data_sheet_counts_the_sample() -> None:
    project = sample_project.root()
    given_ = Settings.load(project).contract
    frame = data.load(given_, "samples/flights.parquet", project).frame
    positive = data.label(given_, frame)
    months = positive.groupby(frame[given_.time_column].dt.tz_convert(given_.zone).dt.month).mean()
    sheet = (project / "samples" / "README.md").read_text(encoding="utf-8")
    for words in (
        f"{len(frame):,} rows",
        f"by {frame['carrier'].nunique()} carriers",
        f"missing in {positive.isna().mean():.1%}".replace("%", " %"),
        f"others {positive.mean():.1%} are positive, from {months.min():.1%}".replace("%", " %"),
        f"September to {months.max():.1%}".replace("%", " %"),
        f"OO has {(frame['carrier'] == 'OO').sum()} rows",
    ):
        assert words in " ".join(sheet.split())
    assert (months.idxmin(), months.idxmax()) == (9, 12)


SPLITS = [
    # Too few rows, or labels of one kind, on one side of the split: the rows' labels, and what is said of which side.
    ([99, 3], "only the label positive before 2026-05-02T06:30:00+00:00"),
    ([3, 99, 3, 99, 3, 3, 3, 3], "only the label negative from 2026-05-07T06:30:00+00:00"),
]


@pytest.mark.parametrize(("late", "found"), SPLITS)
def test_both_sides_of_the_split_need_both_labels(tmp_path: Path, late: list[int], found: str) -> None:
    given_ = replace(Settings.load(sample_project.root()), root=tmp_path, contract=RULES)
    (tmp_path / "rides.csv").write_bytes(csv(table(len(late), late=late)))
    paths = [str(tmp_path / name) for name in ("all.parquet", "training.parquet", "evaluation.parquet")]
    steps.load(given_, paths[0])
    steps.validate(given_, paths[0], str(tmp_path / "report.json"))
    with pytest.raises(Refused) as refused:
        steps.split(given_, *paths)
    assert str(refused.value) == (
        f"rides.csv: column late: {found}: a model needs both labels on both sides of the split; "
        "give more rows, or change config/training.yaml: split.evaluation"
    )
