"""One converter for each feature, made from the contract once: checks a request's values and turns them into the model's input.

`features.encode` does the same for whole tables; `tests/serving/test_wire.py` proves that the two agree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..contract import Column, Contract
from ..times import WrongTime, instant, local

Convert = Callable[[Any], Any]
"""From a JSON value to the input's number, or numbers for a timestamp; ValueError holds the rule that the value breaks."""

NAN = float("nan")


@dataclass(frozen=True)
class Feature:
    """One feature as the wire sees it."""

    name: str
    column: Column
    convert: Convert

    @property
    def public(self) -> bool:
        """May its values stand in an answer or a log?"""
        return self.column.public


def features(contract: Contract) -> tuple[Feature, ...]:
    """The features in the order of the model's inputs."""
    return tuple(
        Feature(name, contract.columns[name], _converter(contract, contract.columns[name]))
        for name in contract.features
    )


def _converter(contract: Contract, column: Column) -> Convert:
    if column.type == "category":
        return _category(column)
    if column.type == "timestamp":
        return _timestamp(column, contract.zone)
    if column.type == "bool":
        return _bool(column)
    return _number(column)


def _missing(column: Column) -> float:
    if not column.missing:
        raise ValueError("must not be missing")
    return NAN


def _number(column: Column) -> Convert:
    lowest, highest = column.bounds
    whole, name = column.integer, "a whole number" if column.integer else "a number"

    def convert(value: Any) -> float:
        kind = type(value)
        if kind is not int and (kind is not float or (whole and not value.is_integer())):
            if value is None:
                return _missing(column)
            raise ValueError(f"must be {name}")
        if lowest <= value <= highest:
            return value  # type: ignore[no-any-return]
        raise ValueError(f"must be ≥ {lowest:.10g}" if value < lowest else f"must be ≤ {highest:.10g}")

    return convert


def _category(column: Column) -> Convert:
    positions = {name: float(index) for index, name in enumerate(column.categories)}
    rule = f"must be one of {column.listed}"

    def convert(value: Any) -> float:
        if type(value) is not str:
            if value is None:
                return _missing(column)
            raise ValueError("must be text")
        position = positions.get(value)
        if position is not None:
            return position
        if column.unknown:
            return NAN
        raise ValueError(rule)

    return convert


def _bool(column: Column) -> Convert:
    def convert(value: Any) -> float:
        if value is None:
            return _missing(column)
        if type(value) is not bool:
            raise ValueError("must be true or false")
        return float(value)

    return convert


_PARTS: dict[str, Callable[[datetime], int]] = {
    "year": lambda time: time.year,
    "month": lambda time: time.month,
    "day": lambda time: time.day,
    "weekday": lambda time: time.isoweekday(),
    "hour": lambda time: time.hour,
    "minute": lambda time: time.minute,
}


def _timestamp(column: Column, zone: str | None) -> Convert:
    parts = tuple(_PARTS[part] for part in column.parts)

    def convert(value: Any) -> tuple[float, ...]:
        if value is None:
            return (_missing(column),) * len(parts)
        if type(value) is not str:
            raise ValueError("must be text such as 2013-10-01T08:30:00+02:00")
        try:
            time = local(instant(value, zone), zone)
        except WrongTime as error:
            raise ValueError(str(error)) from None
        return tuple(part(time) for part in parts)

    return convert
