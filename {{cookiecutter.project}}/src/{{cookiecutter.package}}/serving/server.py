"""The server process: loads the promoted model, answers, and on SIGTERM drains so that no client loses a request."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
import uvloop

from ..errors import Refused
from ..strict import parse, read_yaml
from .app import App, MetricsApp
from .keys import Keys
from .logs import Handler, Log
from .predictor import Predictor
from .protocol import Protocol
from .settings import ServingSettings
from .telemetry import Telemetry

READY = "ready"
LAST_SECONDS = 0.25
"""After the listening socket has closed: for connections that were accepted but had not sent their request yet."""


@dataclass(frozen=True)
class Place:
    """What the environment says; the MODEL_ values are those of a pod's annotations, empty when there is no model."""

    environment: str
    model_id: str
    model_version: str
    model_dir: Path
    host: str
    port: int
    metrics_port: int
    keys_file: Path | None
    socket_fd: int | None
    metrics_fd: int | None
    ready_fd: int | None
    parent_fd: int | None

    @classmethod
    def read(cls, values: Mapping[str, str], settings: ServingSettings) -> "Place":
        """Read it, for example from os.environ."""
        number = {
            name: int(values[name]) for name in ("SOCKET_FD", "METRICS_FD", "READY_FD", "PARENT_FD") if values.get(name)
        }
        return cls(
            environment=values.get("ENVIRONMENT", ""),
            model_id=values.get("MODEL_ID", ""),
            model_version=values.get("MODEL_VERSION", ""),
            model_dir=Path(values.get("MODEL_DIR", "artifacts/serving/bundles")),
            host=values.get("HOST", "127.0.0.1"),
            port=int(values.get("PORT") or settings.port),
            metrics_port=int(values.get("METRICS_PORT") or settings.metrics_port),
            keys_file=Path(values["API_KEYS_FILE"]) if values.get("API_KEYS_FILE") else None,
            socket_fd=number.get("SOCKET_FD"),
            metrics_fd=number.get("METRICS_FD"),
            ready_fd=number.get("READY_FD"),
            parent_fd=number.get("PARENT_FD"),
        )

    @property
    def no_model(self) -> str:
        """What brings a model here: a promotion starts new pods, and `make serve`, which is our parent, asks the registry when it is told."""
        where, option = self.environment or "this environment", self.environment and f" ENV={self.environment}"
        if self.environment and self.parent_fd is None:
            rule = _rule(self.environment)
            option += " CONTEXT=…" if rule.get("approval") == "file" else ""
            if before := rule.get("after"):
                return (
                    f"no model has been promoted in {where} yet: run `make promote{option} BUNDLE=… REASON=…` with the champion of {before}, "
                    f"which `make status ENV={before}` shows; `make status{option}` says whether there is one here already"
                )
            return (
                f"no model has been promoted in {where} yet: run `make pipeline-run{option}` and `make promote{option} REASON=…`; "
                f"`make status{option}` says whether there is a champion, which BUNDLE= brings back"
            )
        return f"no model has been promoted in {where} yet: run `make train{option}` and `make promote{option} REASON=…`, then `make serve{option}` again"


def _rule(environment: str) -> dict[str, Any]:
    """What config/gates.yaml says of an environment. For a hint only: a server needs no other configuration than its own."""
    try:
        return dict(read_yaml(_root() / "config/gates.yaml", "config/gates.yaml")["environments"][environment])
    except (Refused, OSError, KeyError, TypeError, ValueError):
        return {}


