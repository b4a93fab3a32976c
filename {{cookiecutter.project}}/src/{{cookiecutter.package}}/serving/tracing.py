"""A span for each request, sent to the collector that OpenTelemetry's variables name."""

from collections.abc import Mapping
from threading import Thread

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ..errors import Refused

METHODS = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"))
"""The methods that the semantic conventions know; every other one is `_OTHER`."""

_PROPAGATED = {name: name.encode() for name in ("traceparent", "tracestate")}


class RequestSpan:
    """The span of one request; `error` is what failed, where the status does not say it all."""

    __slots__ = ("_span", "error", "trace_id")

    def __init__(self, span: Span) -> None:
        self._span = span
        self.trace_id = format_trace_id(span.get_span_context().trace_id)
        self.error: str | None = None

    def end(self, status: int) -> str:
        """The answer is sent; gives the trace's id, for the log."""
        self._span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._span.set_attribute("error.type", self.error or str(status))
            self._span.set_status(StatusCode.ERROR)
        self._span.end()
        return self.trace_id


class Tracing:
    """Makes spans after the semantic conventions for HTTP servers, and sends them from a thread of its own.

    https://opentelemetry.io/docs/specs/semconv/http/http-spans/ (url.path and url.query are left out: a client may write
    anything there, and the route says what was asked)
    """

    def __init__(self, facts: Mapping[str, str]) -> None:
        self._facts = facts
        name = facts.get("model.name") or __package__.partition(".")[0].replace("_", "-")
        # Detected again: what the variables say comes before our name.
        resource = Resource.create({SERVICE_NAME: name}).merge(OTELResourceDetector().detect())
        try:
            self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
            self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        except ValueError as error:
            raise Refused(f"a variable of OpenTelemetry (OTEL_…) has a wrong value: {error}") from None
        self._tracer = self._provider.get_tracer(__name__)
        self._propagator = TraceContextTextMapPropagator()

    def start(self, method: str, route: str, scheme: str, headers: Mapping[bytes, bytes]) -> RequestSpan:
        """Begin a request's span, as part of the client's trace if it sent one."""
        known = method in METHODS
        attributes = {
            "http.request.method": method if known else "_OTHER",
            "url.scheme": scheme,
            **self._facts,
        }
        name = method if known else "HTTP"
        if route.startswith("/"):  # else no route was found
            attributes["http.route"] = route
            name = f"{name} {route}"
        context = Context()
        if b"traceparent" in headers:
            carrier = {key: headers[raw].decode("latin-1") for key, raw in _PROPAGATED.items() if raw in headers}
            context = self._propagator.extract(carrier, context)
        return RequestSpan(self._tracer.start_span(name, context, SpanKind.SERVER, attributes))

    def stop(self, seconds: float) -> None:
        """Send what is left; a thread that can be left alone, because the SDK's own waits as long as it retries."""
        last = Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(seconds)
