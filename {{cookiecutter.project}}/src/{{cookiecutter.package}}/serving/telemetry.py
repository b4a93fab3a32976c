"""Traces and error reports: switched on by the standard variables of OpenTelemetry and Sentry, and by nothing else.

As long as the variables are not set, neither package is imported: it would cost every server memory and time at its start.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Refused
from .logs import Handler, Log, Seldom
from .predictor import Predictor

if TYPE_CHECKING:
    from .reporting import Reporting
    from .tracing import Tracing

FLUSH_SECONDS = 2.0
"""How long each of the two may go on sending when the server stops; added to the drain, it must fit into a pod's grace period."""

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_LOGGERS = ("opentelemetry", "sentry_sdk.errors", "urllib3")


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What is switched on."""

    tracing: "Tracing | None" = None
    reporting: "Reporting | None" = None

    @classmethod
    def start(cls, values: Mapping[str, str], log: Log, predictor: Predictor | None) -> "Telemetry":
        """Read the variables, for example from os.environ; Refused when they ask for what cannot be done."""
        traces, dsn = traced(values), values.get("SENTRY_DSN")
        if not traces and not dsn:
            return cls()
        _hear(log)
        tracing = reporting = None
        facts = _facts(predictor)
        if traces:
            from .tracing import Tracing

            tracing = Tracing(facts)
        if dsn:
            from .reporting import Reporting

            reporting = Reporting(dsn, facts)
        return cls(tracing, reporting)

    def stop(self) -> None:
        """Send what is left, in a bounded time."""
        for each in (self.tracing, self.reporting):
            if each is not None:
                each.stop(FLUSH_SECONDS)


def traced(values: Mapping[str, str]) -> bool:
    """Whether the variables ask for traces; Refused when not by OTLP over HTTP."""
    endpoint, address = _first(values, _ENDPOINTS)
    _, exporter = _first(values, ("OTEL_TRACES_EXPORTER",))
    if not address or exporter == "none" or values.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if exporter not in ("", "otlp"):
        raise Refused(f"OTEL_TRACES_EXPORTER: {exporter}: must be otlp or none")
    name, protocol = _first(values, _PROTOCOLS)
    if protocol not in ("", "http/protobuf"):
        raise Refused(
            f"{name}: {protocol}: must be http/protobuf, which collectors take on port 4318; set it so, or unset it"
        )
    # Not shown: an address may hold a password.
    if not address.startswith(("http://", "https://")):
        raise Refused(f"{endpoint}: must begin with http:// or https://, for example http://collector:4318")
    return True


def _first(values: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str]:
    """The first variable that is set, and its value; an empty one counts as not set, as OpenTelemetry has it."""
    return next(((name, values[name]) for name in names if values.get(name)), (names[0], ""))


def _facts(predictor: Predictor | None) -> dict[str, str]:
    """What spans and reports say of the model; the names are those of the logs."""
    if predictor is None:
        return {}
    return {
        "model.name": predictor.manifest.name,
        "model.bundle": predictor.id,
        "model.version": predictor.version,
    }


def _hear(log: Log) -> None:
    """Have the packages' own words in our log instead of on standard error or nowhere, and not all of them."""
    handler = Handler(log)
    handler.addFilter(Seldom())
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.propagate = False
    logging.getLogger("opentelemetry.util.re").addFilter(_without_headers)


def _without_headers(record: logging.LogRecord) -> bool:
    """What the SDK says of a malformed OTEL_EXPORTER_OTLP_HEADERS quotes it, and it holds a secret."""
    record.msg, record.args = "OTEL_EXPORTER_OTLP_HEADERS: what is no name=value, separated by commas, is left out", ()
    return True
