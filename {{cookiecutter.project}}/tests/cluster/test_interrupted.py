"""Ctrl-C, a closed terminal and a cancelled job: whoever cleans up still reaches the cluster, and no kubectl is left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .stand_ins import program

SOURCES = Path(__file__).resolve().parents[2] / "src"
PACKAGE = next(SOURCES.glob("*/errors.py")).parent.name
KUBECTL = """exec PYTHON -u -c '
import os, socket
server = socket.create_server(("127.0.0.1", 0))
print(f"Forwarding from 127.0.0.1:{server.getsockname()[1]} -> 1")
while True:
    server.accept()[0].sendall(str(os.getpid()).encode())
'"""
PROGRAM = """
import signal, socket, sys, time
# As in a terminal: whatever runs these tests in the background may ignore them, and hand that down.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from PACKAGE import command_line
from PACKAGE.cluster.connection import Cluster
from PACKAGE.errors import Refused, interruptible, run_program

app = command_line.new("")

@app.command()
def other() -> None: ...

@app.command()
def change(how: str) -> None:
    with interruptible("make status says more"), Cluster("here", None).forward("x", "mlflow", 1) as port:
        try:
            print("under way", flush=True)
            time.sleep(60)
        finally:
            with socket.create_connection(("127.0.0.1", port)) as way:
                print(way.recv(100).decode(), flush=True)
            if how == "failing":
                raise Refused("the registry does not answer")

run_program(app)
"""


@pytest.mark.parametrize("how", ["well", "failing"])
@pytest.mark.parametrize(
    ("send", "number"),
    [(os.killpg, signal.SIGINT), (os.kill, signal.SIGTERM), (os.kill, signal.SIGHUP)],
    ids=["Ctrl-C", "cancelled", "closed"],
)
def test_who_cleans_up_still_reaches_the_cluster(
    tmp_path: Path, send: Callable[[int, int], None], number: signal.Signals, how: str
) -> None:
    program(tmp_path / "kubectl", KUBECTL.replace("PYTHON", sys.executable))
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(SOURCES)}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.replace("PACKAGE", PACKAGE), "change", how],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a process group, as a terminal's
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "under way\n"
        send(process.pid, number)
        kubectl, said = process.communicate(timeout=30)
    reason = "" if how == "well" else "  the registry does not answer\n"
    assert (process.returncode, said) == (130, f"interrupted: make status says more\n{reason}")
    with pytest.raises(ProcessLookupError):
        os.kill(int(kubectl), 0)
