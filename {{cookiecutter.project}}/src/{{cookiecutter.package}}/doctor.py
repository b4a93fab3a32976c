"""Is this machine ready for the project's verbs? Each check looks at one thing and says how to mend it.

It runs before anything is installed, by whatever Python is there (3.7 or later): all that is missing shall be named at
once. So what is not in that standard library is imported where it is used.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import Refused, run_program

if TYPE_CHECKING:
    from . import lineage
    from .settings import Settings

PYTHON = ((3, 11), (3, 13))
GIT = (2, 20)  # --quiet of rev-parse, check-mailmap: all older than this; Debian's oldest supported has it
MAKE = (3, 81)
KUBECTL = ((1, 31), "install it (https://kubernetes.io/docs/tasks/tools)")
TERRAFORM = ((1, 11), "install it (https://developer.hashicorp.com/terraform/install)")
CLOUDS = {"aws": ["aws"], "azure": ["az", "kubelogin"], "gcp": ["gcloud", "gke-gcloud-auth-plugin"]}
"""What Terraform and kubeconfig call for whoever has signed in."""
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


def examine(root: Path, folder: Path, environment_name: str = "", context: str = "") -> list[Result]:
    """Every check, in the order in which a newcomer would mend things; `folder` is where the environment is, or will be.

    Of an environment in a cluster, its tools and whether it is reached, too.
    """
    overlays = sorted(file.parent.name for file in (root / "k8s" / "overlays").glob("*/kustomization.yaml"))
    if environment_name and environment_name not in overlays:
        raise Refused(f"ENV={environment_name}: there is no such environment in a cluster: {', '.join(overlays)}")
    requirements = root / "requirements" / "dev.txt"
    # Empty as long as an installation is under way.
    ready = Path(sys.prefix).resolve() == folder.resolve() and bool(_read(folder / "installed.txt"))
    found = [
        python(sys.version_info[:3]),
        venv([name for name in ("ensurepip", "venv") if importlib.util.find_spec(name) is None]),
        tool("git", _version_text("git"), GIT, "install it (Debian and Ubuntu: sudo apt-get install git)"),
        tool("make", _version_text("make"), MAKE, "install GNU Make (Debian and Ubuntu: sudo apt-get install make)"),
        disk(_megabytes_free(root)) if ready else setup_disk(_megabytes_free(folder), _read(requirements)),
        writable(root / (os.environ.get("ARTIFACTS_DIR") or "artifacts")),
        environment(folder, requirements),
    ]
    found += tools(root, environment_name) if environment_name else []
    if not ready:
        return found
    found += inside(root)
    return [*found, reached(root, environment_name, context)] if environment_name else found


def tools(root: Path, environment_name: str) -> list[Result]:
    """The programs that an environment in a cluster needs; Terraform and those of its cloud where its infrastructure is described."""
    found = [tool("kubectl", _version_text("kubectl", "version", "--client"), *KUBECTL)]
    if (root / "terraform" / "environments" / f"{environment_name}.tfvars").exists():
        found.append(tool("terraform", _version_text("terraform", "version"), *TERRAFORM))
        for name in next((CLOUDS[cloud] for cloud in CLOUDS if (root / "terraform" / cloud).is_dir()), []):
            missing = ("not found", "install it, as docs/how-to says of this cloud")
            found.append(Result(name, *(("there",) if shutil.which(name) else missing)))
    return found


def reached(root: Path, environment_name: str, context: str) -> Result:
    """The environment's API server answers."""
    from .cluster import reach

    try:
        return Result("cluster", *reach.look(root, environment_name, context))
    except (OSError, subprocess.TimeoutExpired):
        return Result("cluster", "kubectl cannot be asked", "see above")


def inside(root: Path) -> list[Result]:
    """The checks of the project itself; they need its packages."""
    from . import lineage
    from .settings import Settings

    found = [repository(lineage.source(root), root)]
    try:
        settings = Settings.load(root).checked()
    except Refused as refused:
        return [*found, Result("configuration", str(refused), "correct config/ as each line says")]
    return [*found, Result("configuration", "config/*.yaml are valid"), port(settings), champion(settings)]


def python(version: tuple[int, ...]) -> Result:
    """One of the versions that the pinned packages support."""
    lowest, highest = PYTHON
    shown = ".".join(map(str, version))
    if lowest <= version[:2] <= highest:
        return Result("Python", shown)
    return Result("Python", shown, "install Python 3.11, 3.12 or 3.13, then: make setup PYTHON=python3.13")


def venv(missing: list[str]) -> Result:
    """What Python makes environments with; Debian packs it apart."""
    if not missing:
        return Result("venv", "environments can be made")
    fix = "install it (Debian and Ubuntu: sudo apt-get install python3-venv)"
    return Result("venv", f"Python has no {' and no '.join(missing)}", fix)


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


