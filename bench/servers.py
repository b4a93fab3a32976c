"""The servers that are compared: how each is started on a core of its own, and when it is ready."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import environments
from .clients import API_KEY, MODEL
from .load import Failed, ask
from .project import BUILD, ROOT, Project

START_SECONDS = 60
PEERS = ("fastapi_joblib", "fastapi_onnx", "mlserver_onnx")
UVICORN = ("--no-access-log", "--log-level", "warning", "--loop", "uvloop", "--http", "httptools")


@dataclass(frozen=True)
class Server:
    """How a server is started; `command` and `environment` take the port."""

    name: str
    command: Callable[[int], Sequence[str | Path]]
    environment: Callable[[int], Mapping[str, str]]
    ready: str
    folder: Path = ROOT


@dataclass(frozen=True)
class Running:
    """A server that answers, and the seconds from its start to its first ready answer."""

    name: str
    pid: int
    port: int
    seconds: float


def interpreters(project: Project) -> dict[str, Path]:
    """The interpreter of each peer, and ours."""
    return {peer: environments.python(peer, BUILD) for peer in PEERS} | {"ours": project.python}


def servers(project: Project, model: Path) -> list[Server]:
    """All that are compared; ours is the last."""
    python = interpreters(project)
    shared = os.environ | {"PYTHONPATH": str(ROOT), "BENCH_MODEL": str(model), "OMP_NUM_THREADS": "1"}

    own = shared | {"PYTHONPATH": project.environment["PYTHONPATH"], "BENCH_PACKAGE": project.package}
    own |= {"BENCH_BUNDLE": str(project.bundle)}

    def uvicorn(name: str, interpreter: Path, ready: str, environment: Mapping[str, str] = shared) -> Server:
        command = (interpreter, "-m", "uvicorn", f"bench.peers.{name}:app", *UVICORN, "--port")
        return Server(name, lambda port: (*command, str(port)), lambda _: environment, ready)

    mlserver = python["mlserver_onnx"].with_name("mlserver")
    return [
        uvicorn("fastapi_joblib", python["fastapi_joblib"], "/openapi.json"),
        uvicorn("fastapi_onnx", python["fastapi_onnx"], "/openapi.json"),
        uvicorn("bare", project.python, "/ready", own),
        Server(
            "mlserver_onnx", lambda port: (mlserver, "start", _mlserver(port)), lambda _: shared, "/v2/health/ready"
        ),
        ours(project),
    ]


def ours(project: Project) -> Server:
    """The project's server as a pod runs it: the three values of the promoted model, an API key file, all features."""
    keys, bundle = BUILD / "keys", project.bundle
    keys.mkdir(parents=True, exist_ok=True)
    (keys / "api-keys").write_text(f"bench:{hashlib.sha256(API_KEY.encode()).hexdigest()}\n")
    shared = project.environment | {
        "MODEL_URI": bundle.as_uri(),
        "MODEL_ID": bundle.name,
        "MODEL_VERSION": "1",
        "MODEL_DIR": str(bundle.parent),
        "API_KEYS_FILE": str(keys / "api-keys"),
        "PREDICTION_LOG_SECRET": API_KEY,
        "OMP_NUM_THREADS": "1",
    }

    def environment(port: int) -> dict[str, str]:
        return shared | {"PORT": str(port), "METRICS_PORT": str(free_port())}

    command = (project.python, "-m", f"{project.package}.serving")
    return Server("ours", lambda _: command, environment, "/v2/health/ready", project.folder)


def _mlserver(port: int) -> Path:
    """MLServer reads a folder of settings: no worker processes, no debug mode, no compression."""
    folder = BUILD / "mlserver"
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    settings |= {"parallel_workers": 0, "debug": False, "gzip_enabled": False}
    (folder / "settings.json").write_text(json.dumps(settings))
    runtime = {"name": MODEL, "implementation": "bench.peers.mlserver_onnx.Onnx"}
    (folder / "model-settings.json").write_text(json.dumps(runtime))
    return folder


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(server: Server, core: int) -> Iterator[Running]:
    """Start a server on one core, wait until it is ready, stop it at the end."""
    port, log = free_port(), BUILD / "logs" / f"{server.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command, environment = list(map(str, server.command(port))), server.environment(port)
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=server.folder, env=environment, stdout=output, stderr=output)
        try:
            os.sched_setaffinity(process.pid, {core})
            _await(server, process, port, log)
            yield Running(server.name, process.pid, port, time.perf_counter() - start)
        finally:
            _stop(process)


def _await(server: Server, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    request = f"GET {server.ready} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    deadline = time.perf_counter() + START_SECONDS
    while time.perf_counter() < deadline and process.poll() is None:
        try:
            ask(port, request)
        except (OSError, Failed):
            time.sleep(0.005)
        else:
            return
    raise Failed(
        f"{server.name} was not ready within {START_SECONDS} s; the end of its log:\n{log.read_text()[-2000:]}"
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
