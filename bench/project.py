"""The generated project that is measured: made, trained and promoted once, in build/bench."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "bench"
COOKIECUTTER = Path(sys.executable).with_name("cookiecutter")


@dataclass(frozen=True)
class Usage:
    """What one program took: wall-clock seconds and peak resident memory in 10⁶ bytes."""

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Project:
    """A generated project and the interpreter that has its packages."""

    folder: Path
    python: Path
    package: str = "flight_delay"

    @property
    def environment(self) -> dict[str, str]:
        """The project's package and this one can be imported; kfp leaves its temporary folders in build/."""
        scratch = BUILD / "tmp"
        scratch.mkdir(parents=True, exist_ok=True)
        return os.environ | {"PYTHONPATH": f"{self.folder / 'src'}:{ROOT}", "TMPDIR": str(scratch)}

    @property
    def bundle(self) -> Path:
        """The newest published bundle of this machine: a folder, its name the bundle's id."""
        bundles = self.folder.glob("artifacts/store/*-laptop/bundles/*/manifest.json")
        return max(bundles, key=lambda path: path.stat().st_mtime).parent

    @property
    def trained(self) -> Path:
        """The newest scikit-learn model, from which the newest bundle was exported."""
        return max(self.folder.glob("artifacts/**/model.skops"), key=lambda path: path.stat().st_mtime)

    def prepare(self) -> Path:
        """The folder with the model as every server takes it, and with what it is asked (peers/prepare.py)."""
        folder = BUILD / "model"
        sample = self.folder / "samples" / "flights.parquet"
        self.run("bench.peers.prepare", self.bundle, self.trained, sample, folder)
        return folder

    def run(self, *arguments: str | Path) -> Usage:
        """Run a module of the project; its output is shown when it fails."""
        return run([self.python, "-m", *arguments], self.folder, self.environment)


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> Usage:
    """Run a program to its end and say what it took; RuntimeError with its output when it fails."""
    log = BUILD / "output.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(list(map(str, command)), cwd=folder, env=environment, stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{log.read_text()[-3000:]}")
    return Usage(seconds, used.ru_maxrss * 1024 / 1e6)


def generate(into: Path) -> Usage:
    """One project with the default answers."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    command: list[str | Path] = [COOKIECUTTER, "--no-input", "--default-config", "--output-dir", into, ROOT]
    return run(command, into, os.environ)


def make(python: Path) -> Project:
    """Generate, train, promote."""
    generate(BUILD / "project")
    project = Project(BUILD / "project" / "flight-delay", python)
    project.run("pipelines", "run")
    project.run(project.package, "promote", "--reason", "to be measured")
    return project


def release() -> str:
    """The template's version."""
    return str(json.loads((ROOT / "cookiecutter.json").read_text())["_version"])
