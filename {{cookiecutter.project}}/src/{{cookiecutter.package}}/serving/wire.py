"""Requests and answers as bytes: what a body may hold, and the problem that names field, rule and value when it does not."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import msgspec
import numpy as np

from ..contract import Contract
from ..features import Matrix, input_names
from .columns import Feature, features
from .problems import SHOWN_ERRORS, FieldError, Problem, shown

KEY = "key"
_NO_NUMBER = re.compile(rb"[:,\[]\s*[-+]?(?:nan|inf(?:inity)?)\b", re.IGNORECASE)
"""What other languages write where a number is none."""

Values = Sequence[Sequence[Any]]
"""For each feature, in the contract's order, a value for each row."""


@dataclass(slots=True)
class Request:
    """A checked request."""

    rows: int
    values: Values
    keys: Sequence[str | None]
    matrix: Matrix
    id: str | None = None


class Wire:
    """Reads the requests of one contract."""

    def __init__(self, contract: Contract, max_rows: int) -> None:
        self.features = features(contract)
        self._names = contract.features
        self._known = frozenset(contract.features)
        # A feature may be called `key`; such a contract's rows then carry no key of their own.
        self._allowed = self._known if KEY in self._known else self._known | {KEY}
        self._others = {name: column.roles for name, column in contract.columns.items() if name not in self._known}
        self._pick = _picker(contract.features)
        self._converters = tuple(each.convert for each in self.features)
        self._flat = not any(each.column.parts for each in self.features)
        self._inputs = len(input_names(contract))
        self._datatypes = {each.name: _accepted(datatype(each)) for each in self.features}
        self._datatypes.setdefault(KEY, _accepted("BYTES"))
        self._max_rows = max_rows

    def rows(self, body: bytes) -> Request:
        """`/v1/predict`: {"rows": [{feature: value, …, "key": text}, …]}."""
        document = _object(body)
        rows = document.get("rows")
        if type(rows) is not list or len(document) != 1:
            raise Problem(400, "wrong-shape", 'the body must be {"rows": [{…}, …]} and hold nothing else')
        self._count(len(rows))
        for index, row in enumerate(rows):
            self._check_names(index, row)
        values = [*zip(*map(self._pick, rows), strict=True)]
        keys = [None] * len(rows) if KEY in self._known else [row.get(KEY) for row in rows]
        return self._checked(values, keys, None)

    def tensors(self, body: bytes) -> Request:
        """`/v2/models/{name}/infer`: a tensor for each feature, and one named `key` at will."""
        document = _object(body)
        tensors = document.get("inputs")
        if type(tensors) is not list or not set(map(type, tensors)) <= {dict}:
            raise Problem(400, "wrong-shape", "inputs must be a list of tensors")
        named = {str(tensor.get("name")): tensor for tensor in tensors}
        if len(named) != len(tensors):
            raise Problem(400, "wrong-shape", "inputs: two tensors have the same name")
        self._check_names(None, named)
        count = _length(tensors[0])
        self._count(count)
        shape = [count]
        data = {}
        for name, tensor in named.items():
            values = tensor.get("data")
            usual = type(values) is list and tensor.get("shape") == shape and len(values) == count
            if not usual or tensor.get("datatype") not in self._datatypes[name]:
                values = self._data(name, tensor, count)
            data[name] = values
        keys = data[KEY] if KEY in data and KEY not in self._known else [None] * count
        request_id = document.get("id")
        if request_id is not None and type(request_id) is not str:
            raise Problem(400, "wrong-shape", "id must be text")
        return self._checked([data[name] for name in self._names], keys, request_id)

    def _count(self, rows: int) -> None:
        if not 0 < rows <= self._max_rows:
            kind = "too-many-rows" if rows else "wrong-shape"
            raise Problem(
                413 if rows else 400,
                kind,
                f"{rows} rows; a request has 1 to {self._max_rows} (larger tables: make predict)",
            )

    def _check_names(self, index: int | None, row: Any) -> None:
        if type(row) is not dict:
            raise Problem(
                400, "wrong-shape", f"rows[{index}]: {shown(row)}: must be an object of feature names and values"
            )
        names = row.keys()
        if names == self._known or self._known <= names <= self._allowed:
            return
        errors = [
            FieldError(name, "this field is required (null where the contract allows it)", index)
            for name in self._names
            if name not in row
        ]
        errors += [
            FieldError(shown(name)[1:-1], self._why_unknown(name), index) for name in row if name not in self._allowed
        ]
        raise _contract_problem(errors)

    def _why_unknown(self, name: str) -> str:
        roles = self._others.get(name)
        if roles is not None and "key" in roles:
            return f"it is the key of the rows; send it as `{KEY}`"
        role = (
            f"it is in the contract, but no feature ({', '.join(roles) or 'no role'})"
            if roles is not None
            else "no such feature"
        )
        return f"{role}; remove it"

    def _data(self, name: str, tensor: Mapping[str, Any], count: int) -> list[Any]:
        """The values of an unusual tensor, or what is wrong with it."""
        data, kind = tensor.get("data"), tensor.get("datatype")
        if _length(tensor) != count:
            raise Problem(
                400,
                "wrong-shape",
                f"{name}: shape {shown(tensor.get('shape'))}: all tensors must have the same number of rows ({count})",
            )
        if type(data) is not list:
            raise Problem(400, "wrong-shape", f"{name}: data must be a list (the binary extension is not offered)")
        if len(tensor["shape"]) == 2 and data and type(data[0]) is list:
            data = list(chain.from_iterable(each if type(each) is list else [each] for each in data))
        if len(data) != count:
            raise Problem(
                400, "wrong-shape", f"{name}: data has {len(data)} values, shape {shown(tensor['shape'])} needs {count}"
            )
        expected = (
            "BYTES" if name == KEY and KEY not in self._known else datatype(self.features[self._names.index(name)])
        )
        if kind not in self._datatypes[name]:
            raise Problem(400, "wrong-shape", f"{name}: datatype {shown(kind)}: must be {expected}")
        return data

    def _checked(self, values: Values, keys: Sequence[str | None], request_id: str | None) -> Request:
        for index, key in enumerate(keys):
            if key is not None and (type(key) is not str or len(key) > 256):
                raise _contract_problem([FieldError(KEY, "must be text of at most 256 characters", index)])
        rows = len(keys)
        try:
            matrix = self._single(values) if rows == 1 else self._matrix(values, rows)
        except ValueError:
            raise _contract_problem(self._errors(values)) from None
        return Request(rows, values, keys, matrix, request_id)

    def _single(self, values: Values) -> Matrix:
        numbers = [convert(column[0]) for convert, column in zip(self._converters, values, strict=True)]
        if not self._flat:  # a timestamp gives a number for each of its parts
            numbers = [*chain.from_iterable(each if type(each) is tuple else (each,) for each in numbers)]
        return np.array([numbers], dtype=np.float32)

    def _matrix(self, values: Values, rows: int) -> Matrix:
        matrix = np.empty((rows, self._inputs), dtype=np.float32)
        position = 0
        for feature, column in zip(self.features, values, strict=True):
            width = len(feature.column.parts) or 1
            converted = [feature.convert(value) for value in column]
            matrix[:, position : position + width] = np.array(converted, dtype=np.float32).reshape(rows, width)
            position += width
        return matrix

    def _errors(self, values: Values) -> list[FieldError]:
        """Say all that is wrong; only for requests that are."""
        errors: list[FieldError] = []
        for feature, column in zip(self.features, values, strict=True):
            for index, value in enumerate(column):
                try:
                    feature.convert(value)
                except ValueError as error:
                    errors.append(FieldError(feature.name, str(error), index, shown(value) if feature.public else None))
        return errors


