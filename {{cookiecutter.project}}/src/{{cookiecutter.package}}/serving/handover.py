"""`make serve`: a supervisor that owns the listening sockets, and one server process at a time that inherits them.

A second `make serve` for the same environment asks the running supervisor (SIGHUP) to look at the registry again. The
new server starts on the same sockets; when it is ready the old one drains. Connections wait in the sockets' queue, which
belongs to neither process, so none is lost.

State: `artifacts/serving/<environment>/state.json` (`State`), and `lock` beside it, held as long as a supervisor lives.
`served(settings, environment)` reads both: `status` asks it what is served here.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import msgspec

from .. import staging
from ..errors import Refused
from ..registry import Registry, Version
from ..settings import Environment, Settings
from .fetch import fetch
from .server import READY, listening
from .settings import ServingSettings

START_SECONDS = 30.0
HOST = "127.0.0.1"


class State(msgspec.Struct, frozen=True):
    """What is served on this machine; `bundle` and `version` are None while no model has been promoted."""

    pid: int
    port: int
    metrics_port: int
    bundle: str | None
    version: str | None
    handovers: int
    refused: str | None = None

    @property
    def sentence(self) -> str:
        what = (
            f"version {self.version} (bundle {self.bundle[:12]})"
            if self.bundle
            else "no model yet (make train, make promote)"
        )
        return f"{what} at http://{HOST}:{self.port}"


def ports(settings: ServingSettings, port: int | None) -> tuple[int, int]:
    """The server's port and that of its metrics, which keeps its distance: a second server needs one other number."""
    if port is None or not settings.metrics_port:
        return (settings.port if port is None else port), settings.metrics_port
    return port, port + settings.metrics_port - settings.port if port else 0


def served(settings: Settings, environment: str) -> State | None:
    """What is served here, or None when no server runs."""
    return _living(_folder(settings, environment))


def serve(settings: Settings, environment: str, port: int | None = None) -> None:
    """Serve the champion until Ctrl-C; when a server runs already, hand over to the champion and return."""
    where = settings.environment(environment)
    folder = _folder(settings, environment)
    try:
        with staging.locked(folder / "lock", wait=False):
            (folder / "state.json").unlink(missing_ok=True)
            Supervisor(settings, where, folder, port).run()
    except BlockingIOError:
        _ask(folder, port)


