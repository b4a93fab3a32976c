"""What a collector and a Sentry get when their variables are set, and that nothing happens when they are not."""

import hashlib
import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from .helpers import MODULE, ROW, Running, start, write_bundle
from .receiver import Receiver, values

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
FAILING = {**ROW, "key": "P-77-of-a-person", "weight": 9.8765, "booked": "2031-07-19T23:41:07+01:00"}
"""The model that fails does so with these; onnxruntime's message quotes the weight as 98765."""


@pytest.fixture
def receive() -> Iterator[Callable[[int], Receiver]]:
    """Make a receiver that answers with a status."""
    made: list[Receiver] = []

    def make(status: int = 200) -> Receiver:
        made.append(Receiver(status))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def receiver(receive: Callable[[], Receiver]) -> Receiver:
    return receive()


@pytest.fixture(scope="module")
def failing_id(root: Path) -> str:
    return write_bundle(root / "bundles", name="fragile", fails=True)


def requests(running: Running) -> list[dict[str, Any]]:
    return running.logged("serving.request")


def test_a_request_is_a_span(root: Path, bundle_id: str, receiver: Receiver) -> None:
    running = start(root, bundle_id, **receiver.traces)
    assert running.predict(ROW, traceparent=f"00-{TRACE}-{PARENT}-01", tracestate="vendor=1").status == 200
    assert running.predict({**ROW, "hour": 99}).status == 422
    assert running.request("PROPFIND", "/a/path?of=a-client", traceparent="00-no-trace").status == 404
    assert running.request("GET", f"/v2/models/parcels/versions/3?of={TRACE}").status == 200
    assert running.predict(ROW, traceparent=f"00-{TRACE}-{PARENT}-00").status == 200
    assert running.stop() == 0
    ((resource, spans),) = receiver.resources()
    assert (resource["service.name"], resource["telemetry.sdk.language"]) == ("parcels", "python")
    model = {"model.name": "parcels", "model.version": "3", "model.bundle": bundle_id}
    standard = {"url.scheme": "http", **model}

    def expected(method: str, status: int, **more: str) -> dict[str, Any]:
        more = {name.replace("_", "."): value for name, value in more.items()}
        return {**standard, "http.request.method": method, "http.response.status_code": status, **more}

    assert [(span.name, values(span.attributes)) for span in spans] == [
        ("POST /v1/predict", expected("POST", 200, http_route="/v1/predict")),
        ("POST /v1/predict", expected("POST", 422, http_route="/v1/predict")),
        ("HTTP", expected("_OTHER", 404)),
        ("GET /v2/models/{name}", expected("GET", 200, http_route="/v2/models/{name}")),
    ]
    assert {span.kind for span in spans} == {Span.SPAN_KIND_SERVER}
    assert {span.status.code for span in spans} == {Status.STATUS_CODE_UNSET}
    assert (spans[0].trace_id.hex(), spans[0].parent_span_id.hex(), spans[0].trace_state) == (TRACE, PARENT, "vendor=1")
    assert [span.parent_span_id for span in spans[1:]] == [b""] * 3
    assert all(0 < span.end_time_unix_nano - span.start_time_unix_nano < 10**10 for span in spans)
    # The client of the last request did not want it traced; its log line can be found by the client's trace all the same.
    assert [line["trace.id"] for line in requests(running)] == [*(span.trace_id.hex() for span in spans), TRACE]


def test_probes_are_not_traced(root: Path, bundle_id: str, receiver: Receiver) -> None:
    running = start(root, bundle_id, **receiver.traces)
    paths = ("/v2/health/live", "/v2/health/ready", "/v2/models/parcels/ready", "/v2/models/parcels/versions/3/ready")
    assert [running.request("GET", path).status for path in paths] == [200] * 4
    assert running.metrics()["model_ready"] == 1
    assert running.request("GET", "/v2").status == 200
    running.stop()
    assert [span.name for span in receiver.spans()] == ["GET /v2"]
    assert ["trace.id" in line for line in requests(running)] == [False] * 4 + [True]


# Variables and whether there is a model; the service's name.
NAMES: list[tuple[dict[str, str], bool, str]] = [
    ({"OTEL_SERVICE_NAME": "mine"}, True, "mine"),
    ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=theirs,region=east"}, True, "theirs"),
    ({}, False, MODULE.partition(".")[0].replace("_", "-")),
]


