"""The contract as text: it survives the journey in a bundle, and refuses what contradicts itself."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from {{ cookiecutter.package }} import strict
from {{ cookiecutter.package }}.contract import RANGES, Contract
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.settings import Settings

import sample_project

from .data_helpers import FILE, contract, rules

CONTRADICTIONS = [
    # The change to a good contract, and what is said about it.
    ({"hour": {"min": -3}}, "columns.hour.min: -3: must be ≥ 0"),
    ({"hour": {"max": 256}}, "columns.hour.max: 256: must be ≤ 255"),
    ({"hour": {"min": 20, "max": 10}}, "columns.hour.min: 20: must be ≤ max (10)"),
    ({"hour": {"min": 0.5}}, "columns.hour.min: 0.5: must be a whole number"),
    ({"rush": {"min": 0}}, "columns.rush.min: 0: type bool has no bounds; remove it"),
    ({"city": {"categories": []}}, "columns.city.categories: missing: type category needs the list of its values"),
    ({"city": {"categories": ["NO", "NO"]}}, "columns.city.categories: NO: stands twice"),
    ({"hour": {"categories": ["1"]}}, 'columns.hour.categories: ["1"]: type uint8 has no categories; remove them'),
    (
        {"hour": {"unknown": 0.1}},
        "columns.hour.unknown: 0.1: type uint8 has no categories that could be unknown; remove it",
    ),
    ({"hour": {"parts": ["day"]}}, 'columns.hour.parts: ["day"]: type uint8 has no parts; remove them'),
    (
        {"start": {"parts": []}},
        "columns.start.parts: missing: a timestamp that is a feature needs its parts, such as [weekday, hour]",
    ),
    (
        {"arrived": {"roles": ["feature", "forbidden"], "parts": ["hour"]}},
        'columns.arrived.roles: ["feature", "forbidden"]: a forbidden column has no other role: '
        "it is not known when the model is asked",
    ),
    (
        {"late": {"roles": ["label", "feature"]}},
        'columns.late.roles: ["label", "feature"]: the label cannot be a feature',
    ),
    (
        {"hour": {"roles": ["key", "feature"]}, "ride": {"roles": []}},
        'columns.hour.roles: ["key", "feature"]: the key cannot be a feature',
    ),
    (
        {"ride": {"roles": ["feature"]}},
        'columns.ride.roles: ["feature"]: a text column cannot be a feature; use type category',
    ),
    ({"hour": {"roles": ["slice"]}}, 'columns.hour.roles: ["slice"]: a slice must be of type category or bool'),
    ({"start": {"missing": 0.1}}, "columns.start.missing: 0.1: the time column must be complete; use 0"),
    ({"heat": {"missing": 1.5}}, "columns.heat.missing: 1.5: must be ≤ 1.0"),
    ({"start": None}, "columns: missing: one column needs the role time"),
    ({"late": None}, "columns: missing: one column needs the role label"),
    ({"hour": {"roles": ["label"]}}, 'columns: ["hour", "late"]: only one column can be the label'),
    ({"label": {}}, "label: missing: needs exactly one of above, below, at_least, at_most, equals, one_of"),
    (
        {"label": {"above": 1, "below": 2}},
        'label: {"above": 1.0, "below": 2.0}: needs exactly one of above, below, at_least, at_most, equals, one_of',
    ),
    ({"label": {"equals": "yes"}}, "label.equals: yes: is no value of late (type int16)"),
    ({"zone": "Mars/Olympus"}, "zone: Mars/Olympus: no such time zone; use a name such as Europe/Zurich"),
    ({"task": "regression"}, "task: regression: must be one of 'binary'"),
]


@pytest.mark.parametrize(("change", "sentence"), CONTRADICTIONS, ids=[sentence for _, sentence in CONTRADICTIONS])
def test_contradictions_are_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        contract(**change)
    assert str(refused.value) == f"{FILE}: {sentence}"


def test_label_not_computable_from_its_column() -> None:
    category = {"late": None, "city": {"roles": ["label"], "categories": ["NO", "CH"]}}
    with pytest.raises(Refused) as refused:
        contract(**category, label={"above": 15})
    assert str(refused.value) == f"{FILE}: label.above: 15.0: city is of type category; use equals or one_of"
    with pytest.raises(Refused) as refused:
        contract(**category, label={"one_of": ["NO", "DE"]})
    assert str(refused.value) == f"{FILE}: label.one_of: DE: is not among NO, CH (columns.city.categories)"


def test_of_many_categories_messages_list_the_first() -> None:
    column = contract(city={"categories": [f"C{number}" for number in range(11)]}).columns["city"]
    assert column.listed == "C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, …"


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        contract(hour={"min": -3}, heat={"missing": 2}, task="ranking")
    assert str(refused.value).splitlines() == [
        f"{FILE}: task: ranking: must be one of 'binary'",
        f"{FILE}: columns.hour.min: -3: must be ≥ 0",
        f"{FILE}: columns.heat.missing: 2: must be ≤ 1.0",
    ]


def test_what_the_project_asks_of_its_contract() -> None:
    found = contract()
    assert found.features == ("start", "hour", "city", "line", "heat", "rush")
    assert (found.label_column, found.time_column, found.key_column) == ("late", "start", "ride")
    assert found.slices == ("city",)
    assert found.columns["hour"].bounds == (0, 23)
    assert found.columns["late"].bounds == (-32768, 32767)
    assert str(found.label) == "above 15"


def test_json_keeps_the_projects_contract() -> None:
    given = Settings.load(sample_project.root()).contract
    again = Contract.from_json(given.to_json())
    assert (again, again.hash(), again.to_json()) == (given, given.hash(), given.to_json())


def test_the_hash_follows_the_meaning_not_the_spelling() -> None:
    assert contract().hash() == contract(hour={"missing": 0.0, "personal": "none"}).hash()
    assert contract().hash() != contract(hour={"max": 22}).hash()
    reordered = rules()
    reordered["columns"] = dict(reversed(reordered["columns"].items()))
    assert strict.parse(Contract, reordered, FILE).hash() != contract().hash()


names = st.text(min_size=1, max_size=12)


@st.composite
def features(draw: st.DrawFn) -> dict[str, Any]:
    """A feature column of any type that keeps the rules."""
    kind = draw(st.sampled_from([*RANGES, "category", "bool"]))
    column: dict[str, Any] = {"type": kind, "roles": ["feature"], "description": draw(st.text(max_size=20))}
    column["missing"] = draw(st.floats(0, 1))
    if kind == "category":
        column["categories"] = draw(st.lists(names, min_size=1, max_size=5, unique=True))
        column["unknown"] = draw(st.floats(0, 1))
    elif "int" in kind:
        lowest, highest = (int(limit) for limit in RANGES[kind])
        column["min"], column["max"] = sorted(draw(st.tuples(*[st.integers(lowest, highest)] * 2)))
    elif "float" in kind:
        column["min"], column["max"] = sorted(draw(st.tuples(*[st.floats(-1e30, 1e30)] * 2)))
    return column


@settings(deadline=None, max_examples=25)
@given(st.dictionaries(names.filter(lambda name: name not in rules()["columns"]), features(), max_size=4))
def test_json_keeps_any_contract(columns: dict[str, Any]) -> None:
    given_ = contract(**{name: column for name, column in columns.items() if name not in rules()})
    again = Contract.from_json(given_.to_json())
    assert again == given_
    assert again.hash() == given_.hash()
    assert list(json.loads(given_.to_json())["columns"]) == list(given_.columns)
