"""Serving's encoding is that of the trained pipeline, for every type and for every hole."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from {{ cookiecutter.package }} import data, features, training
from {{ cookiecutter.package }}.contract import Contract
from {{ cookiecutter.package }}.settings import Settings

SETTINGS = Settings.load(Path(__file__).parents[2])
PARTS = ("year", "month", "day", "weekday", "hour", "minute")
MIXED = Contract(
    task="binary",
    source="rows.csv",
    purpose="test",
    retention="none",
    zone="America/New_York",
    label={"equals": True},
    columns={
        "late": {"type": "bool", "roles": ("label",)},
        "seen": {"type": "timestamp", "roles": ("time", "feature"), "parts": PARTS},
        "size": {"type": "float64", "roles": ("feature",), "missing": 1.0},
        "kind": {"type": "category", "roles": ("feature",), "categories": ("b", "a"), "unknown": 1.0, "missing": 1.0},
        "count": {"type": "int32", "roles": ("feature",), "missing": 1.0},
        "open": {"type": "bool", "roles": ("feature",), "missing": 1.0},
    },
)
ROWS = st.lists(
    st.tuples(
        st.datetimes(pd.Timestamp("1971-01-01").to_pydatetime(), pd.Timestamp("2200-01-01").to_pydatetime()),
        st.none() | st.floats(-1e30, 1e30),
        st.none() | st.sampled_from(["a", "b", "B", ""]),
        st.none() | st.integers(-(2**31), 2**31 - 1),
        st.none() | st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


def table(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    times, sizes, kinds, counts, opens = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "late": pd.Series([False] * len(rows), dtype="boolean"),
            "seen": pd.Series(times).dt.tz_localize("UTC").dt.as_unit("us"),
            "size": pd.Series(sizes, dtype="float64"),
            "kind": pd.Series(kinds, dtype="str"),
            "count": pd.Series(counts, dtype="Int32"),
            "open": pd.Series(opens, dtype="boolean"),
        }
    )


def by_the_pipeline(contract: Contract, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
    """What the trees of the trained pipeline see, in the contract's order."""
    encoder = clone(training.build(contract, SETTINGS.training)[0])
    found = encoder.fit_transform(data.inputs(contract, frame))
    known = features.categories(contract)
    fitted = [*known, *(name for name in features.input_names(contract) if name not in known)]
    return np.asarray(found, dtype=np.float32)[:, [fitted.index(name) for name in features.input_names(contract)]]


@settings(deadline=None)
@given(ROWS)
def test_encoding_is_that_of_the_pipeline(rows: list[tuple[Any, ...]]) -> None:
    frame = table(rows)
    matrix = features.encode(MIXED, data.arrays(MIXED, frame))
    assert matrix.dtype == np.float32
    assert matrix.flags.c_contiguous
    np.testing.assert_array_equal(matrix, by_the_pipeline(MIXED, frame))


def test_encoding_of_the_sample_is_that_of_the_pipeline() -> None:
    frame = data.load(SETTINGS.contract, SETTINGS.contract.source, SETTINGS.root).frame
    matrix = features.encode(SETTINGS.contract, data.arrays(SETTINGS.contract, frame))
    np.testing.assert_array_equal(matrix, by_the_pipeline(SETTINGS.contract, frame))


def test_inputs_and_their_values() -> None:
    # 23:30 on Sunday in New York is Monday in UTC: the parts are those of the contract's zone.
    frame = table([(pd.Timestamp("2013-10-07T03:30:00"), 1.5, "a", 7, True), (pd.NaT, None, "?", None, None)])
    assert features.input_names(MIXED) == (*(f"seen.{part}" for part in PARTS), "size", "kind", "count", "open")
    first, second = features.encode(MIXED, data.arrays(MIXED, frame)).tolist()
    assert first == [2013, 10, 6, 7, 23, 30, 1.5, 1, 7, 1]
    assert np.isnan(second).all()
