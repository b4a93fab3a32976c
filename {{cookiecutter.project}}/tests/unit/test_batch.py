"""Whole tables: encoded as in training, in order, whole or not at all, and refused by row and value."""

import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from {{ cookiecutter.package }} import batch, bundle, data, features
from {{ cookiecutter.package }}.batch import predicting
from {{ cookiecutter.package }}.batch.columns import inputs
from {{ cookiecutter.package }}.batch.progress import progress
from {{ cookiecutter.package }}.contract import Contract
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.registry import CHAMPION, Registry
from {{ cookiecutter.package }}.settings import LAPTOP
from {{ cookiecutter.package }}.store import Store

from . import batch_helpers as helpers
from .batch_helpers import predict
from .store_helpers import settings_at

PARTS = ("year", "month", "day", "weekday", "hour", "minute")
HOLES: dict[str, Any] = {"roles": ("feature",), "missing": 1.0}
MIXED = Contract(
    task="binary",
    source="rows.csv",
    purpose="test",
    retention="none",
    zone="America/New_York",
    label={"equals": True},
    columns={
        "late": {"type": "bool", "roles": ("label",), "missing": 1.0},
        "at": {"type": "timestamp", "roles": ("time",)},
        "when": {"type": "timestamp", "parts": PARTS, **HOLES},
        "kind": {"type": "category", "categories": ("b", "a"), "unknown": 1.0, **HOLES},
        "open": {"type": "bool", **HOLES},
        **{kind: {"type": kind, **HOLES} for kind in ("int8", "int64", "uint64", "float32", "float64")},
    },
)
WHOLE = {"int8": (-(2**7), 2**7 - 1), "int64": (-(2**53), 2**53), "uint64": (0, 2**53)}
ROW = st.fixed_dictionaries(
    {
        # New York has no 02:30 on a day in March and two 01:30 on one in November: tested by name below.
        "when": st.none()
        | st.datetimes(datetime(1971, 4, 30), datetime(2190, 1, 1)).map(lambda time: time.replace(month=6, day=1)),
        "kind": st.none() | st.sampled_from(["a", "b", "B", "é"]),
        "open": st.none() | st.booleans(),
        **{name: st.none() | st.integers(*limits) for name, limits in WHOLE.items()},
        "float32": st.none() | st.floats(-(2.0**99), 2.0**99, width=32),
        "float64": st.none() | st.floats(-1e30, 1e30),
    }
)
TYPES = {
    "when": pa.timestamp("us"),
    "kind": pa.string(),
    "open": pa.bool_(),
    **{name: getattr(pa, name)() for name in ("int8", "int64", "uint64", "float32", "float64")},
}


def as_text(value: Any) -> str | None:
    return None if value is None else str(value)


FORMS = {
    "typed": lambda name, values: pa.array(values, TYPES[name]),
    "text": lambda name, values: pa.array([as_text(value) for value in values], pa.string()),
    "dictionary": lambda name, values: pa.array([as_text(value) for value in values], pa.string()).dictionary_encode(),
}


@pytest.mark.proof("A request is encoded as training encodes a table")
@pytest.mark.parametrize("form", FORMS)
@given(rows=st.lists(ROW, min_size=1, max_size=6))
def test_a_part_is_encoded_as_training_does(form: str, rows: list[dict[str, Any]]) -> None:
    columns = {name: FORMS[form](name, [row[name] for row in rows]) for name in MIXED.features}
    plain = {name: cells.dictionary_decode() if form == "dictionary" else cells for name, cells in columns.items()}
    always = {"late": pa.array([True] * len(rows)), "at": pa.array([datetime(2026, 6, 1)] * len(rows))}
    frame = data.convert(MIXED, "rows", pa.table(plain | always))
    expected = features.encode(MIXED, data.arrays(MIXED, frame))
    found = [
        values for name, cells in columns.items() for values in inputs(MIXED.columns[name], cells, MIXED.zone).values
    ]
    np.testing.assert_array_equal(np.column_stack(found).astype(np.float32), expected)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param(
            pa.array(["2013-10-01T08:30:00+02:00", "2013-10-01T08:30:00"]), [2, 8], id="with and without offset"
        ),
        pytest.param(pa.array(["2013-W40-2T08:30"]), [8], id="a form that only Python reads"),
        pytest.param(pa.array([datetime(2013, 10, 1, 6, 30)], pa.timestamp("ns", "UTC")), [2], id="UTC"),
        pytest.param(pa.array([datetime(2013, 10, 1, 6, 30)], pa.timestamp("s")), [6], id="no zone"),
    ],
)
def test_times_show_the_clocks_of_the_contracts_zone(cells: pa.Array, expected: list[int]) -> None:
    hour = MIXED.columns["when"].parts.index("hour")
    assert inputs(MIXED.columns["when"], cells, MIXED.zone).values[hour].tolist() == expected


@pytest.mark.parametrize("output", ["scores.parquet", "scores.csv", "scores.csv.gz"])
@pytest.mark.parametrize("source", ["rows.parquet", "rows.csv", "rows.csv.gz", "semicolon.csv"])
def test_keys_and_order_are_kept_over_all_parts(tmp_path: Path, source: str, output: str) -> None:
    table = helpers.rows(1000)
    made = helpers.make_bundle(tmp_path / "bundle")
    done = batch.predict_with(made, helpers.written(table, tmp_path / source), str(tmp_path / output), 64)
    found = helpers.read(tmp_path / output)
    assert found.column_names == ["id", "at", "score", "decision", "bundle_id"]
    assert found["id"].to_pylist() == table["id"].to_pylist()
    expected = np.array([np.float32(index % 101) / np.float32(100) for index in range(1000)], dtype=np.float64)
    np.testing.assert_array_equal(found["score"].to_numpy(), expected)
    assert found["decision"].to_pylist() == [score >= 0.5 for score in expected]
    assert set(found["bundle_id"].to_pylist()) == {made.id}
    assert done == batch.Predicted(1000, int((expected >= 0.5).sum()), made.id)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted({"bundle", source, output})


