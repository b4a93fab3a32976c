"""Configuration files as frozen objects: YAML 1.2, nothing unknown, nothing twice, errors that name file, key, value and rule."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from .errors import Refused

Problem = tuple[str, object, str]
"""Where below the model it stands (dotted, may be empty), the value, the rule."""


class Strict(BaseModel):
    """The base of everything read from a configuration file."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


Model = TypeVar("Model", bound=Strict)

_RULES = {
    "missing": "this key is required",
    "greater_than_equal": "must be ≥ {ge}",
    "greater_than": "must be > {gt}",
    "less_than_equal": "must be ≤ {le}",
    "less_than": "must be < {lt}",
    "literal_error": "must be one of {expected}",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text (put it in quotes)",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of names to values",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must match {pattern}",
    "too_short": "must have at least {min_length} entries",
}


def contradictions(problems: Iterable[Problem]) -> None:
    """Raise what a validator of a model found, if anything, as errors that `parse` can place."""
    found = list(problems)
    if found:
        raise PydanticCustomError("contradiction", "contradiction", {"problems": found})


def parse(model: type[Model], data: object, file: str) -> Model:
    """Check plain data against a model; Refused lists every problem, one line each."""
    try:
        return model.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        lines = [line for detail in error.errors() for line in _sentences(detail, model, file)]
        raise Refused("\n".join(dict.fromkeys(lines))) from None


def read_yaml(path: Path, file: str) -> Any:
    """The content of a YAML 1.2 file (`NO` stays a word); `file` is what messages call it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise Refused(f"{file}: this file is missing; restore it from Git") from None
    except UnicodeDecodeError as error:
        raise Refused(f"{file}: byte {error.start}: must be UTF-8") from None
    loader = YAML(typ="safe", pure=True)
    try:
        return loader.load(text)
    except DuplicateKeyError as error:
        raise Refused(f"{file}: {_line(error)}: {_duplicate(error)}: this key stands twice; keep one") from None
    except YAMLError as error:
        problem = getattr(error, "problem", None) or "unreadable"
        raise Refused(f"{file}: {_line(error)}: not valid YAML: {problem}") from None


def _line(error: YAMLError) -> str:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    return "line ?" if mark is None else f"line {mark.line + 1}"


def _duplicate(error: DuplicateKeyError) -> str:
    return str(error.problem).split('"')[1] if '"' in str(error.problem) else "a key"


def _sentences(detail: ErrorDetails, model: type[Strict], file: str) -> list[str]:
    place = [str(part) for part in detail["loc"]]
    context = detail.get("ctx", {})
    if detail["type"] == "contradiction":
        return [
            _sentence(file, [*place, *where.split(".")] if where else place, value, rule)
            for where, value, rule in context["problems"]
        ]
    if detail["type"] == "extra_forbidden":
        return [_sentence(file, place, detail["input"], "unknown key; remove it or correct its name")]
    if detail["type"] == "missing":
        return [_sentence(file, place, None, _RULES["missing"])]
    rule = _RULES.get(detail["type"], detail["msg"]).format(**context)
    return [_sentence(file, place, detail["input"], rule)]


def _sentence(file: str, place: list[str], value: object, rule: str) -> str:
    shown = (
        "missing"
        if value is None
        else json.dumps(value, ensure_ascii=False)
        if isinstance(value, list | dict | bool)
        else str(value)
    )
    return ": ".join(
        part for part in (file, ".".join(place), shown if len(shown) <= 80 else shown[:77] + "…", rule) if part
    )
