"""A project in every state that a kill test starts from, and the process that runs verbs on it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import sample_project

BOUNDARIES = "openat,rename,renameat,renameat2,link,linkat,unlink,unlinkat,fsync,fdatasync"


@dataclass(frozen=True)
class Run:
    """How one run of a verb ended, and the system calls it made that can create, name, remove or flush a file.

    `elsewhere` are those of other threads and processes than the one that is killed at each of its own.
    """

    status: int
    said: str
    calls: list[str]
    elsewhere: list[str]

    @property
    def boundaries(self) -> list[int]:
        """Which of the calls are write boundaries: for `openat` only those that may create."""
        return [number for number, call in enumerate(self.calls) if _writes(call)]

    def injection(self, boundary: int) -> str:
        """Give strace's words for "kill at this boundary": it counts each system call by itself."""
        name = _name(self.calls[self.boundaries[boundary]])
        same = [call for call in self.calls[: self.boundaries[boundary] + 1] if _name(call) == name]
        return f"inject={name}:signal=SIGKILL:when={len(same)}"


def _writes(call: str) -> bool:
    return not call.startswith("openat") or "O_CREAT" in call


def _name(call: str) -> str:
    return call.partition("(")[0]


@dataclass
class Laboratory:
    """One folder in which a project is put into a state, a verb is run and killed, and the outcome is looked at."""

    folder: Path
    root: Path
    """The project. The registry holds absolute addresses, so that every state must lie at the same path."""
    driver: "subprocess.Popen[str]"
    variables: dict[str, str] = field(default_factory=dict)

    def restore(self, state: str) -> None:
        """Put the project into a saved state."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.folder / "states" / state, self.root)

    def save(self, state: str) -> None:
        """Keep the project as it is under a name."""
        shutil.copytree(self.root, self.folder / "states" / state)

    def run(
        self, verb: str, *strace: str, aftermath: bool = False, on_start: Callable[[int], None] | None = None
    ) -> Run:
        """Run a verb in a process of its own, under strace when there are options for it."""
        self._send(
            {
                "verb": verb,
                "root": str(self.root),
                "folder": str(self.folder),
                "variables": self.variables,
                "aftermath": aftermath,
            }
        )
        pid = self._receive()["pid"]
        log = self.folder / "strace.log"
        tracer = attached(pid, log, strace) if strace else None
        if on_start is not None:
            on_start(pid)
        self._send({})
        ended = self._receive()
        if tracer is not None:
            tracer.communicate()
        calls, elsewhere = calls_of(pid, log.read_text()) if tracer is not None else ([], [])
        return Run(ended["status"], ended["said"], calls, elsewhere)

    def aftermath(self, verb: str) -> dict[str, Any]:
        """Look at what a killed verb left, run it once more, look again; fail when that run fails."""
        run = self.run(verb, aftermath=True)
        assert run.status == 0, run.said
        found: dict[str, Any] = json.loads(run.said)
        return found

    def _send(self, document: dict[str, Any]) -> None:
        assert self.driver.stdin is not None
        self.driver.stdin.write(json.dumps(document) + "\n")
        self.driver.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self.driver.stdout is not None
        line = self.driver.stdout.readline()
        assert line, "the driver has died; its errors are above"
        document: dict[str, Any] = json.loads(line)
        return document


def attached(pid: int, log: Path, options: tuple[str, ...]) -> "subprocess.Popen[str]":
    """Start strace on a process and wait until it watches."""
    log.unlink(missing_ok=True)
    command = ["strace", "-f", "-o", str(log), "-e", f"trace={BOUNDARIES}", *options, "-p", str(pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    line = tracer.stderr.readline()
    assert "attached" in line, line
    return tracer


def calls_of(pid: int, log: str) -> tuple[list[str], list[str]]:
    """Give the system calls of one process out of strace's log, and the writing ones of all others."""
    lines = [line.split(maxsplit=1) for line in log.splitlines()]
    calls = [(owner, call) for owner, call in lines if call[0].isalpha()]
    ours = [call for owner, call in calls if owner == str(pid)]
    return ours, [call for owner, call in calls if owner != str(pid) and _writes(call)]


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator["subprocess.Popen[str]"]:
    """The process that runs the verbs. It finds no Git, which would add system calls of its own."""
    folder = tmp_path_factory.mktemp("warm")
    _write_source(folder)
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("driver.py")), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Threads do not survive a fork.
        env={
            "PYTHONPATH": os.pathsep.join(str(sample_project.PROJECT / folder) for folder in ("src", "tests")),
            "PATH": "",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "HOME": str(folder),
        },
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline() or "{}") == {"ready": True}
    yield process
    assert process.stdin is not None
    process.stdin.close()
    process.wait(60)
    process.stdout.close()


@pytest.fixture(scope="session")
def project_folder() -> Iterator[Path]:
    """Where the project lies: in memory where that is possible, since a disk takes most of the time to flush."""
    memory = Path("/dev/shm")  # noqa: S108 (a folder of our own is made in it)
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def laboratory(
    driver: "subprocess.Popen[str]", project_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Laboratory:
    """States on the way of a second bundle through the environments `one` and `two`, in which a first is champion."""
    return prepared(Laboratory(tmp_path_factory.mktemp("laboratory"), project_folder / "file", driver))


def prepared(made: Laboratory) -> Laboratory:
    """Make the states that the verbs start from."""
    _write_source(made.folder)
    made.root.mkdir()
    made.save("empty")

    def do(*verbs: str) -> None:
        for verb in verbs:
            run = made.run(verb)
            assert run.status == 0, run.said

    def take_bundle() -> None:
        shutil.rmtree(made.folder / "bundle", ignore_errors=True)
        (trained,) = made.root.glob("artifacts/runs/*/bundle")
        shutil.copytree(trained, made.folder / "bundle")

    do("train")
    take_bundle()
    made.save("trained")
    made.restore("empty")
    do("train")
    second = shutil.move(made.root, made.folder / "second")
    made.restore("trained")
    do("promote")
    made.save("train")
    made.save("publish")
    shutil.rmtree(made.root)
    shutil.move(second, made.root)
    take_bundle()
    made.restore("publish")
    for verb, state in (("publish", "register"), ("register", "promote"), ("promote", "rollback")):
        do(verb)
        made.save(state)
    return made


def _write_source(folder: Path) -> None:
    rows = pd.read_parquet(sample_project.PROJECT / "samples/flights.parquet")
    rows.iloc[:: max(len(rows) // 2000, 1)].to_parquet(folder / "source.parquet")
