"""The measuring harness: its decisions with real values, its load generator against a real server; nothing is timed."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench import machine, page
from bench.__main__ import PAGE, conclude
from bench.load import Failed, Limit, drive, post
from bench.rows import ROWS, Figure, figures, ratios

ROOT = Path(__file__).parents[1]

# What the project promises; a bound is changed here and in bench/rows.py, with the reason in the commit.
BOUNDS = {
    "generate": "≤ 1 s",
    "pipeline": "≤ 30 s",
    "joblib": "≥ 50×",
    "mlserver": "≥ 4×",
    "fastapi-bare": "≥ 2×",
    "fastapi-full": "≥ 1.6×",
    "latency": "≥ 15×",
    "features": "≤ 1.5×",
    "ready": "≤ 1.5 s",
    "memory": "≤ 110 MB",
    "batch-rate": "≥ 2×",
    "batch-memory": "≤ 0.333×",
    "test": "≤ 15 min",
}
FACTS = page.Facts("0.1.0", "2026-11-24", "a processor, 2 cores")


def samples(**changed: float) -> dict[str, list[float]]:
    """Every row exactly at its bound, but for what is changed."""
    return {row.key: [changed.get(row.key, row.bound.limit)] * row.repetitions for row in ROWS}


def test_bounds_are_the_promised_ones() -> None:
    assert {row.key: str(row.bound) for row in ROWS} == BOUNDS


def test_at_least_five_repetitions_where_one_does_not_take_minutes() -> None:
    assert [row.key for row in ROWS if row.repetitions < 5] == ["test"]


SHARED = {"uvicorn", "uvloop", "httptools", "msgspec", "pydantic", "numpy", "onnxruntime", "pandas", "scikit-learn"}


def pins(file: Path) -> dict[str, set[str]]:
    """Versions by package; more than one where they depend on the Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9_-]+)==([^ ;]+)", file.read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize(
    ("peer", "shared"),
    [
        ("fastapi_joblib", SHARED - {"onnxruntime"}),
        ("fastapi_onnx", SHARED),
        ("mlserver_onnx", {"onnxruntime", "numpy"}),
    ],
)
def test_peers_have_the_versions_of_the_project(peer: str, shared: set[str]) -> None:
    ours = pins(ROOT / "{{cookiecutter.project}}" / "requirements" / "dev.txt")
    theirs = pins(ROOT / "bench" / "peers" / f"{peer}.txt")
    assert {name: theirs[name] for name in shared & theirs.keys()} == {
        name: ours[name] for name in shared & theirs.keys()
    }


def test_page_names_every_row_its_bound_and_what_differs() -> None:
    text = page.render(page.Measured(samples()), FACTS)
    for row in ROWS:
        assert f"| {row.what} | {row.bound} |" in text
        assert row.differs in text
    assert "missed" not in text


def test_page_shows_the_way_through_a_cluster_where_it_was_measured() -> None:
    cluster = {"bare": [200.0, 210.0, 190.0], "pods": [300.0, 294.0, 285.0]}
    text = page.render(page.Measured(samples(), cluster=cluster), FACTS)
    assert "| median latency | 200 µs | 294 µs | 285 µs … 300 µs |" in text
    assert "| ratio | 1 | 1.5× | 1.4× … 1.5× |" in text
    assert "In a cluster" not in page.render(page.Measured(samples()), FACTS)


def test_written_page_names_every_row_and_misses_none() -> None:
    if not PAGE.exists():
        pytest.skip("`make bench` has not been run on a quiet machine yet")
    text = PAGE.read_text()
    assert [row.key for row in ROWS if f"| {row.what} | {row.bound} |" not in text] == []
    assert "**missed**" not in text


@pytest.mark.parametrize(
    ("changed", "code"),
    [({}, 0), ({"generate": 1.01}, 1), ({"joblib": 49.9}, 1), ({"joblib": 51}, 0), ({"memory": 111}, 1)],
)
def test_a_missed_bound_is_named_and_exits_1(
    changed: dict[str, float], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = figures(samples(**changed))
    assert conclude(measured, whole=True) == code
    named = [f"missed: {row.what}" for row in ROWS if row.key in changed and code]
    assert capsys.readouterr().out.splitlines() == named


def test_a_row_that_a_whole_run_did_not_measure_exits_1(capsys: pytest.CaptureFixture[str]) -> None:
    found = samples()
    del found["ready"]
    assert conclude(figures(found), whole=False) == 0
    assert conclude(figures(found), whole=True) == 1
    assert capsys.readouterr().out == "not measured: start to ready\n"


def test_too_few_repetitions_do_not_meet_a_bound() -> None:
    assert not Figure(ROWS[0], (0.5,) * 4).met
    assert Figure(ROWS[0], (0.5,) * 5).met


def test_ratios_pair_the_repetitions() -> None:
    assert ratios([4, 9], [2, 3]) == [2, 3]


@pytest.mark.parametrize(
    ("load", "busy", "spins", "reason"),
    [
        (0.2, 0.02, [1.0, 1.1], None),
        (1.5, 0.02, [1.0, 1.1], "load average 1.50 on 2 cores (limit 1.00)"),
        (0.2, 0.30, [1.0, 1.1], "other processes use 30% of the CPU (limit 10%)"),
        (0.2, 0.02, [1.0, 1.5], "the same loop took 1.50 times its best (limit 1.30)"),
    ],
)
def test_a_loaded_machine_is_named(load: float, busy: float, spins: list[float], reason: str | None) -> None:
    assert machine.refusal(load, 2, busy, spins) == reason


def test_refuses_to_measure_beside_busy_processes() -> None:
    before = PAGE.read_bytes() if PAGE.exists() else None
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        command = [sys.executable, "-m", "bench", "--only", "generate"]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert ended.returncode == 1
    assert re.match("refused: (load average|other processes|the same loop)", ended.stderr)
    assert (PAGE.read_bytes() if PAGE.exists() else None) == before


def test_reads_what_a_process_used() -> None:
    code = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        assert machine.cpu_seconds(process.pid) >= 0.28
        assert 1 < machine.pss_megabytes(process.pid) < 100
        process.communicate(b"\n")


class Echo(BaseHTTPRequestHandler):
    """Answers 200, or the status that the body names."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(int(body))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


class Server(ThreadingHTTPServer):
    """Takes it that clients hang up."""

    def handle_error(self, *_: object) -> None:
        assert isinstance(sys.exc_info()[1], ConnectionError)


@contextmanager
def echo() -> Iterator[int]:
    server = Server(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_load_ends_at_the_count_and_keeps_connections() -> None:
    with echo() as port:
        load = drive(port, [post("/", b"200")], 4, Limit(50, 30))
    assert load.requests == len(load.latencies) == 50


def test_load_ends_at_the_time() -> None:
    with echo() as port:
        load = drive(port, [post("/", b"200")], 2, Limit(10**9, 0.2))
    assert 0.2 <= load.seconds < 10


def test_no_figure_comes_of_failed_requests() -> None:
    with echo() as port, pytest.raises(Failed, match="503"):
        drive(port, [post("/", b"200"), post("/", b"503")], 2, Limit(50, 30))
