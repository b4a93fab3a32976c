"""The request's converters and `features.encode` are two ways to one matrix: they must never differ."""

import json
from contextlib import suppress
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from {{ cookiecutter.package }} import features
from {{ cookiecutter.package }}.serving.problems import Problem
from {{ cookiecutter.package }}.serving.wire import Wire

from .helpers import CONTRACT, INPUTS, ROW, columns

WIRE = Wire(CONTRACT, max_rows=50)


def in_january(time: datetime) -> str:
    """Standard time, so that the wall clock can be read off the text."""
    return time.replace(microsecond=0, month=1).isoformat() + "+01:00"


ROWS = st.fixed_dictionaries(
    {
        "hour": st.integers(0, 23),
        "weight": st.none() | st.floats(-10, 10),
        "carrier": st.sampled_from(["AA", "NO", "ZZ", "other", "no", ""]),
        "origin": st.sampled_from(["east", "west"]),
        "express": st.booleans(),
        "booked": st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(in_january),
        "age": st.integers(0, 150),
    }
)


def body(rows: list[dict[str, Any]]) -> bytes:
    return json.dumps({"rows": rows}).encode()


@pytest.mark.proof("A request is encoded as training encodes a table")
@given(st.lists(ROWS, min_size=1, max_size=5))
def test_a_request_and_a_table_encode_alike(rows: list[dict[str, Any]]) -> None:
    expected = features.encode(CONTRACT, columns(rows))
    np.testing.assert_array_equal(WIRE.rows(body(rows)).matrix, expected)
    one_by_one = np.vstack([WIRE.rows(body([row])).matrix for row in rows])
    np.testing.assert_array_equal(one_by_one, expected)


def test_the_known_row() -> None:
    np.testing.assert_array_equal(WIRE.rows(body([ROW])).matrix, np.array([INPUTS], dtype=np.float32))


SCALARS = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text()


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20))
def test_any_json_is_answered_or_refused(value: Any) -> None:
    documents = [
        value,
        {"rows": value},
        {"rows": [value]},
        {"rows": [{**ROW, "hour": value}]},
        {"inputs": value},
        {"inputs": [value]},
    ]
    for document in documents:
        for read in (WIRE.rows, WIRE.tensors):
            with suppress(Problem):  # any other exception would be the server's own failure
                read(json.dumps(document).encode())