def setup_disk(megabytes: int, requirements: str | None) -> Result:
    """Room for the environment: the first line of its requirements says how much it needs."""
    needed = re.match(r"# downloads \d+ MB, needs (\d+) MB", requirements or "")
    if needed is None or megabytes >= int(needed[1]):
        return Result("disk", f"{megabytes} MB free")
    fix = f"make room: the environment needs {needed[1]} MB, or put it elsewhere (make VENV=...)"
    return Result("disk", f"{megabytes} MB free", fix)


def writable(folder: Path) -> Result:
    """The folder of working files, or where it will be made."""
    existing = _existing(folder)
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return Result("artifacts", f"{folder.name}/ can be written")
    return Result("artifacts", f"{existing} cannot be written", f"make it yours: sudo chown -R $(id -u) {existing}")


def environment(folder: Path, requirements: Path) -> Result:
    """The packages are the pinned ones: make/install.sh keeps a copy of what it installed."""
    wanted, installed = _read(requirements), _read(folder / "installed.txt")
    if wanted is None:
        return Result("environment", f"{requirements.name} is missing", "restore requirements/dev.txt from Git")
    if not folder.exists() or not any(folder.iterdir()):
        return Result(
            "environment", f"{folder} is not set up yet: the first verb does it, and more can be looked at then"
        )
    if installed is None:
        fix = "remove it, or give the environment a folder of its own (make VENV=...)"
        return Result("environment", f"{folder} holds files that were not installed from here", fix)
    if not installed:
        if _locked(folder.parent):
            return Result("environment", f"{folder} is being set up: when that is done, more can be looked at")
        return Result("environment", f"the set-up of {folder} did not come to its end", "run: make setup")
    if not (folder / "bin" / "python").exists():
        return Result("environment", f"the Python that {folder} was made with is gone", "remove it, then: make setup")
    if installed != wanted:
        return Result("environment", f"{folder} differs from requirements/dev.txt", "run: make setup")
    return Result("environment", "as pinned in requirements/dev.txt")


def repository(source: lineage.Source, root: Path) -> Result:
    """Every bundle names the commit that it was trained from."""
    if source.commit is None:
        found, _, command = (source.reason or "no commit").partition("; run: ")
        otherwise = "install git" if "not installed" in found else f"in {root}: git init && git add . && git commit"
        return Result("repository", found, command or otherwise)
    return Result("repository", source.commit[:12] + (", with uncommitted changes" if source.dirty else ""))


def port(settings: Settings) -> Result:
    """The server's ports are free, or one of ours has them: then the next `make serve` takes over."""
    from .serving import handover

    ports = (settings.serving.port, settings.serving.metrics_port)
    taken = [number for number in ports if not _free(number)]
    if not taken:
        return Result("ports", f"{' and '.join(map(str, ports))} are free")
    running = [handover.served(settings, name) for name in settings.gates.environments]
    foreign = set(taken) - {number for state in running if state for number in (state.port, state.metrics_port)}
    if not foreign:
        return Result("ports", f"{' and '.join(map(str, taken))} in use by `make serve`; the next one takes over")
    words = " and ".join(map(str, sorted(foreign)))
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


def report(results: list[Result]) -> None:
    """Print every check; Refused when one is bad."""
    for result in results:
        print(f"{_mark(result)}{result.name}: {result.found}" + ("" if result.ok else f" → {result.fix}"))
    bad = [result.name for result in results if not result.ok]
    if bad:
        raise Refused(f"{len(bad)} of {len(results)} checks: {', '.join(bad)}")


def _mark(result: Result) -> str:
    word, colour = (" ok  ", "32") if result.ok else (" bad ", "1;31")
    return f"\033[{colour}m{word}\033[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else word


def _existing(path: Path) -> Path:
    """The path, or what is there of it."""
    return next(each for each in (path, *path.parents) if each.exists())


def _locked(folder: Path) -> bool:
    """Whether a set-up in this folder is under way: make/install.sh holds the folder's lock for so long."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _megabytes_free(path: Path) -> int:
    return shutil.disk_usage(_existing(path)).free // 2**20


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def _version_text(*command: str) -> str | None:
    try:
        done = subprocess.run(
            [command[0], *(command[1:] or ("--version",))], capture_output=True, text=True, check=False, timeout=10
        )
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


def main() -> None:
    """`python -m <package>.doctor ENVIRONMENT [NAME [CONTEXT]]`"""
    root = Path(os.environ.get("PROJECT_ROOT", ".")).resolve()
    run_program(lambda: report(examine(root, Path(sys.argv[1]), *sys.argv[2:])))


if __name__ == "__main__":
    main()