class Server(uvicorn.Server):
    """uvicorn, but SIGTERM drains first: not ready, each answer closes its connection, and only then no new ones."""

    def __init__(self, config: uvicorn.Config, drain_seconds: float, on_drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain_seconds, self._on_drain, self._draining, self._end = drain_seconds, on_drain, False, 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM drains; SIGINT, or a second signal, stops as soon as what is under way is answered; a third one at once."""
        self.force_exit = self.should_exit
        if sig == signal.SIGINT or self._draining:
            self.should_exit = True
        else:
            self.drain()

    def drain(self) -> None:
        """Begin to stop."""
        if self._draining:
            return
        self._draining = True
        self._on_drain()
        close = [(b"connection", b"close")]
        self.config.encoded_headers = self.config.encoded_headers + close
        self.server_state.default_headers = self.server_state.default_headers + close
        self._end = asyncio.get_running_loop().time() + self._drain_seconds

    async def on_tick(self, counter: int) -> bool:
        late = self._draining and asyncio.get_running_loop().time() >= self._end
        return await super().on_tick(counter) or late

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        if not self.force_exit:
            await asyncio.sleep(LAST_SECONDS)
        await super().shutdown(sockets)


class Quiet(uvicorn.Server):
    """A second server in the process; it leaves the signals to the first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def load_settings(root: Path | None = None) -> ServingSettings:
    """config/serving.yaml alone: a server needs no other configuration."""
    root = root or _root()
    return parse(ServingSettings, read_yaml(root / "config/serving.yaml", "config/serving.yaml"), "config/serving.yaml")


def _root() -> Path:
    return Path(os.environ.get("PROJECT_ROOT", "."))


def main() -> None:
    """Serve until told to stop; exit code 1 with one line of log when that is not possible."""
    log = Log()
    logger = logging.getLogger("uvicorn.error")
    logger.addHandler(Handler(log))
    logger.propagate = False
    try:
        settings = load_settings()
        place = Place.read(os.environ, settings)
        uvloop.run(run(settings, place, log))
    except (Refused, ValueError, OSError) as problem:
        log.event("error", str(problem))
        _tell(os.environ.get("READY_FD"), str(problem))
        sys.exit(1)
    finally:
        log.flush()


async def run(settings: ServingSettings, place: Place, log: Log) -> None:
    """Load, listen, answer, drain, stop."""
    keys = Keys(place.keys_file) if place.keys_file else None
    predictor = None
    if place.model_id:
        folder = place.model_dir / place.model_id
        predictor = Predictor.load(folder, place.model_id, place.model_version, settings.limits.rows)
    telemetry = Telemetry.start(os.environ, log, predictor)
    no_model = "" if predictor else place.no_model
    app = App(settings, log, keys, telemetry, no_model)
    if predictor:
        app.serve(predictor)
        log.event("info", f"serving bundle {place.model_id}, version {place.model_version}")
    else:
        log.event("warning", no_model)
    protocol = type("Protocol", (Protocol,), {"header_seconds": settings.limits.header_seconds})
    main_socket = _listen(place.socket_fd, place.host, place.port)
    metrics_socket = _listen(place.metrics_fd, place.host, place.metrics_port)
    server = Server(_config(app, protocol), settings.drain_seconds, lambda: _set_draining(app, log))
    metrics = Quiet(_config(MetricsApp(app.metrics), protocol))
    ports = {"server__port": main_socket.getsockname()[1], "metrics__port": metrics_socket.getsockname()[1]}
    background = [
        asyncio.create_task(each)
        for each in (log.run(), app.gate.watch(), _refresh(app), _announce(server, place, log, ports))
    ]
    observing = asyncio.create_task(metrics.serve([metrics_socket]))
    if place.parent_fd is not None:
        asyncio.get_running_loop().add_reader(place.parent_fd, _orphaned, place.parent_fd, server)
    await server.serve([main_socket])
    metrics.should_exit = True
    await observing
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)
    telemetry.stop()
    log.event("info", "stopped")


def _config(app: Any, protocol: type[asyncio.Protocol]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,  # longer than the usual load balancers', so that they close first and race with nobody
    )


def _listen(descriptor: int | None, host: str, port: int) -> socket.socket:
    """Take over the inherited listening socket, or make one."""
    if descriptor is not None:
        return socket.socket(fileno=descriptor)
    return listening(host, port)


def listening(host: str, port: int) -> socket.socket:
    """A listening socket; Refused when another program has the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise Refused(
            f"port {port} on {host}: {(error.strerror or str(error)).lower()}; stop the program that has it, or take another "
            "one: `make serve PORT=…`, or port and metrics_port in config/serving.yaml"
        ) from None
    found.listen(2048)
    return found


def _set_draining(app: App, log: Log) -> None:
    app.draining = True
    log.event("info", "stopping: not ready any more, still answering")


def _orphaned(descriptor: int, server: Server) -> None:
    """The supervisor is gone, however it died: stop too, or the port would stay taken."""
    asyncio.get_running_loop().remove_reader(descriptor)
    server.drain()


async def _refresh(app: App) -> None:
    while True:
        await asyncio.sleep(1)
        app.refresh_keys()


async def _announce(server: Server, place: Place, log: Log, ports: dict[str, Any]) -> None:
    """Tell the log, and the supervisor if there is one, that requests are answered."""
    while not server.started:
        await asyncio.sleep(0.005)
    log.event("info", "listening", **ports)
    log.flush()
    _tell(place.ready_fd, READY)


def _tell(descriptor: int | str | None, message: str) -> None:
    """Answer the supervisor, if there is one: READY, or why not."""
    if descriptor:
        with suppress(OSError, ValueError):
            os.write(int(descriptor), message.encode())
            os.close(int(descriptor))
