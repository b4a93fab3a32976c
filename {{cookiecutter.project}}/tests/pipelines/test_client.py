"""What is asked of a Kubeflow Pipelines server, seen by a server that answers as the real one does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from {{ cookiecutter.package }}.errors import Refused

from pipelines import training
from pipelines.client import Server, check_cron, check_image

IMAGE = "registry.example.org/team/model@sha256:" + "0" * 64
NIGHTLY = "0 0 3 * * *"
API = "/apis/v2beta1"


class Kubeflow(ThreadingHTTPServer):
    """Experiments, runs and recurring runs in memory, by the paths of the v2beta1 REST API."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str]] = []
        self.bodies: list[dict[str, Any]] = []
        self.experiments: dict[str, str] = {}
        self.runs: list[dict[str, Any]] = []
        self.schedules: list[dict[str, Any]] = []
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
            self._answer({"multi_user": False})
        elif url.path == f"{API}/experiments":
            wanted = json.loads(query["filter"][0])["predicates"][0]
            name = wanted.get("stringValue", wanted.get("string_value"))
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
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def kubeflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Kubeflow]:
    monkeypatch.setenv("HOME", str(tmp_path))  # the client keeps a file there
    server = Kubeflow()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    training.write("late", IMAGE, folder)
    return folder / training.IR


def test_submit_sends_the_compiled_pipeline_its_image_and_its_arguments(kubeflow: Kubeflow, package: Path) -> None:
    assert Server(kubeflow.url, "late", "dev").submit(package, "s3://rows/today.parquet") == "r1"
    assert kubeflow.changes() == [("POST", f"{API}/runs")]
    (body,) = kubeflow.bodies
    assert kubeflow.experiments == {"late-dev": "e1"}
    assert body["experiment_id"] == "e1"
    assert body["runtime_config"]["parameters"] == {"environment": "dev", "source": "s3://rows/today.parquet"}
    executors = body["pipeline_spec"]["pipeline_spec"]["deploymentSpec"]["executors"].values()
    assert {executor["container"]["image"] for executor in executors} == {IMAGE}
    assert "platforms" in body["pipeline_spec"]["platform_spec"]  # without it, tasks would run as root
    assert "pipeline_version_reference" not in body  # that way, the caching setting would be dropped


def test_schedule_is_made_once_however_often_it_is_asked_for(kubeflow: Kubeflow, package: Path) -> None:
    other = {"recurring_run_id": "other", "display_name": "late-dev-by-hand"}
    kubeflow.schedules = [other]
    server = Server(kubeflow.url, "late", "dev")
    assert server.schedule(package, NIGHTLY, "") == "s1"
    assert kubeflow.changes() == [("POST", f"{API}/recurringruns")]
    assert server.schedule(package, NIGHTLY, "") == "s2"
    assert kubeflow.changes()[1:] == [
        ("POST", f"{API}/recurringruns/s1:disable"),
        ("POST", f"{API}/recurringruns"),
        ("DELETE", f"{API}/recurringruns/s1"),
    ]
    assert [made["recurring_run_id"] for made in kubeflow.schedules] == ["other", "s2"]
    body = kubeflow.bodies[-1]
    assert body["display_name"] == "late-dev"
    assert body["trigger"] == {"cron_schedule": {"cron": NIGHTLY}}
    assert body["mode"] == "ENABLE"
    assert body["max_concurrency"] == 1
    assert body["no_catchup"] is True
    assert body["runtime_config"]["parameters"] == {"environment": "dev", "source": ""}


def test_a_schedule_is_not_deleted_under_its_run(
    kubeflow: Kubeflow, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeflow.schedules = [{"recurring_run_id": "s0", "display_name": "late-dev"}]
    server = Server(kubeflow.url, "late", "dev")
    monkeypatch.setattr(server.client, "disable_recurring_run", lambda schedule: None)
    kubeflow.runs = [{"run_id": "r0", "recurring_run_id": "s0", "state": "RUNNING"}]
    with pytest.raises(Refused, match="schedule s0 is disabled, but its run goes on"):
        server.schedule(package, NIGHTLY, "", patience=0)
    assert ("DELETE", f"{API}/recurringruns/s0") not in kubeflow.requests


@pytest.mark.parametrize("image", ["", "registry/model", "registry/model:1.0", "registry/model@sha256:123"])
def test_an_image_without_a_digest_is_refused(image: str) -> None:
    with pytest.raises(Refused, match="must be an address with a digest"):
        check_image(image)


def test_a_cron_line_of_five_fields_is_refused() -> None:
    assert check_cron(NIGHTLY) == NIGHTLY
    with pytest.raises(Refused, match="must have six fields, seconds first"):
        check_cron("0 3 * * *")


def test_no_server_is_a_sentence() -> None:
    with pytest.raises(Refused, match="KF_PIPELINES_ENDPOINT: not set"):
        Server("", "late", "dev")