class Supervisor:
    """Owns the sockets and starts, watches and stops servers."""

    def __init__(self, settings: Settings, environment: Environment, folder: Path, port: int | None) -> None:
        self._settings, self._environment, self._folder = settings, environment, folder
        self._socket, self._metrics = (listening(HOST, number) for number in ports(settings.serving, port))
        self._life, self._alive = os.pipe()
        self._server: subprocess.Popen[bytes] | None = None
        self._state = State(os.getpid(), _port(self._socket), _port(self._metrics), None, None, 0)
        self._asked = self._stopped = False

    def run(self) -> None:
        """Start, hand over whenever asked, stop when told; Refused when the server dies by itself."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._ask)
        try:
            self._change(self._champion())
            self._save(self._state)
            print(
                f"serving {self._state.sentence} · /docs · metrics on port {self._state.metrics_port} · log {self._log}"
            )
            print("make serve in another terminal hands over to a new champion; Ctrl-C stops", flush=True)
            while not self._stopped:
                self._turn()
        finally:
            # Nobody takes over, so there is nothing to drain for: SIGINT.
            self._end(self._server, signal.SIGINT)
            (self._folder / "state.json").unlink(missing_ok=True)

    def _turn(self) -> None:
        if self._asked:
            self._asked = False
            self._hand_over()
        assert self._server is not None
        if self._server.poll() is not None and not self._stopped:
            code = self._server.returncode
            raise Refused(f"the server stopped with exit code {code}; its log says why: {self._log}")
        time.sleep(0.1)

    def _hand_over(self) -> None:
        """Answer a second `make serve`; when the new server does not start, the old one stays."""
        number = self._state.handovers + 1
        try:
            self._change(self._champion())
            self._save(msgspec.structs.replace(self._state, handovers=number, refused=None))
            print(f"now serving {self._state.sentence}", flush=True)
        except Exception as problem:
            self._save(
                msgspec.structs.replace(self._state, handovers=number, refused=str(problem) or type(problem).__name__)
            )
            print(f"refused: {problem}; still serving {self._state.sentence}", file=sys.stderr, flush=True)

    def _change(self, champion: Version | None) -> None:
        before, after = self._server, self._start(champion)
        self._server = after
        found = (champion.bundle_id, champion.number) if champion else (None, None)
        self._state = msgspec.structs.replace(self._state, bundle=found[0], version=found[1])
        self._end(before)

    def _champion(self) -> Version | None:
        champion = Registry(self._environment).champion()
        if champion is not None:
            fetch(champion.uri, champion.bundle_id, self._folder / "bundles")
        return champion

    def _start(self, champion: Version | None) -> subprocess.Popen[bytes]:
        """A server that has said that it is ready, or Refused."""
        reading, writing = os.pipe()
        passed = (self._socket.fileno(), self._metrics.fileno(), writing, self._life)
        names = ("SOCKET_FD", "METRICS_FD", "READY_FD", "PARENT_FD")
        model = (champion.uri, champion.bundle_id, champion.number) if champion else ("", "", "")
        environment = {
            **os.environ,
            **dict(zip(("MODEL_URI", "MODEL_ID", "MODEL_VERSION"), model, strict=True)),
            **dict(zip(names, map(str, passed), strict=True)),
            "ENVIRONMENT": self._environment.name,
            "MODEL_DIR": str(self._folder / "bundles"),
            "PROJECT_ROOT": str(self._settings.root),
        }
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", __package__]
            # A session of its own: Ctrl-C is for the supervisor, which lets the server drain.
            server = subprocess.Popen(
                command, env=environment, pass_fds=passed, stdout=log, stderr=log, start_new_session=True
            )
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read(4096).decode() if select.select([pipe], [], [], START_SECONDS)[0] else ""
        if said != READY:
            self._end(server)
            raise Refused(said or f"the server did not start; its log says why: {self._log}")
        return server

    def _end(self, server: subprocess.Popen[bytes] | None, number: signal.Signals = signal.SIGTERM) -> None:
        """Let a server drain and stop."""
        if server is None or server.poll() is not None:
            return
        server.send_signal(number)
        try:
            server.wait(self._settings.serving.drain_seconds + START_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _save(self, state: State) -> None:
        self._state = state
        staging.write(self._folder / "state.json", msgspec.json.encode(state))

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopped = True


def _ask(folder: Path, port: int | None) -> None:
    """Have the running supervisor hand over, and say how that went."""
    before = _state(folder)
    if before is None:
        raise Refused(f"another make serve is just starting ({folder}); try again in a moment")
    if port not in (None, before.port):
        raise Refused(
            f"this environment is being served on port {before.port}: leave PORT out to hand over, or stop that server first"
        )
    print(f"a server is running: {before.sentence}; handing over to the champion", flush=True)
    os.kill(before.pid, signal.SIGHUP)
    while (after := _living(folder)) is not None and after.handovers == before.handovers:
        time.sleep(0.1)
    if after is None:
        raise Refused("the running server stopped meanwhile; run make serve again")
    if after.refused:
        raise Refused(f"{after.refused}; still serving {after.sentence}")
    print(f"now serving {after.sentence}")


def _living(folder: Path) -> State | None:
    """The state that a living supervisor wrote; whoever only asks leaves no lock where there is none."""
    if _state(folder) is None:
        return None
    try:
        with staging.locked(folder / "lock", wait=False):
            return None
    except BlockingIOError:
        return _state(folder)


def _state(folder: Path) -> State | None:
    try:
        return msgspec.json.decode((folder / "state.json").read_bytes(), type=State)
    except FileNotFoundError:
        return None


def _folder(settings: Settings, environment: str) -> Path:
    return settings.artifacts / "serving" / settings.environment(environment).name


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])
