"""A text or local time is one point in time, or a sentence says why it is none."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from {{ cookiecutter.package }} import times

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
