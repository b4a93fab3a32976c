"""The server as one ASGI application: routes, limits, keys, answers, and what is counted and logged of each request.

A plain table of routes instead of a framework: routing, request and response objects would cost more than the prediction.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from .keys import Keys
from .limits import Disconnected, Gate, Message, Receive
from .logs import FLUSH_LINES, KeyHash, Log, RequestLine, failure
from .model import Answer, Model
from .observe import CONTENT_TYPE, Metrics
from .openapi import openapi
from .predictor import Predictor
from .problems import CLOSE, MEDIA_TYPE, Problem
from .settings import ServingSettings
from .telemetry import Telemetry

if TYPE_CHECKING:
    from .tracing import RequestSpan

JSON = b"application/json"
HTML = b"text/html; charset=utf-8"
GONE = 499
Page = Callable[[], tuple[bytes, bytes]]
"""Gives a page's media type and content."""


@dataclass(frozen=True, slots=True)
class Route:
    """What a path does; `name` stands in metrics, logs and traces, so that a client cannot invent label values.

    Probes are not traced, and their errors not counted: several a second, all alike, they would bury what clients ask.
    """

    name: str
    answer: Answer | None = None
    page: Page | None = None
    guarded: bool = True
    probe: bool = False


class App:
    """The routes of one server process."""

    def __init__(
        self, settings: ServingSettings, log: Log, keys: Keys | None, telemetry: Telemetry, no_model: str
    ) -> None:
        self.draining = False
        self.gate = Gate(settings.limits)
        self.metrics = Metrics(lambda: self.gate.in_flight, lambda: self.ready)
        self._settings, self._log, self._keys, self._no_model = settings, log, keys, no_model
        self._tracing, self._reporting = telemetry.tracing, telemetry.reporting
        self._model: Model | None = None
        self._routes = self._fixed_routes()

    @property
    def ready(self) -> bool:
        return self._model is not None and not self.draining

    def serve(self, predictor: Predictor) -> None:
        """Begin to answer with a model."""
        key_hash = KeyHash.from_environment()
        predictions = self._log if self._settings.prediction_log == "stdout" else None
        if predictions and not key_hash.known:
            self._log.event("warning", "PREDICTION_LOG_SECRET is not set: the prediction log leaves out the rows' keys")
        model = self._model = Model(predictor, self.metrics, predictions, key_hash)
        base, names = f"/v2/models/{model.name}", "/v2/models/{name}"
        metadata = Route(names, page=_json(model.metadata))
        ready = Route(f"{names}/ready", page=self._ready, probe=True)
        infer = Route(f"{names}/infer", answer=model.tensors)
        self._routes |= {"/v1/predict": Route("/v1/predict", answer=model.rows)}
        for prefix in (base, f"{base}/versions/{model.version}"):
            self._routes |= {prefix: metadata, f"{prefix}/ready": ready, f"{prefix}/infer": infer}
        self._routes["/openapi.json"] = Route(
            "/openapi.json", page=functools.cache(_json(lambda: openapi(predictor, self._settings)))
        )

    async def __call__(self, scope: Any, receive: Receive, send: Any) -> None:
        if scope["type"] != "http":
            return
        start, status, rows, client = perf_counter(), 200, 0, None
        reason: str | UnsetType = UNSET
        route, span = self._routes.get(scope["path"]) or _other(scope["path"]), None
        extra: tuple[tuple[bytes, bytes], ...] = ()
        time = self._log.time(time_ns())
        try:
            headers = dict(scope["headers"])
            if self._tracing is not None and not route.probe:
                span = self._tracing.start(scope["method"], route.name, scope["scheme"], headers)
            if self._keys is not None and route.guarded:
                client = self._client(self._keys, headers)
            if route.answer is not None:
                _check_post(scope["method"], headers)
                await self.gate.enter(receive, headers.get(b"content-length"))
                body = b""
                try:
                    body = await self.gate.body(receive)
                    rows, content = await route.answer(body, time)
                finally:
                    self.gate.leave(len(body))
                media_type = JSON
            else:
                media_type, content = _page(route, scope["method"])
        except Problem as problem:
            status, media_type, content, extra = problem.status, MEDIA_TYPE, problem.body(), problem.headers
            if not route.probe:
                self.metrics.errors[problem.kind] += 1
            # Of a server that waits for a model probes fill the log: whoever looks at its end must read what to do.
            reason = problem.detail if problem.kind == "no-model" else UNSET
        except Disconnected:
            status, content, media_type = GONE, b"", JSON
        except Exception as error:
            broken = Problem(500, "internal", "the server failed; its log says where", headers=CLOSE)
            status, media_type, content, extra = broken.status, MEDIA_TYPE, broken.body(), broken.headers
            self.metrics.errors[broken.kind] += 1
            self._failed(error, route.name, span)
        if status != GONE:
            fields = [(b"content-type", media_type), (b"content-length", b"%d" % len(content)), *extra]
            await send({"type": "http.response.start", "status": status, "headers": fields})
            await send({"type": "http.response.body", "body": content})
        seconds = perf_counter() - start
        self.metrics.answered(route.name, status, seconds)
        trace = UNSET if span is None else span.end(status)
        level = "info" if status < 400 else "error" if status >= 500 else "warning"
        self._log.add(
            RequestLine(
                time, level, route.name, scope["method"], status, int(seconds * 1e9), rows, client, trace, reason
            )
        )
        self._log.flush(least=FLUSH_LINES)

    def refresh_keys(self) -> None:
        """Take over changes of the key file; called every second."""
        if self._keys is not None and (problem := self._keys.refresh()):
            self._log.event("error", problem)

    def _client(self, keys: Keys, headers: dict[bytes, bytes]) -> str:
        client = keys.name(headers.get(b"authorization", b""))
        if client is None:
            detail = "send the header `Authorization: Bearer <key>` with a key that this server knows"
            raise Problem(401, "wrong-key", detail, headers=((b"www-authenticate", b"Bearer"), *CLOSE))
        return client

    def _failed(self, error: Exception, route: str, span: "RequestSpan | None") -> None:
        """Tell everybody who listens of a failure that is ours, without its message: it may quote a payload."""
        fields, trace = failure(error), None
        if span is not None:
            span.error, trace = type(error).__name__, span.trace_id
            fields["trace__id"] = trace
        self._log.event("error", "a request failed", **fields)
        if self._reporting is not None:
            self._reporting.report(error, route, trace)

    def _fixed_routes(self) -> dict[str, Route]:
        """What there is without a model."""
        live = _json(lambda: {"live": True})
        return {
            "/v1/predict": Route("/v1/predict", answer=self._no_answer),
            "/v2": Route("/v2", page=_json(lambda: {"name": "mlops-template", "version": "1", "extensions": []})),
            "/v2/health/live": Route("/v2/health/live", page=live, guarded=False, probe=True),
            "/v2/health/ready": Route("/v2/health/ready", page=self._ready, guarded=False, probe=True),
            "/openapi.json": Route("/openapi.json", page=self._no_page),
            "/docs": Route("/docs", page=_docs, guarded=False),
        }

    def _ready(self) -> tuple[bytes, bytes]:
        if self._model is None:
            raise Problem(503, "no-model", self._no_model)
        if self.draining:
            retry = (b"retry-after", str(self._settings.limits.retry_seconds).encode())
            raise Problem(503, "stopping", "this server is stopping; another one takes over", headers=(retry,))
        state = {
            "ready": True,
            "model": self._model.name,
            "version": self._model.version,
            "bundle": self._model.predictor.id,
        }
        return JSON, msgspec.json.encode(state)

    async def _no_answer(self, body: bytes, time: str) -> tuple[int, bytes]:
        raise Problem(503, "no-model", self._no_model)

    def _no_page(self) -> tuple[bytes, bytes]:
        raise Problem(503, "no-model", self._no_model)


