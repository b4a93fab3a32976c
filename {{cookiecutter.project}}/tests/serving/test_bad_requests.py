"""Bad input: each is refused with a problem document that names what, where and the rule; and the server goes on."""

import json
from typing import Any

import pytest

from .helpers import ROW, Running


def rows(**changes: Any) -> dict[str, Any]:
    return {"rows": [{**ROW, **changes}]}


def without(name: str) -> dict[str, Any]:
    return {"rows": [{key: value for key, value in ROW.items() if key != name}]}


def tensors(**changes: Any) -> dict[str, Any]:
    kinds = {"hour": "UINT8", "weight": "FP32", "express": "BOOL", "age": "INT16"}
    inputs = [
        {"name": name, "shape": [1], "datatype": kinds.get(name, "BYTES"), "data": [value]}
        for name, value in ROW.items()
    ]
    inputs[0] |= changes
    return {"inputs": inputs}


# What is sent, status, kind, and the words of `detail`.
PREDICT: dict[str, tuple[Any, int, str, str]] = {
    "no JSON": (b"{", 400, "not-json", "Input data was truncated"),
    "empty": (b"", 400, "not-json", "Input data was truncated"),
    "NaN": (
        b'{"rows": [{"hour": NaN}]}',
        400,
        "not-json",
        "JSON is malformed: invalid character (byte 19); NaN and Infinity are no JSON",
    ),
    "Infinity": (
        b'{"rows": [{"hour": -Infinity}]}',
        400,
        "not-json",
        "NaN and Infinity are no JSON: use null where a value is missing",
    ),
    "no UTF-8": (b'{"rows": "\xff"}', 400, "not-json", "the body must be UTF-8"),
    "deep": (b"[" * 15_000, 400, "not-json", ""),
    "number out of range": (
        b'{"rows": [{"weight": 1e400}]}',
        400,
        "not-json",
        "a number is too large: number out of range",
    ),
    "no object": ([], 400, "wrong-shape", "the body must be a JSON object"),
    "no rows": ({}, 400, "wrong-shape", 'the body must be {"rows": [{…}, …]} and hold nothing else'),
    "more than rows": (
        {**rows(), "more": 1},
        400,
        "wrong-shape",
        'the body must be {"rows": [{…}, …]} and hold nothing else',
    ),
    "zero rows": ({"rows": []}, 400, "wrong-shape", "0 rows; a request has 1 to 50 (larger tables: make predict)"),
    "too many rows": (
        {"rows": [ROW] * 51},
        413,
        "too-many-rows",
        "51 rows; a request has 1 to 50 (larger tables: make predict)",
    ),
    "row no object": ({"rows": [7]}, 400, "wrong-shape", "rows[0]: 7: must be an object of feature names and values"),
    "missing field": (
        without("hour"),
        422,
        "contract",
        "row 0: hour: this field is required (null where the contract allows it)",
    ),
    "unknown field": (rows(hours=8), 422, "contract", "row 0: hours: no such feature; remove it"),
    "key by its column": (rows(id="P-1"), 422, "contract", "row 0: id: it is the key of the rows; send it as `key`"),
    "label": (rows(late=3.0), 422, "contract", "row 0: late: it is in the contract, but no feature (label); remove it"),
    "below": (rows(hour=-3), 422, "contract", "row 0: hour: -3: must be ≥ 0"),
    "above": (rows(hour=24), 422, "contract", "row 0: hour: 24: must be ≤ 23"),
    "not whole": (rows(hour=7.5), 422, "contract", "row 0: hour: 7.5: must be a whole number"),
    "text for a number": (rows(weight="1.5"), 422, "contract", 'row 0: weight: "1.5": must be a number'),
    "truth for a number": (rows(hour=True), 422, "contract", "row 0: hour: true: must be a whole number"),
    "huge whole number": (rows(hour=10**300), 422, "contract", "must be ≤ 23"),
    "huge number": (rows(weight=1e300), 422, "contract", "row 0: weight: 1e300: must be ≤ 10"),
    "missing value": (rows(hour=None), 422, "contract", "row 0: hour: null: must not be missing"),
    "unknown category": (rows(origin="north"), 422, "contract", 'row 0: origin: "north": must be one of east, west'),
    "category no text": (rows(origin=1), 422, "contract", "row 0: origin: 1: must be text"),
    "long value": (rows(origin="x" * 999), 422, "contract", f'row 0: origin: "{"x" * 78}…: must be one of east, west'),
    "truth as number": (rows(express=1), 422, "contract", "row 0: express: 1: must be true or false"),
    "no time": (
        rows(booked="soon"),
        422,
        "contract",
        'row 0: booked: "soon": is no time in the form 2013-10-01T08:30:00+02:00',
    ),
    "hour twice": (rows(booked="2026-10-25T02:30:00"), 422, "contract", "happened twice in Europe/Zurich"),
    "hour never": (rows(booked="2026-03-29T02:30:00"), 422, "contract", "did not happen in Europe/Zurich"),
    "personal value": (rows(age=999), 422, "contract", "row 0: age: must be ≤ 150"),
    "key no text": (rows(key=7), 422, "contract", "row 0: key: must be text of at most 256 characters"),
    "second row": ({"rows": [ROW, {**ROW, "hour": 99}]}, 422, "contract", "row 1: hour: 99: must be ≤ 23"),
    "two errors": (rows(hour=99, express=0), 422, "contract", "row 0: hour: 99: must be ≤ 23 (and 1 more)"),
}

