"""The API's description, made from the contract: what a client may send is what the server checks."""

from typing import Any

from .columns import Feature
from .predictor import Predictor
from .problems import KINDS
from .settings import ServingSettings

_FORMATS = {"float32": "float", "float64": "double", "int32": "int32", "int64": "int64"}


def openapi(predictor: Predictor, settings: ServingSettings) -> dict[str, Any]:
    """An OpenAPI 3.1 document."""
    name = predictor.manifest.name
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": predictor.version, "description": predictor.contract.purpose},
        "security": [{}, {"key": []}],
        "paths": {
            "/v1/predict": {"post": _operation("Score rows.", "Rows", "Predictions")},
            f"/v2/models/{name}/infer": {
                "post": _operation("Score tensors (Open Inference Protocol v2).", "Inference", "Inferred")
            },
            f"/v2/models/{name}": {"get": _operation("What the model takes and gives.", None, "Any")},
            "/v2/health/live": {"get": _operation("Is the process alive?", None, "Any")},
            "/v2/health/ready": {"get": _operation("Is a verified model being served?", None, "Any")},
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {**_requests(predictor, settings), **_answers(), "Problem": _problem()},
        },
    }


def _operation(summary: str, request: str | None, answer: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": summary,
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": _reference(answer)}}},
            "default": {
                "description": "Not done.",
                "content": {"application/problem+json": {"schema": _reference("Problem")}},
            },
        },
    }
    if request:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _reference(request)}}}
    return operation


def _requests(predictor: Predictor, settings: ServingSettings) -> dict[str, Any]:
    features = predictor.wire.features
    properties = {each.name: _feature(each) for each in features}
    key = {} if "key" in properties else {"key": {"type": ["string", "null"], "maxLength": 256}}
    # The golden request is a real row: shown only where no value of it is personal.
    examples = {"examples": [predictor.manifest.golden.request]} if all(each.public for each in features) else {}
    row = _object({**properties, **key}, required=list(properties), **examples)
    tensor = _object(
        {name: {} for name in ("name", "shape", "datatype", "data", "parameters")},
        required=["name", "shape", "datatype", "data"],
    )
    return {
        "Rows": _object(
            {"rows": {"type": "array", "minItems": 1, "maxItems": settings.limits.rows, "items": _reference("Row")}}
        ),
        "Row": row,
        "Inference": {
            "type": "object",
            "required": ["inputs"],
            "properties": {"id": {"type": "string"}, "inputs": {"type": "array", "items": tensor}},
        },
    }


def _answers() -> dict[str, Any]:
    text, number, truth = {"type": "string"}, {"type": "number"}, {"type": "boolean"}
    prediction = _object({"id": text, "key": {"type": ["string", "null"]}, "score": number, "decision": truth})
    return {
        "Predictions": _object(
            {"model": text, "version": text, "bundle": text, "predictions": {"type": "array", "items": prediction}}
        ),
        "Inferred": {"type": "object", "required": ["model_name", "outputs"]},
        "Any": {"type": "object"},
    }


def _problem() -> dict[str, Any]:
    error = {
        "type": "object",
        "required": ["field", "rule"],
        "properties": {"field": {}, "rule": {}, "row": {}, "value": {}},
    }
    kinds = "\n".join(f"* `{kind}`: {meaning}" for kind, meaning in KINDS.items())
    properties = {"type": {"enum": [f"/docs#{kind}" for kind in KINDS]}, "title": {}, "status": {}, "detail": {}}
    required = list(properties)
    return {
        "type": "object",
        "description": kinds,
        "required": required,
        "properties": {**properties, "errors": {"type": "array", "items": error}},
    }


def _feature(feature: Feature) -> dict[str, Any]:
    column = feature.column
    if column.numeric:
        lowest, highest = column.bounds
        schema: dict[str, Any] = {
            "type": "integer" if column.integer else "number",
            "minimum": lowest,
            "maximum": highest,
        }
        schema |= {"format": _FORMATS[column.type]} if column.type in _FORMATS else {}
    elif column.type == "category":
        schema = {"type": "string"} | ({} if column.unknown else {"enum": list(column.categories)})
    else:
        schema = {"type": "boolean"} if column.type == "bool" else {"type": "string", "format": "date-time"}
    if column.missing:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"].append(None)
    return schema | ({"description": column.description} if column.description else {})


def _object(properties: dict[str, Any], required: list[str] | None = None, **more: Any) -> dict[str, Any]:
    required = list(properties) if required is None else required
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties, **more}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
