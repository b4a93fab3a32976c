"""Is this machine ready for the project's verbs? Each check looks at one thing and says how to mend it."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import lineage
from .errors import Refused
from .settings import Settings

PYTHON = ((3, 11), (3, 13))
GIT = (
    2,
    20,
)  # --quiet of rev-parse with --verify, check-mailmap: all older than this; Debian's oldest supported has it
MAKE = (3, 81)
FREE_MEGABYTES = 500  # a training of the sample leaves about 5 MB, an upgrade of the environment needs its room again


@dataclass(frozen=True)
class Result:
    """What a check found; `fix` is empty where all is well."""

    name: str
    found: str
    fix: str = ""

    @property
    def ok(self) -> bool:
        return not self.fix


def examine(root: Path) -> list[Result]:
    """Every check, in the order in which a newcomer would mend things."""
    found = [
        python(sys.version_info[:3]),
        tool("git", _version_text("git"), GIT, "install it (Debian and Ubuntu: sudo apt-get install git)"),
        tool("make", _version_text("make"), MAKE, "install GNU Make (Debian and Ubuntu: sudo apt-get install make)"),
        disk(shutil.disk_usage(root).free // 2**20),
        writable(root / "artifacts"),
        environment(Path(sys.prefix), root / "requirements" / "dev.txt"),
        repository(lineage.source(root), root),
    ]
    try:
        settings = Settings.load(root)
    except Refused as refused:
        return [*found, Result("configuration", str(refused), "correct config/ as each line says")]
    return [*found, Result("configuration", "config/*.yaml are valid"), port(settings), champion(settings)]


def python(version: tuple[int, ...]) -> Result:
    """One of the versions that the pinned packages support."""
    lowest, highest = PYTHON
    shown = ".".join(map(str, version))
    if lowest <= version[:2] <= highest:
        return Result("Python", shown)
    return Result("Python", shown, "install Python 3.11, 3.12 or 3.13, then: make clean setup PYTHON=python3.13")


def tool(name: str, text: str | None, lowest: tuple[int, ...], install: str) -> Result:
    """A program of at least this version, told by the first words that it prints about itself."""
    needed = ".".join(map(str, lowest))
    if text is None:
        return Result(name, "not found", f"{install}; {needed} or later")
    number = re.search(r"\d+(?:\.\d+)+", text)
    if name == "make" and "GNU" not in text:
        return Result(name, text, f"it is not GNU Make: {install}; {needed} or later")
    if number is None:
        return Result(name, text or "no version", f"{install}; {needed} or later")
    if tuple(map(int, number[0].split("."))) < lowest:
        return Result(name, number[0], f"{install}; {needed} or later is needed")
    return Result(name, number[0])


def disk(megabytes: int) -> Result:
    """Room for the files of trainings."""
    if megabytes >= FREE_MEGABYTES:
        return Result("disk", f"{megabytes} MB free")
    return Result(
        "disk", f"{megabytes} MB free", f"make room: {FREE_MEGABYTES} MB are needed (make gc DELETE=1, make clean)"
    )


def writable(folder: Path) -> Result:
    """The folder of working files, or where it will be made."""
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return Result("artifacts", f"{folder.name}/ can be written")
    return Result("artifacts", f"{existing} cannot be written", f"make it yours: sudo chown -R $(id -u) {existing}")


def environment(prefix: Path, requirements: Path) -> Result:
    """The packages that run are the pinned ones: make/install.sh keeps a copy of what it installed."""
    try:
        wanted = requirements.read_bytes()
    except FileNotFoundError:
        return Result("environment", f"{requirements.name} is missing", "restore requirements/dev.txt from Git")
    try:
        installed = (prefix / "installed.txt").read_bytes()
    except FileNotFoundError:
        return Result("environment", f"{prefix} was not made by this project", "run: make setup, and use make's verbs")
    if installed != wanted:
        return Result("environment", f"{prefix} differs from requirements/dev.txt", "run: make setup")
    return Result("environment", "as pinned in requirements/dev.txt")


def repository(source: lineage.Source, root: Path) -> Result:
    """Every bundle names the commit that it was trained from."""
    if source.commit is None:
        fix = (
            "install git"
            if "not installed" in (source.reason or "")
            else f"in {root}: git init && git add . && git commit"
        )
        return Result("repository", source.reason or "no commit", fix)
    return Result("repository", source.commit[:12] + (", with uncommitted changes" if source.dirty else ""))


def port(settings: Settings) -> Result:
    """The server's ports are free, or one of ours has them: then the next `make serve` takes over."""
    ports = [settings.serving.port, settings.serving.metrics_port]
    taken = [number for number in ports if not _free(number)]
    if not taken:
        return Result("ports", f"{' and '.join(map(str, ports))} are free")
    words = " and ".join(map(str, taken))
    if any((settings.artifacts / "serving").glob("*/state.json")):
        return Result("ports", f"{words} in use; if by `make serve`, the next one takes over")
    return Result(
        "ports", f"{words} in use by another program", "stop it, or change config/serving.yaml: port, metrics_port"
    )


def champion(settings: Settings) -> Result:
    """For information: a new project has none."""
    from .registry import Registry

    name = next(iter(settings.gates.environments))
    try:
        version = Registry(settings.environment(name)).champion()
    except Refused as refused:
        return Result("champion", str(refused), "see that the registry is reachable (MLFLOW_TRACKING_URI)")
    if version is None:
        return Result("champion", f'none in {name} yet: make train, then make promote REASON="…"')
    return Result("champion", f"version {version.number} in {name}: bundle {version.bundle_id[:12]}")


def run(root: Path | None = None, examined: Callable[[Path], list[Result]] = examine) -> None:
    """Print every check; Refused when one is bad."""
    from rich.console import Console
    from rich.text import Text

    results = examined((root or Path(os.environ.get("PROJECT_ROOT", "."))).resolve())
    console = Console(soft_wrap=True)
    for result in results:
        line = Text.assemble(
            (" ok  " if result.ok else " bad ", "green" if result.ok else "bold red"), f"{result.name}: {result.found}"
        )
        console.print(line if result.ok else line.append(f" → {result.fix}"))
    if bad := [result.name for result in results if not result.ok]:
        raise Refused(f"{len(bad)} of {len(results)} checks: {', '.join(bad)}")


def _version_text(program: str) -> str | None:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (done.stdout or done.stderr).strip().split("\n", 1)[0]


def _free(number: int) -> bool:
    with socket.socket() as attempt:
        # As servers do: a connection that was closed a minute ago does not hold the port.
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True
