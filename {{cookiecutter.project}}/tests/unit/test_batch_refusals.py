"""Tables that are refused, by row and value, and what stays as it was then."""

import gzip
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.package }} import batch, staging
from {{ cookiecutter.package }}.batch.files import opened
from {{ cookiecutter.package }}.errors import Refused

from . import batch_helpers as helpers
from .batch_helpers import predict
from .store_helpers import users_files

FOUR = [1, 2, 3, 4]
NEVER, TWICE = datetime(2026, 3, 29, 2, 30), datetime(2026, 10, 25, 2, 30)
WRONG = {
    "out of bounds": ({"count": [1, 101, 300, 4]}, "column count: row 2: 101: must be ≤ 100"),
    "negative": ({"count": [1, 2, 3, -3]}, "column count: row 4: -3: must be ≥ 0"),
    "no whole number": ({"count": [1, 2.5, 3, 4]}, "column count: row 2: 2.5: must be a whole number (uint8)"),
    "no number": ({"count": ["1", "2", "many", "4"]}, "column count: row 3: many: must be a whole number (uint8)"),
    "Python's number": ({"count": ["1", "1_0", "3", "4"]}, "column count: row 2: 1_0: must be a whole number (uint8)"),
    "NaN as text": ({"size": ["0", "NaN", "0", "0"]}, "column size: row 2: NaN: must be a number (float32)"),
    "infinite": ({"size": [0, 0, float("inf"), 0]}, "column size: row 3: inf: must be a number (float32)"),
    "decimal": ({"size": [Decimal("0.1"), Decimal("1.1"), None, None]}, "column size: row 2: 1.1: must be ≤ 1"),
    "bool as number": (
        {"count": [True] * 4},
        "column count: row 1: True: must be a whole number (uint8), and the column is of type bool",
    ),
    "missing": ({"count": [1, None, 3, 4]}, "column count: row 2: missing: must not be missing"),
    "NaN where none may be missing": (
        {"count": [1.0, float("nan"), 3, 4]},
        "column count: row 2: nan: must not be missing",
    ),
    "unknown category": (
        {"colour": ["red", "green", "red", "red"]},
        "column colour: row 2: green: must be one of red, blue",
    ),
    "number as category": (
        {"colour": [1.0] * 4},
        "column colour: row 1: 1.0: must be a category, and the column is of type double",
    ),
    "neither true nor false": ({"open": ["true", "0", "yes", "1"]}, "column open: row 3: yes: must be true or false"),
    "no time": (
        {"seen": ["2026-06-01", "soon", "2026-06-01", "2026-06-01"]},
        "column seen: row 2: soon: is no time in",
    ),
    "an hour that never was": ({"seen": [NEVER] * 4}, "did not happen in Europe/Zurich"),
    "an hour that was twice": ({"seen": [str(TWICE)] * 4}, "happened twice in Europe/Zurich"),
    "too many missing": (
        {"size": [None, None, 0.5, 0.5]},
        "column size: 2 of 4 rows (0.5) are missing, 0.25 may be (the model's contract: columns.size.missing)",
    ),
    "too many unknown": (
        {"kind": ["a", "x", "y", "b"]},
        "column kind: 2 of 4 rows (0.5) are unknown, 0.25 may be (the model's contract: columns.kind.unknown)",
    ),
}


@pytest.mark.parametrize("columns_and_message", WRONG.values(), ids=WRONG)
def test_a_row_that_breaks_the_contract_is_refused(tmp_path: Path, columns_and_message: tuple[Any, str]) -> None:
    columns, message = columns_and_message
    (tmp_path / "scores.parquet").write_text("from last week")
    with pytest.raises(Refused) as refused:
        predict(tmp_path, helpers.rows(4, **columns))
    assert message in str(refused.value)
    assert "rows.parquet" in str(refused.value)
    assert (tmp_path / "scores.parquet").read_text() == "from last week"
    assert not (tmp_path / staging.STAGING).exists()


def test_a_personal_value_is_hidden(tmp_path: Path) -> None:
    columns = helpers.CONTRACT.columns
    columns = columns | {"count": columns["count"].model_copy(update={"personal": "special"})}
    contract = helpers.CONTRACT.model_copy(update={"columns": columns})
    with pytest.raises(Refused) as refused:
        predict(tmp_path, helpers.rows(4, count=[1, 2, 103, 4]), contract=contract)
    message = "column count: row 3: (hidden: personal): must be ≤ 100 (the model's contract)"
    assert str(refused.value) == f"{tmp_path / 'rows.parquet'}: {message}"
    (tmp_path / "other").mkdir()
    with pytest.raises(Refused, match="column open: row 2: perhaps: must be true or false"):
        predict(tmp_path / "other", helpers.rows(2, open=["true", "perhaps"]))


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz"])
def test_a_row_of_another_length_is_named_and_not_quoted(tmp_path: Path, name: str) -> None:
    content = b"id,at,count,size,kind,colour,seen,open\n" + b"1,2,3,4,5,6,7,8\n" * 200_000 + b"a name,a mail\n"
    (tmp_path / name).write_bytes(gzip.compress(content, 1) if name.endswith("gz") else content)
    with opened(tmp_path / name, name, 1000) as table, pytest.raises(Refused) as refused:
        list(table.parts(["id"], []))
    assert str(refused.value) == f"{name}: row 200001: has 2 columns, the header has 8"


def test_a_users_files_beside_the_output_stay(tmp_path: Path) -> None:
    files = users_files(tmp_path)
    assert predict(tmp_path, helpers.rows(4)).rows == 4
    assert {path: path.read_text() for path in files} == files


FILES = {
    "empty": (b"", "rows.csv: the file is empty"),
    "only a header": (b"id,at,count,size,kind,colour,seen,open\n", "there is a header but no row"),
    "first line empty": (b"\nid,count\n", "the first line is empty"),
    "column missing": (b"id,count\n1,2\n", "column size: missing; the file has id, count"),
    "column twice": (b"id,count,count\n1,2,3\n", "column count: stands twice in the header"),
    "truncated Parquet": (b"PAR1" + bytes(100), "no readable Parquet file: it is truncated or damaged"),
    "truncated gzip": (gzip.compress(b"id,count\n" + b"1,2\n" * 10)[:-12], "the gzip file is truncated or damaged"),
    "ragged": (
        b"id,at,count,size,kind,colour,seen,open\n1,2\n",
        "rows.csv: row 1: has 2 columns, the header has 8",
    ),
    "not UTF-8": (b"id,at,count,size,kind,colour,seen,open\n\xff,2,3,4,5,6,7,8\n", "invalid UTF8"),
}


@pytest.mark.parametrize("content_and_message", FILES.values(), ids=FILES)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content_and_message: tuple[bytes, str]) -> None:
    content, message = content_and_message
    (tmp_path / "rows.csv").write_bytes(content)
    made = helpers.make_bundle(tmp_path / "bundle")
    with pytest.raises(Refused) as refused:
        batch.predict_with(made, str(tmp_path / "rows.csv"), str(tmp_path / "scores.csv"), 64)
    assert message in str(refused.value)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["bundle", "rows.csv"]


def test_a_parquet_file_cut_in_the_middle_is_refused(tmp_path: Path) -> None:
    source = Path(helpers.written(helpers.rows(1000), tmp_path / "rows.parquet"))
    source.write_bytes(source.read_bytes()[:-100])
    with pytest.raises(Refused, match="truncated or damaged"):
        batch.predict_with(helpers.make_bundle(tmp_path / "bundle"), str(source), str(tmp_path / "scores.csv"), 64)