INFER: dict[str, tuple[Any, int, str, str]] = {
    "no inputs": ({}, 400, "wrong-shape", "inputs must be a list of tensors"),
    "inputs no list": ({"inputs": {}}, 400, "wrong-shape", "inputs must be a list of tensors"),
    "input missing": ({"inputs": tensors()["inputs"][1:]}, 422, "contract", "hour: this field is required"),
    "input twice": (
        {"inputs": [*tensors()["inputs"], tensors()["inputs"][0]]},
        400,
        "wrong-shape",
        "two tensors have the same name",
    ),
    "shape of two": (tensors(shape=[1, 2]), 400, "wrong-shape", '"hour": shape [1,2]: must be [rows] or [rows, 1]'),
    "shape negative": (tensors(shape=[-1]), 400, "wrong-shape", "must be [rows] or [rows, 1]"),
    "shape no list": (tensors(shape=1), 400, "wrong-shape", "must be [rows] or [rows, 1]"),
    "shape missing": (tensors(shape=None), 400, "wrong-shape", "must be [rows] or [rows, 1]"),
    "shape unlike data": (tensors(data=[8, 9]), 400, "wrong-shape", "hour: data has 2 values, shape [1] needs 1"),
    "other length": (
        tensors(shape=[2], data=[8, 9]),
        400,
        "wrong-shape",
        "all tensors must have the same number of rows (2)",
    ),
    "too many rows": (tensors(shape=[10**12]), 413, "too-many-rows", "1000000000000 rows; a request has 1 to 50"),
    "data missing": (
        tensors(data=None),
        400,
        "wrong-shape",
        "hour: data must be a list (the binary extension is not offered)",
    ),
    "datatype": (tensors(datatype="BYTES"), 400, "wrong-shape", 'hour: datatype "BYTES": must be UINT8'),
    "datatype no text": (tensors(datatype=[]), 400, "wrong-shape", "hour: datatype []: must be UINT8"),
    "nested too deep": (tensors(data=[[[8]]]), 422, "contract", "must be a whole number"),
    "out of bounds": (tensors(data=[24]), 422, "contract", "row 0: hour: 24: must be ≤ 23"),
    "id no text": ({**tensors(), "id": 1}, 400, "wrong-shape", "id must be text"),
}


@pytest.mark.proof("A bad request is answered by a problem document that names field, rule and value")
@pytest.mark.parametrize("case", PREDICT)
def test_predict_refuses(server: Running, case: str) -> None:
    body, status, kind, detail = PREDICT[case]
    check(server, "/v1/predict", body, status, kind, detail)