FLOATS = ("FP16", "FP32", "FP64")
NUMERIC = frozenset((*FLOATS, *(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))))


def datatype(feature: Feature) -> str:
    """The Open Inference Protocol's name of a feature's type; any numeric type is taken for a number."""
    kind = feature.column.type
    if kind in ("category", "timestamp"):
        return "BYTES"
    return "FP" + kind.removeprefix("float") if kind.startswith("float") else kind.upper()


def _accepted(expected: str) -> tuple[str, ...]:
    # A tuple: what a client sends as datatype need not be hashable. The usual one comes first.
    return (expected, *NUMERIC) if expected in NUMERIC else (expected,)


def _picker(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Takes a row's values out in the contract's order."""
    if len(names) == 1:
        return lambda row: (row[names[0]],)
    return itemgetter(*names)


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except UnicodeDecodeError:
        raise Problem(400, "not-json", "the body must be UTF-8") from None
    except msgspec.ValidationError as error:
        raise Problem(400, "not-json", f"a number is too large: {str(error).lower()}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        said = str(error)
        if "invalid character" in said and _NO_NUMBER.search(body):
            said += "; NaN and Infinity are no JSON: use null where a value is missing"
        raise Problem(400, "not-json", said) from None
    if type(document) is not dict:
        raise Problem(400, "wrong-shape", "the body must be a JSON object")
    return document


def _length(tensor: Mapping[str, Any]) -> int:
    shape = tensor.get("shape")
    if (
        type(shape) is list
        and all(type(size) is int for size in shape)
        and (len(shape) == 1 or (len(shape) == 2 and shape[1] == 1))
        and shape[0] >= 0
    ):
        return int(shape[0])
    raise Problem(
        400, "wrong-shape", f"{shown(tensor.get('name'))[:60]}: shape {shown(shape)}: must be [rows] or [rows, 1]"
    )


def _contract_problem(errors: list[FieldError]) -> Problem:
    first = errors[0]
    where = f"row {first.row}: {first.field}" if first.row is not None else first.field
    value = f": {first.value}" if first.value is not None else ""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Problem(422, "contract", f"{where}{value}: {first.rule}{more}", tuple(errors[:SHOWN_ERRORS]))