def test_the_bundle_is_a_dictionary_in_parquet(tmp_path: Path) -> None:
    made = helpers.make_bundle(tmp_path / "bundle")
    batch.predict_with(
        made, helpers.written(helpers.rows(10), tmp_path / "rows.parquet"), str(tmp_path / "scores.parquet"), 4
    )
    assert pa.types.is_dictionary(pq.read_schema(tmp_path / "scores.parquet").field("bundle_id").type)


def test_the_first_wrong_row_is_named_whichever_thread_is_first(tmp_path: Path) -> None:
    counts: list[Any] = [1] * 1000
    counts[500] = counts[510] = counts[990] = 101
    before = threading.active_count()
    with pytest.raises(Refused, match=r"column count: row 501: 101: must be ≤ 100"):
        predict(tmp_path, helpers.rows(1000, count=counts))
    assert not (tmp_path / "scores.parquet").exists()
    assert threading.active_count() == before


def test_shares_are_those_of_the_whole_file(tmp_path: Path) -> None:
    sizes = [None] * 20 + [0.5] * 80  # the first part has none at all
    assert predict(tmp_path, helpers.rows(100, size=sizes), part_rows=10).rows == 100


def test_one_missing_cell_is_never_too_many(tmp_path: Path) -> None:
    assert predict(tmp_path, helpers.rows(1, size=pa.array([None], pa.float32()))).rows == 1


def test_paths_are_refused_before_any_work(tmp_path: Path) -> None:
    source = helpers.written(helpers.rows(4), tmp_path / "rows.parquet")
    (tmp_path / "link.parquet").symlink_to(source)
    (tmp_path / "folder.csv").mkdir()
    for given_source, output, message in (
        (source, source, "is the input"),
        (source, str(tmp_path / "link.parquet"), "is the input"),
        (source, str(tmp_path / "folder.csv"), "is a folder"),
        (source, str(tmp_path / "no" / "scores.csv"), "does not exist; create it"),
        (source, str(tmp_path / "scores.json"), r"must end in .parquet, .csv or .csv.gz"),
        ("s3://bucket/rows.csv", str(tmp_path / "scores.csv"), "only files are scored"),
    ):
        with pytest.raises(Refused, match=message):
            # No settings are needed to tell.
            batch.predict(None, "local", given_source, output)  # type: ignore[arg-type]


def test_an_input_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"rows.csv: cannot be read: No such file"):
        batch.predict_with(
            helpers.make_bundle(tmp_path / "bundle"), str(tmp_path / "rows.csv"), str(tmp_path / "s.csv"), 64
        )


def test_the_champion_of_this_moment_scores_whoever_was_it_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registry is asked again after each of its changes, and only then."""
    settings = settings_at(tmp_path)
    environment = settings.environment("local")
    registry, store = Registry(environment), Store.open(environment.store_uri)
    stricter = helpers.CONTRACT.columns["count"].model_copy(update={"max": 2})
    contracts = {
        "first": helpers.CONTRACT,
        "second": helpers.CONTRACT.model_copy(update={"purpose": "another"}),
        "strict": helpers.CONTRACT.model_copy(update={"columns": {**helpers.CONTRACT.columns, "count": stricter}}),
    }
    made = {name: helpers.make_bundle(tmp_path / name, contract) for name, contract in contracts.items()}
    versions = {
        name: registry.register(bundle.publish(each.folder, store), each.id, "trainer") for name, each in made.items()
    }
    source, output = helpers.written(helpers.rows(4), tmp_path / "rows.parquet"), tmp_path / "scores.csv"

    def scored() -> str:
        return batch.predict(settings, "local", source, str(output)).bundle_id

    for name in ("first", "second"):
        registry.set_alias(CHAMPION, versions[name])
        assert scored() == made[name].id
        with monkeypatch.context() as patch:
            patch.setattr(predicting, "ProcessPoolExecutor", None)
            assert scored() == made[name].id
        assert output.read_text().count(made[name].id) == 4
    registry.set_alias(CHAMPION, versions["strict"])
    with pytest.raises(Refused, match=r"column count: row 4: 3: must be ≤ 2"):
        scored()
    registry.set_alias(CHAMPION, None)
    with pytest.raises(Refused, match="environment local has no champion yet"):
        scored()
    assert output.read_text().count(made["second"].id) == 4


def test_without_a_champion_the_next_command_is_named(tmp_path: Path) -> None:
    source = helpers.written(helpers.rows(4), tmp_path / "rows.parquet")
    settings = settings_at(tmp_path)
    for environment, words in (("dev", " ENV=dev"), (LAPTOP, "")):
        with pytest.raises(
            Refused, match=f"{environment} has no champion yet: make train{words}, then make promote{words} REASON"
        ):
            batch.predict(settings, environment, source, str(tmp_path / "scores.csv"))


def test_progress_is_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("predict") as report:
        for part in range(1, 101):
            report(part / 100, part * 1000)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"predict: {share} % ({share * 1000:,} rows)" for share in (25, 50, 75, 100)]