@pytest.mark.parametrize(("variables", "model", "expected"), NAMES, ids=lambda value: str(value))
def test_service_name(
    root: Path, bundle_id: str, receiver: Receiver, variables: dict[str, str], model: bool, expected: str
) -> None:
    running = start(root, bundle_id if model else "", **receiver.traces, **variables)
    assert running.predict(ROW).status == (200 if model else 503)
    running.stop()
    ((resource, (span,)),) = receiver.resources()
    assert resource["service.name"] == expected
    assert resource.get("region") == ("east" if "OTEL_RESOURCE_ATTRIBUTES" in variables else None)
    if not model:
        assert values(span.attributes)["error.type"] == "503"
        assert span.status.code == Status.STATUS_CODE_ERROR


@pytest.mark.proof("No payload and no key is in a log, a trace or an error report")
def test_a_failure_is_reported_without_what_the_client_sent(
    root: Path, failing_id: str, receiver: Receiver, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"shop:{hashlib.sha256(b'a-key-of-the-shop').hexdigest()}\n")
    known = {"API_KEYS_FILE": str(keys), "SENTRY_ENVIRONMENT": "staging", "SENTRY_RELEASE": "1.2.3"}
    running = start(root, failing_id, **receiver.traces, **receiver.reports, **known)
    sent = {"authorization": "Bearer a-key-of-the-shop", "x-secret": "a-header-of-the-shop"}
    assert running.predict({**FAILING, "hour": 99}, **sent).status == 422
    assert running.predict(FAILING, **sent).status == 500
    running.stop()

    (span,) = [span for span in receiver.spans() if span.status.code == Status.STATUS_CODE_ERROR]
    assert values(span.attributes)["error.type"] == "InvalidArgument"
    (line,) = [line for line in running.lines if line["message"] == "a request failed"]
    assert (line["error.type"], line["trace.id"]) == ("InvalidArgument", span.trace_id.hex())

    (envelope,) = receiver.reported()
    event = json.loads(envelope.splitlines()[2])
    (exception,) = event["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("InvalidArgument", "")
    assert exception["stacktrace"]["frames"][0]["function"] == "__call__"
    assert event["tags"] == {
        "route": "/v1/predict",
        "model.name": "fragile",
        "model.version": "3",
        "model.bundle": failing_id,
        "trace.id": span.trace_id.hex(),
    }
    assert (event["environment"], event["release"]) == ("staging", "1.2.3")
    assert not {"request", "user", "extra", "modules"} & set(event)
    assert event["breadcrumbs"]["values"] == []
    told = [b"98765", b"9.8765", b"P-77", b"2031-07-19", b"a-key-of-the-shop", b"a-header-of-the-shop"]
    everything = b"".join(content for _, content in receiver.posted) + json.dumps(running.lines).encode()
    assert [each for each in told if each in envelope] == []
    assert [each for each in told if each in everything] == []
    assert b'"vars"' not in envelope


@pytest.fixture
def nowhere(request: pytest.FixtureRequest) -> Iterator[str]:
    """A port on which nobody listens, or one that takes a connection and never answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        if request.param == "silent":
            taken.listen()
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("nowhere", ["closed", "silent"], indirect=True)
def test_a_collector_out_of_reach_disturbs_nobody(root: Path, failing_id: str, nowhere: str, tmp_path: Path) -> None:
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{nowhere}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "SENTRY_DSN": f"http://public@{nowhere}/7",
    }
    running = start(root, failing_id, stderr=tmp_path / "stderr", **variables)
    for _ in range(3):
        assert running.predict(FAILING).status == 500
        assert [running.predict(ROW).status for _ in range(10)] == [200] * 10
        time.sleep(0.3)
    started = time.monotonic()
    assert running.stop(signal.SIGTERM) == 0
    # The drain of 0.5 s, and 2 s for each of the two.
    assert time.monotonic() - started < 9
    assert len(requests(running)) == 33
    loggers = [line["log.logger"] for line in running.lines if "log.logger" in line]
    assert len(loggers) == len(set(loggers)) <= 3
    assert (tmp_path / "stderr").read_text() == ""


def test_a_sentry_that_refuses_is_told_of_once(
    root: Path, failing_id: str, receive: Callable[[int], Receiver], tmp_path: Path
) -> None:
    running = start(root, failing_id, stderr=tmp_path / "stderr", **receive(403).reports)
    assert [running.predict(FAILING).status for _ in range(3)] == [500] * 3
    running.stop()
    (line,) = [line for line in running.lines if "log.logger" in line]
    assert (line["log.logger"], line["log.level"]) == ("sentry_sdk.errors", "error")
    assert line["message"].startswith("Unexpected status code: 403")


def imported(errors: Path) -> set[str]:
    """The top modules that a Python with PYTHONPROFILEIMPORTTIME says it has imported."""
    lines = [line for line in errors.read_text().splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


# Variables; what is imported because of them.
IMPORTS: list[tuple[dict[str, str], set[str]]] = [
    ({}, set()),
    ({"SENTRY_DSN": "", "OTEL_EXPORTER_OTLP_ENDPOINT": "", "OTEL_SERVICE_NAME": "mine"}, set()),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}, set()),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"}, set()),
    ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"}, {"opentelemetry"}),
    ({"SENTRY_DSN": "http://public@127.0.0.1:1/7"}, {"sentry_sdk"}),
]


@pytest.mark.parametrize(("variables", "expected"), IMPORTS, ids=lambda value: ",".join(value) or "nothing")
def test_what_is_not_asked_for_is_not_imported(
    root: Path, bundle_id: str, tmp_path: Path, variables: dict[str, str], expected: set[str]
) -> None:
    running = start(root, bundle_id, stderr=tmp_path / "stderr", PYTHONPROFILEIMPORTTIME="1", **variables)
    assert running.predict(ROW).status == 200
    assert running.stop() == 0
    found = imported(tmp_path / "stderr")
    assert "onnxruntime" in found
    assert found & {"opentelemetry", "sentry_sdk"} == expected
    # What the image of the server does not hold.
    assert not found & {
        "kfp",
        "mlflow",
        "pandas",
        "pandera",
        "pyarrow",
        "rich",
        "sklearn",
        "skops",
        "sqlalchemy",
        "typer",
    }


ADDRESS = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
PROTOCOL = "must be http/protobuf, which collectors take on port 4318; set it so, or unset it"
DSN = (
    "SENTRY_DSN: must be of the form https://<key>@<host>/<project number>: copy it from the project's settings in "
    "Sentry (Client Keys), or unset it"
)
BEGIN = "must begin with http:// or https://, for example http://collector:4318"
REFUSED: list[tuple[dict[str, str], str]] = [
    ({"SENTRY_DSN": "https://a-secret@sentry.example.org/project"}, DSN),
    ({"SENTRY_DSN": "https://a-secret@sentry.example.org:port/7"}, DSN),
    ({"SENTRY_DSN": "a-secret"}, DSN),
    ({**ADDRESS, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, f"OTEL_EXPORTER_OTLP_PROTOCOL: grpc: {PROTOCOL}"),
    (
        {
            **ADDRESS,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json",
        },
        f"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: http/json: {PROTOCOL}",
    ),
    ({**ADDRESS, "OTEL_TRACES_EXPORTER": "console"}, "OTEL_TRACES_EXPORTER: console: must be otlp or none"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "a-secret@collector:4318"}, f"OTEL_EXPORTER_OTLP_ENDPOINT: {BEGIN}"),
    (
        {**ADDRESS, "OTEL_BSP_MAX_QUEUE_SIZE": "0"},
        "a variable of OpenTelemetry (OTEL_…) has a wrong value: max_queue_size must be a positive integer.",
    ),
]


@pytest.mark.parametrize(("variables", "sentence"), REFUSED, ids=lambda value: ",".join(value)[:80])
def test_refused(root: Path, bundle_id: str, tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    running = start(root, bundle_id, stderr=tmp_path / "stderr", **variables)
    assert running.stop() == 1
    assert running.lines[-1]["message"] == sentence
    assert "a-secret" not in str(running.lines) + (tmp_path / "stderr").read_text()


def test_malformed_headers_are_not_quoted(root: Path, bundle_id: str, receiver: Receiver, tmp_path: Path) -> None:
    headers = {"OTEL_EXPORTER_OTLP_HEADERS": "api-key a-secret"}
    running = start(root, bundle_id, stderr=tmp_path / "stderr", **receiver.traces, **headers)
    running.stop()
    (line,) = [line for line in running.lines if "log.logger" in line]
    assert line["message"] == "OTEL_EXPORTER_OTLP_HEADERS: what is no name=value, separated by commas, is left out"
    assert "a-secret" not in str(running.lines) + (tmp_path / "stderr").read_text()
