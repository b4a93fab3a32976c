"""A server that answers as Kubeflow Pipelines does, and remembers what it was asked."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

API = "/apis/v2beta1"
IMAGE = "registry.example.org/team/model@sha256:" + "0" * 64
NIGHTLY = "0 0 3 * * *"


class Kubeflow(ThreadingHTTPServer):
    """Experiments, runs and recurring runs in memory, by the paths of the v2beta1 REST API."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str]] = []
        self.bodies: list[dict[str, Any]] = []
        self.experiments: dict[str, str] = {}
        self.runs: list[dict[str, Any]] = []
        self.schedules: list[dict[str, Any]] = []
        self.status = 200  # of every answer to come
        self.many_users = False
        self.namespaces: set[str | None] = set()  # in which experiments were looked for and made
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def changes(self) -> list[tuple[str, str]]:
        """The requests that change something, in order, experiments apart."""
        return [(method, path) for method, path in self.requests if method != "GET" and "experiments" not in path]


class Handler(BaseHTTPRequestHandler):
    server: Kubeflow

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        self.server.requests.append(("GET", url.path))
        if url.path == f"{API}/healthz":
            self._answer({"multi_user": self.server.many_users})
        elif url.path == f"{API}/experiments":
            wanted = json.loads(query["filter"][0])["predicates"][0]
            name = wanted.get("stringValue", wanted.get("string_value"))
            self.server.namespaces.add(query.get("namespace", [None])[0])
            found = [self._experiment(known) for known in self.server.experiments if known == name]
            self._answer({"experiments": found, "total_size": len(found)})
        elif url.path == f"{API}/recurringruns":
            start = int(query.get("page_token", ["0"])[0] or 0)
            rest = str(start + 1) if start + 1 < len(self.server.schedules) else ""  # pages of one: all must be read
            self._answer({"recurringRuns": self.server.schedules[start : start + 1], "next_page_token": rest})
        elif url.path == f"{API}/runs":
            self._answer({"runs": self.server.runs})
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or "{}")
        self.server.requests.append(("POST", self.path))
        if self.path == f"{API}/experiments":
            self.server.experiments[body["display_name"]] = "e1"
            self.server.namespaces.add(body.get("namespace") or None)
            self._answer(self._experiment(body["display_name"]))
        elif self.path == f"{API}/runs":
            self.server.bodies.append(body)
            self._answer({"run_id": "r1", **body})
        elif self.path == f"{API}/recurringruns":
            self.server.bodies.append(body)
            made = {"recurring_run_id": f"s{len(self.server.bodies)}", "display_name": body["display_name"]}
            self.server.schedules.append(made)
            self._answer({**body, **made})
        elif self.path.endswith(":disable"):
            for run in self.server.runs:
                run["state"] = "SUCCEEDED"  # what was running ends while we look
            self._answer({})
        else:
            self.send_error(404)

    def do_DELETE(self) -> None:
        self.server.requests.append(("DELETE", self.path))
        gone = self.path.rpartition("/")[2]
        self.server.schedules = [made for made in self.server.schedules if made["recurring_run_id"] != gone]
        self._answer({})

    def log_message(self, *said: object) -> None: ...

    def _experiment(self, name: str) -> dict[str, str]:
        return {"experiment_id": self.server.experiments[name], "display_name": name}

    def _answer(self, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