@pytest.mark.proof("A bad request is answered by a problem document that names field, rule and value")
@pytest.mark.parametrize("case", INFER)
def test_infer_refuses(server: Running, case: str) -> None:
    body, status, kind, detail = INFER[case]
    check(server, "/v2/models/parcels/infer", body, status, kind, detail)


@pytest.mark.parametrize("body", [b"{", b'{"rows": [', b'{"rows": [{"carrier": "nan, inf"', b'{"rows": [{"inf": 1'])
def test_null_is_named_only_where_a_number_is_none(server: Running, body: bytes) -> None:
    answer = server.request("POST", "/v1/predict", body)
    assert (answer.status, answer.json["detail"]) == (400, "Input data was truncated")


def check(server: Running, path: str, body: Any, status: int, kind: str, detail: str) -> None:
    answer = server.request("POST", path, body)
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json
    assert problem["type"] == f"/docs#{kind}"
    assert problem["status"] == status
    assert detail in problem["detail"]
    assert server.predict(ROW).status == 200


def test_every_error_is_listed(server: Running) -> None:
    problem = server.predict(ROW, {**ROW, "hour": 99, "origin": "north", "age": -1}).json
    assert problem["errors"] == [
        {"field": "hour", "rule": "must be ≤ 23", "row": 1, "value": "99"},
        {"field": "origin", "rule": "must be one of east, west", "row": 1, "value": '"north"'},
        {"field": "age", "rule": "must be ≥ 0", "row": 1},
    ]
    many = server.predict(*[{**ROW, "hour": 99}] * 50).json
    assert len(many["errors"]) == 20
    assert many["detail"].endswith("(and 49 more)")


# Method, path, headers; status, kind, and a header of the answer.
REQUESTS: list[tuple[str, str, dict[str, str], int, str, tuple[str, str]]] = [
    ("GET", "/v1/predict", {}, 405, "wrong-method", ("allow", "POST")),
    ("DELETE", "/v2/health/live", {}, 405, "wrong-method", ("allow", "GET, HEAD")),
    ("POST", "/v1/predict", {"content-type": "text/csv"}, 415, "wrong-content-type", ("connection", "close")),
    (
        "POST",
        "/v1/predict",
        {"content-type": "application/octet-stream"},
        415,
        "wrong-content-type",
        ("connection", "close"),
    ),
    ("POST", "/v2/models/other/infer", {}, 404, "wrong-model", ("connection", "close")),
    ("POST", "/v2/models/parcels/versions/9/infer", {}, 404, "wrong-model", ("connection", "close")),
    ("GET", "/v2/models/other", {}, 404, "wrong-model", ("connection", "close")),
    ("GET", "/nothing", {}, 404, "wrong-path", ("connection", "close")),
    ("GET", "/metrics", {}, 404, "wrong-path", ("connection", "close")),
]


@pytest.mark.proof("A bad request is answered by a problem document that names field, rule and value")
@pytest.mark.parametrize("case", REQUESTS, ids=lambda case: " ".join(case[:2]))
def test_request_is_refused(server: Running, case: tuple[str, str, dict[str, str], int, str, tuple[str, str]]) -> None:
    method, path, headers, status, kind, (name, value) = case
    answer = server.request(method, path, rows() if method == "POST" else None, **headers)
    assert (answer.status, answer.json["type"]) == (status, f"/docs#{kind}")
    assert answer.headers[name] == value


def test_content_type_with_charset_is_accepted(server: Running) -> None:
    answer = server.request("POST", "/v1/predict", rows(), **{"content-type": "Application/JSON; charset=utf-8"})
    assert answer.status == 200


def test_whole_number_may_be_written_as_float(server: Running) -> None:
    assert (
        server.predict({**ROW, "hour": 8.0}).json["predictions"][0]["score"]
        == server.predict(ROW).json["predictions"][0]["score"]
    )


def test_body_too_large(server: Running) -> None:
    answer = server.request("POST", "/v1/predict", json.dumps(rows(origin="x" * 30_000)).encode())
    assert (answer.status, answer.json["type"]) == (413, "/docs#body-too-large")
    assert "a request has at most 20000" in answer.json["detail"]