class MetricsApp:
    """/metrics, on its own port: Prometheus may reach it where clients may not."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def __call__(self, scope: Any, receive: Receive, send: Any) -> None:
        known = scope["path"] == "/metrics" and scope["method"] in ("GET", "HEAD")
        problem = Problem(404, "wrong-path", "only GET /metrics is here")
        content, media_type = (self._metrics.page(), CONTENT_TYPE) if known else (problem.body(), MEDIA_TYPE)
        fields = [(b"content-type", media_type), (b"content-length", b"%d" % len(content))]
        start: Message = {"type": "http.response.start", "status": 200 if known else 404, "headers": fields}
        await send(start)
        await send({"type": "http.response.body", "body": content})


def _json(value: Callable[[], Any]) -> Page:
    return lambda: (JSON, msgspec.json.encode(value()))


@functools.cache
def _docs() -> tuple[bytes, bytes]:
    return HTML, (Path(__file__).parent / "docs.html").read_bytes()


def _unknown_path() -> tuple[bytes, bytes]:
    raise Problem(404, "wrong-path", "there is nothing at this path; /docs lists what there is", headers=CLOSE)


def _unknown_model() -> tuple[bytes, bytes]:
    raise Problem(
        404,
        "wrong-model",
        "no model of this name and version is served here; /v2/health/ready says which one is",
        headers=CLOSE,
    )


_UNKNOWN_PATH = Route("other", page=_unknown_path)
_UNKNOWN_MODEL = Route("/v2/models/{name}", page=_unknown_model)


def _other(path: str) -> Route:
    return _UNKNOWN_MODEL if path.startswith("/v2/models/") else _UNKNOWN_PATH


def _check_post(method: str, headers: dict[bytes, bytes]) -> None:
    if method != "POST":
        raise Problem(405, "wrong-method", f"{method}: must be POST", headers=((b"allow", b"POST"), *CLOSE))
    given = headers.get(b"content-type", b"")
    if given != JSON and given.partition(b";")[0].strip().lower() != JSON:
        raise Problem(
            415,
            "wrong-content-type",
            f"{given.decode('latin-1')[:80] or 'none'}: must be application/json",
            headers=CLOSE,
        )


def _page(route: Route, method: str) -> tuple[bytes, bytes]:
    assert route.page is not None
    if method not in ("GET", "HEAD") and route not in (_UNKNOWN_PATH, _UNKNOWN_MODEL):
        raise Problem(405, "wrong-method", f"{method}: must be GET", headers=((b"allow", b"GET, HEAD"), *CLOSE))
    return route.page()
