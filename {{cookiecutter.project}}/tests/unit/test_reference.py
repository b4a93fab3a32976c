"""The reference profile counts every training value once, in the bins in which live traffic is counted."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from {{ cookiecutter.package }} import data, reference
from {{ cookiecutter.package }}.contract import Contract
from {{ cookiecutter.package }}.settings import Settings

SETTINGS = Settings.load(Path(__file__).parents[2])


def contract(**columns: object) -> Contract:
    time_and_label = {"when": {"type": "timestamp", "roles": ("time",)}, "late": {"type": "bool", "roles": ("label",)}}
    return Contract(
        task="binary",
        source="rows.csv",
        purpose="test",
        retention="none",
        label={"equals": True},
        columns={**time_and_label, **columns},
    )


def profile(values: list[float | None], bins: int = 4) -> dict[str, object]:
    column = np.array([np.nan if value is None else value for value in values])
    number = contract(size={"type": "float32", "roles": ("feature",), "missing": 1.0})
    found: dict[str, object] = reference.build(number, {"size": column}, np.full(len(values), 0.5), bins)["bins"][
        "size"
    ]
    return found


def test_number_has_bins_of_equal_counts_and_one_for_missing() -> None:
    assert profile([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, None, None]) == {
        "kind": "number",
        "edges": [3.0, 5.0, 7.0],
        "ratios": [0.2, 0.2, 0.2, 0.2, 0.2],
    }


def test_constant_and_wholly_missing_numbers_have_one_bin() -> None:
    assert profile([3.0, 3.0, 3.0]) == {"kind": "number", "edges": [], "ratios": [1.0, 0.0]}
    assert profile([None, None]) == {"kind": "number", "edges": [], "ratios": [0.0, 1.0]}


def test_category_has_a_bin_for_each_value_for_others_and_for_missing() -> None:
    columns = {"kind": np.array(["a", "b", "a", "?", None, np.nan, "a", "b"], dtype=object)}
    kinds = contract(kind={"type": "category", "roles": ("feature",), "categories": ("b", "a", "c")})
    found = reference.build(kinds, columns, np.linspace(0, 1, 8), 2)
    assert found["bins"]["kind"] == {
        "kind": "category",
        "values": ["b", "a", "c"],
        "ratios": [0.25, 0.375, 0.0, 0.125, 0.25],
    }
    assert found["score"]["ratios"] == [0.5, 0.5, 0.0]


def test_timestamp_has_a_profile_for_each_part() -> None:
    times = contract(seen={"type": "timestamp", "roles": ("feature",), "parts": ("weekday", "hour")})
    columns = {"seen": np.array(["2013-10-06T23:00", "2013-10-07T00:00", "NaT"], dtype="datetime64[s]")}
    found = reference.build(times, columns, np.zeros(3), 2)["bins"]
    assert found["seen.weekday"] == {"kind": "number", "edges": [7.0], "ratios": [0.333333, 0.333333, 0.333333]}
    assert found["seen.hour"] == {"kind": "number", "edges": [23.0], "ratios": [0.333333, 0.333333, 0.333333]}


@given(st.lists(st.none() | st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60), st.integers(2, 20))
def test_ratios_are_those_of_counting_the_same_values_live(values: list[float | None], bins: int) -> None:
    found = profile(values, bins)
    edges, ratios = found["edges"], found["ratios"]
    assert isinstance(edges, list)
    assert isinstance(ratios, list)
    assert edges == sorted(set(edges))
    assert len(edges) < bins
    assert len(ratios) == len(edges) + 2
    assert sum(ratios) == pytest.approx(1, abs=1e-4)
    counted = [0] * len(ratios)
    for value in values:
        counted[-1 if value is None else int(np.searchsorted(edges, np.float32(value), side="right"))] += 1
    assert ratios == pytest.approx([count / len(values) for count in counted], abs=1e-6)


def test_sample_has_a_profile_for_every_feature() -> None:
    frame = data.load(SETTINGS.contract, SETTINGS.contract.source, SETTINGS.root).frame
    columns = data.arrays(SETTINGS.contract, frame)
    found = reference.build(SETTINGS.contract, columns, np.linspace(0, 1, len(frame)), 10)
    assert tuple(found["bins"]) == SETTINGS.contract.features
    assert found["bins"]["origin"]["ratios"] == pytest.approx([0.3575, 0.3305, 0.312, 0, 0], abs=0.01)
    assert found["bins"]["pressure"]["ratios"][-1] == pytest.approx(0.115, abs=0.01)
    assert len(found["score"]["edges"]) == 9
