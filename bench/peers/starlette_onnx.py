"""Starlette + msgspec around the same ONNX file, bare: the project's server without its production features."""

from typing import Any

import msgspec
import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .features import features, threshold
from .graph import positive, session

FEATURES, THRESHOLD, SESSION = features(), threshold(), session()
FIELDS: list[Any] = [(f.name, f.type | None) if f.optional else (f.name, f.type) for f in FEATURES]
Row = msgspec.defstruct("Row", FIELDS, kw_only=True)
decode = msgspec.json.Decoder(Row).decode
encode = msgspec.json.Encoder().encode


async def predict(request: Request) -> Response:
    """Score one row."""
    row = decode(await request.body())
    values = [[feature.code(getattr(row, feature.name)) for feature in FEATURES]]
    score = float(positive(SESSION.run(None, {"features": np.array(values, np.float32)}))[0])
    return Response(encode({"score": score, "decision": score >= THRESHOLD}), media_type="application/json")


async def ready(_: Request) -> Response:
    """Say that the session is open."""
    return Response()


app = Starlette(routes=[Route("/predict", predict, methods=["POST"]), Route("/ready", ready)])
