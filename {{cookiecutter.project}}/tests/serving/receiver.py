"""What stands for a collector and for a Sentry: a server that keeps what is posted to it."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Receiver:
    """Keeps what is posted to it: path and content."""

    def __init__(self, status: int) -> None:
        posted = self.posted = list[tuple[str, bytes]]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                zipped = self.headers.get("content-encoding") == "gzip"
                posted.append((self.path, gzip.decompress(content) if zipped else content))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *values: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.place = f"127.0.0.1:{self._server.server_port}"
        self.traces = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.place}"}
        self.reports = {"SENTRY_DSN": f"http://public@{self.place}/7"}

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def resources(self) -> list[tuple[dict[str, Any], list[Span]]]:
        """What was traced, by who sent it."""
        found = []
        for path, content in self.posted:
            if path == "/v1/traces":
                for each in ExportTraceServiceRequest.FromString(content).resource_spans:
                    spans = [span for scope in each.scope_spans for span in scope.spans]
                    found.append((values(each.resource.attributes), spans))
        return found

    def spans(self) -> list[Span]:
        return [span for _, spans in self.resources() for span in spans]

    def reported(self) -> list[bytes]:
        return [content for path, content in self.posted if path == "/api/7/envelope/"]


def values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
