"""The project's server without its production features: its own reading of requests and scoring, and an answer; nothing else.

Run in the project's own environment.
"""

import os
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
BUNDLE = Path(os.environ["BENCH_BUNDLE"])


def ours(module: str) -> Any:
    """A module of the project's server."""
    return import_module(f"{os.environ['BENCH_PACKAGE']}.serving.{module}")


predictor = ours("predictor").Predictor.load(BUNDLE, BUNDLE.name, "1", 1000)
together = ours("together").Together(predictor.scores)
encode = msgspec.json.Encoder().encode


async def app(scope: Any, receive: Receive, send: Send) -> None:
    """Score the rows, whatever the path."""
    body = await read(receive)
    content = b"{}"
    if body:
        scores = await together.scores(predictor.wire.rows(body).matrix)
        found = [{"score": score, "decision": score >= predictor.threshold} for score in scores.tolist()]
        content = encode({"predictions": found})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def read(receive: Receive) -> bytes:
    """The whole body."""
    message = await receive()
    body: bytes = message["body"]
    while message["more_body"]:
        message = await receive()
        body += message["body"]
    return body
