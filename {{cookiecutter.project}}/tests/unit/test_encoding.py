"""Times and features: the same numbers in training, serving and batch."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from {{ cookiecutter.package }} import data, features, times, training
from {{ cookiecutter.package }}.contract import Contract
from {{ cookiecutter.package }}.settings import Settings

import sample_project

NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        ("2013-10-01T08:30:00+02:00", None, datetime(2013, 10, 1, 6, 30, tzinfo=UTC)),
        ("2013-10-01T08:30:00Z", NEW_YORK, datetime(2013, 10, 1, 8, 30, tzinfo=UTC)),
        (" 2013-10-01 08:30 ", NEW_YORK, datetime(2013, 10, 1, 12, 30, tzinfo=UTC)),
        ("2013-12-01", NEW_YORK, datetime(2013, 12, 1, 5, tzinfo=UTC)),
        ("2013-11-03T01:30:00-04:00", NEW_YORK, datetime(2013, 11, 3, 5, 30, tzinfo=UTC)),
        ("2013-11-03T01:30:00-05:00", NEW_YORK, datetime(2013, 11, 3, 6, 30, tzinfo=UTC)),
        ("2013-11-03T00:59:59", NEW_YORK, datetime(2013, 11, 3, 4, 59, 59, tzinfo=UTC)),
        ("2013-11-03T02:00:00", NEW_YORK, datetime(2013, 11, 3, 7, tzinfo=UTC)),
        ("2013-03-10T03:00:00", NEW_YORK, datetime(2013, 3, 10, 7, tzinfo=UTC)),
    ],
)
def test_instant(value: str, zone: str | None, expected: datetime) -> None:
    assert times.instant(value, zone) == expected


@pytest.mark.parametrize(
    ("value", "zone", "reason"),
    [
        (
            "2013-10-01T08:30:00",
            None,
            "has no zone; write it with an offset, or name the zone in config/data.yaml: zone",
        ),
        (
            "2013-11-03T01:00:00",
            NEW_YORK,
            f"happened twice in {NEW_YORK}: clocks were put back; write it with an offset",
        ),
        (
            "2013-11-03T01:59:59",
            NEW_YORK,
            f"happened twice in {NEW_YORK}: clocks were put back; write it with an offset",
        ),
        (
            "2013-03-10T02:30:00",
            NEW_YORK,
            f"did not happen in {NEW_YORK}: clocks were put forward; write it with an offset",
        ),
        ("yesterday", NEW_YORK, "is no time in the form 2013-10-01T08:30:00+02:00"),
        ("01.10.2013 08:30", NEW_YORK, "is no time in the form 2013-10-01T08:30:00+02:00"),
    ],
)
def test_refused(value: str, zone: str | None, reason: str) -> None:
    with pytest.raises(times.WrongTime) as refused:
        times.instant(value, zone)
    assert str(refused.value) == reason


@given(st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)), st.integers(-23, 23))
def test_an_offset_decides_and_the_wall_clock_comes_back(clock: datetime, hours: int) -> None:
    instant = times.instant(clock.replace(tzinfo=timezone(timedelta(hours=hours))), NEW_YORK)
    assert instant == (clock - timedelta(hours=hours)).replace(tzinfo=UTC)
    assert times.local(instant, None) == clock - timedelta(hours=hours)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)))
def test_a_local_time_that_is_taken_is_the_one_that_comes_back(clock: datetime) -> None:
    try:
        instant = times.instant(clock, NEW_YORK)
    except times.WrongTime:
        return
    assert times.local(instant, NEW_YORK) == clock


SETTINGS = Settings.load(sample_project.root())
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
