"""The data contract: what the columns mean and what a row may hold. Training, serving and monitoring all build on it."""

import hashlib
import json
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from .strict import Problem, Strict, contradictions, parse

Role = Literal["feature", "label", "time", "key", "entity", "slice", "forbidden"]
Part = Literal["year", "month", "day", "weekday", "hour", "minute"]
Type = Literal[
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "category", "text", "timestamp"
]  # fmt: skip
Scalar = bool | int | float | str

_FLOAT32 = 3.4028234663852886e38

RANGES: dict[str, tuple[float, float]] = {
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    # Features travel as float32: a float64 beyond its range would arrive as infinity.
    "float32": (-_FLOAT32, _FLOAT32),
    "float64": (-_FLOAT32, _FLOAT32),
}
"""Lowest and highest value of each numeric type."""

_SINGLE_ROLES: tuple[Role, ...] = ("label", "time", "key")


class Column(Strict):
    """One column: its type, what it is for, and what it may hold."""

    type: Type = Field(description="What a value is.")
    roles: tuple[Role, ...] = Field((), description="What the column is for; without any it is only checked.")
    min: int | float | None = Field(None, description="Lowest value of a number; else the type's.")
    max: int | float | None = Field(None, description="Highest value of a number; else the type's.")
    categories: tuple[str, ...] = Field((), description="The known values; only for type `category`, which needs them.")
    parts: tuple[Part, ...] = Field((), description="What the model sees of a timestamp; weekday 1 is Monday.")
    missing: float = Field(
        0.0, ge=0, le=1, description="Share of the rows in which the value may be missing; 0: required."
    )
    unknown: float = Field(0.0, ge=0, le=1, description="Share of the rows whose category may be an unlisted one.")
    personal: Literal["none", "pseudonymous", "personal", "special"] = Field(
        "none", description="Class of personal data; values of any but `none` stay out of logs and answers."
    )
    description: str = Field("", description="What it means, with the unit; stands in the API's description.")

    @property
    def public(self) -> bool:
        """May its values stand in an answer, a message or a log?"""
        return self.personal == "none"

    def shown(self, value: object) -> str:
        """A value as messages quote it."""
        return str(value) if self.public else "(hidden: personal)"

    @property
    def listed(self) -> str:
        """Its categories as messages quote them: the first ten."""
        return ", ".join(self.categories[:10]) + (", …" if len(self.categories) > 10 else "")

    @property
    def numeric(self) -> bool:
        return self.type in RANGES

    @property
    def integer(self) -> bool:
        return "int" in self.type

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest value allowed: the contract's, else the type's."""
        lowest, highest = RANGES[self.type]
        return (lowest if self.min is None else self.min, highest if self.max is None else self.max)

    @model_validator(mode="after")
    def _consistent(self) -> "Column":
        contradictions([*self._bounds_problems(), *self._type_problems(), *self._role_problems()])
        return self

    def _bounds_problems(self) -> list[Problem]:
        given = [(name, value) for name, value in (("min", self.min), ("max", self.max)) if value is not None]
        if not self.numeric:
            return [(name, value, f"type {self.type} has no bounds; remove it") for name, value in given]
        lowest, highest = RANGES[self.type]
        found: list[Problem] = []
        for name, value in given:
            if value < lowest:
                found.append((name, value, f"must be ≥ {lowest}"))
            elif value > highest:
                found.append((name, value, f"must be ≤ {highest}"))
            elif self.integer and isinstance(value, float):
                found.append((name, value, "must be a whole number"))
        if self.min is not None and self.max is not None and self.min > self.max:
            found.append(("min", self.min, f"must be ≤ max ({self.max})"))
        return found

    def _type_problems(self) -> list[Problem]:
        found: list[Problem] = []
        if self.type == "category" and not self.categories:
            found.append(("categories", None, "type category needs the list of its values"))
        if self.type != "category" and self.categories:
            found.append(("categories", list(self.categories), f"type {self.type} has no categories; remove them"))
        if self.type != "category" and self.unknown:
            found.append(
                ("unknown", self.unknown, f"type {self.type} has no categories that could be unknown; remove it")
            )
        found += [("categories", name, "stands twice") for name in _twice(self.categories)]
        if self.type != "timestamp" and self.parts:
            found.append(("parts", list(self.parts), f"type {self.type} has no parts; remove them"))
        found += [("parts", name, "stands twice") for name in _twice(self.parts)]
        return found

    def _role_problems(self) -> list[Problem]:
        roles = list(self.roles)
        found: list[Problem] = [("roles", name, "stands twice") for name in _twice(self.roles)]
        if "forbidden" in roles and len(roles) > 1:
            found.append(
                ("roles", roles, "a forbidden column has no other role: it is not known when the model is asked")
            )
        if "feature" in roles:
            found += [("roles", roles, f"the {role} cannot be a feature") for role in ("label", "key") if role in roles]
            if self.type == "text":
                found.append(("roles", roles, "a text column cannot be a feature; use type category"))
            if self.type == "timestamp" and not self.parts:
                found.append(("parts", None, "a timestamp that is a feature needs its parts, such as [weekday, hour]"))
        elif self.parts:
            found.append(("parts", list(self.parts), "only a feature has parts; remove them"))
        if "time" in roles and self.type != "timestamp":
            found.append(("type", self.type, "the time column must be a timestamp"))
        if "slice" in roles and self.type not in ("category", "bool"):
            found.append(("roles", roles, "a slice must be of type category or bool"))
        if "label" in roles and self.type in ("text", "timestamp"):
            found.append(("type", self.type, "the label must be a number, a category or bool"))
        required = [role for role in ("time", "key") if role in roles]
        if required and self.missing:
            found.append(("missing", self.missing, f"the {required[0]} column must be complete; use 0"))
        return found


class LabelRule(Strict):
    """When a row counts as positive, told from the label column; exactly one rule."""

    above: float | None = Field(None, description="Positive where the label is greater.")
    below: float | None = Field(None, description="Positive where the label is less.")
    at_least: float | None = Field(None, description="Positive where the label is this or greater.")
    at_most: float | None = Field(None, description="Positive where the label is this or less.")
    equals: Scalar | None = Field(None, description="Positive where the label is this.")
    one_of: tuple[Scalar, ...] | None = Field(
        None, min_length=1, description="Positive where the label is one of these."
    )

    @property
    def rule(self) -> tuple[str, object]:
        """Name and value of the one rule."""
        return next((name, value) for name, value in self if value is not None)

    @property
    def values(self) -> tuple[Scalar, ...]:
        """The values that count as positive under `equals` and `one_of`, else none."""
        return self.one_of or (() if self.equals is None else (self.equals,))

    @model_validator(mode="after")
    def _one_rule(self) -> "LabelRule":
        given = {name: value for name, value in self if value is not None}
        if len(given) != 1:
            contradictions(
                [("", given or None, "needs exactly one of above, below, at_least, at_most, equals, one_of")]
            )
        return self

    def __str__(self) -> str:
        name, value = self.rule
        values = value if isinstance(value, tuple) else (value,)
        shown = ", ".join(f"{each:.15g}" if isinstance(each, float) else str(each) for each in values)
        return f"{name.replace('_', ' ')} {shown}"


class Contract(Strict):
    """The whole of config/data.yaml; its JSON travels in the bundle as contract.json."""

    task: Literal["binary"] = Field(description="What is predicted: yes or no.")
    source: str = Field(
        min_length=1, description="The table, Parquet or CSV: a path, a glob, or an address (s3://, gs://, abfss://)."
    )
    purpose: str = Field(min_length=1, description="What the model is for; stands in its card.")
    retention: str = Field(min_length=1, description="How long the data may be kept; stands in the card.")
    zone: str | None = Field(None, description="Time zone of times without offset; left out, such times are refused.")
    label: LabelRule
    columns: dict[str, Column] = Field(
        description="By name, in the order of the model's inputs; one has the role time, one label, some feature."
    )

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        try:
            _ = zone and ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            contradictions([("", zone, "no such time zone; use a name such as Europe/Zurich")])
        return zone

    @model_validator(mode="after")
    def _consistent(self) -> "Contract":
        contradictions([*self._role_problems(), *self._label_problems()])
        return self

    def _role_problems(self) -> list[Problem]:
        found: list[Problem] = []
        for role in _SINGLE_ROLES:
            names = self.with_role(role)
            if len(names) > 1:
                found.append(("columns", list(names), f"only one column can be the {role}"))
            elif not names and role != "key":
                found.append(("columns", None, f"one column needs the role {role}"))
        if not self.features:
            found.append(("columns", None, "at least one column needs the role feature"))
        return found

    def _label_problems(self) -> list[Problem]:
        names = self.with_role("label")
        if len(names) != 1:
            return []
        column, (rule, value) = self.columns[names[0]], self.label.rule
        if not self.label.values:
            return (
                []
                if column.numeric
                else [(f"label.{rule}", value, f"{names[0]} is of type {column.type}; use equals or one_of")]
            )
        fits = {"category": str, "bool": bool}.get(column.type)
        wrong = [item for item in self.label.values if not _fits(item, fits)]
        found: list[Problem] = [
            (f"label.{rule}", item, f"is no value of {names[0]} (type {column.type})") for item in wrong
        ]
        unlisted = [item for item in self.label.values if column.type == "category" and item not in column.categories]
        among = f"is not among {column.listed} (columns.{names[0]}.categories)"
        return found or [(f"label.{rule}", item, among) for item in unlisted]

    def with_role(self, role: Role) -> tuple[str, ...]:
        """Names of the columns that have this role, in the contract's order."""
        return tuple(name for name, column in self.columns.items() if role in column.roles)

    @cached_property
    def features(self) -> tuple[str, ...]:
        return self.with_role("feature")

    @property
    def label_column(self) -> str:
        return self.with_role("label")[0]

    @property
    def time_column(self) -> str:
        return self.with_role("time")[0]

    @property
    def key_column(self) -> str | None:
        return next(iter(self.with_role("key")), None)

    @property
    def slices(self) -> tuple[str, ...]:
        return self.with_role("slice")

    def to_json(self) -> bytes:
        """Canonical JSON: equal contracts give equal bytes (the order of columns is the order of the model's inputs and is kept)."""
        return (
            json.dumps(self.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False, indent=2).encode()
            + b"\n"
        )

    @classmethod
    def from_json(cls, content: bytes, file: str = "contract.json") -> "Contract":
        return parse(cls, json.loads(content), file)

    def hash(self) -> str:
        """`sha256:…` of the canonical JSON."""
        return "sha256:" + hashlib.sha256(self.to_json()).hexdigest()


def _twice(names: tuple[str, ...]) -> list[str]:
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]


def _fits(value: Scalar, kind: type | None) -> bool:
    return isinstance(value, kind) if kind else isinstance(value, int | float) and not isinstance(value, bool)
