"""The fixtures of all tests: a copy of what the repository holds, and projects generated from it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parents[1]
SKELETON = ROOT / "{{cookiecutter.project}}"
QUESTIONS = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
TOOLS = Path(sys.executable).parent
PROJECT_VENV = Path(os.environ.get("PROJECT_VENV", ROOT / "build" / "venv"))

Bake = Callable[..., Path]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write tests/golden again instead of comparing with it")


def run(*command: str | Path, cwd: Path, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program; with check, show all that it said when it fails."""
    # `make test` of the template must not leave its own variables to the makes under test.
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env={**inherited, **environment}, text=True, capture_output=True, check=False
    )
    assert not check or done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done


def git(*command: str | Path, cwd: Path) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    return run("git", *identity, *command, cwd=cwd).stdout


def commit(folder: Path, message: str) -> None:
    git("add", "--all", cwd=folder)
    git("commit", "--quiet", "--message", message, cwd=folder)


def make(project: Path, *words: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call a verb of a generated project, in the environment that all tests share."""
    return run("make", f"VENV={PROJECT_VENV}", *words, cwd=project, check=check, **environment)


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a project by its path, but for Git's and cruft's own."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".cruft.json" and ".git" not in path.relative_to(folder).parts
    }


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of what Git tracks or would track here, with one commit: what a user fetches, and nothing else."""
    copy = tmp_path_factory.mktemp("template") / "mlops-template"
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name, follow_symlinks=False)
    git("init", "--quiet", cwd=copy)
    commit(copy, "Release")
    return copy


@pytest.fixture(scope="session")
def bake(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Bake:
    """Generate a project outside the template's tree with these answers."""
    # Not the replay and template folders of the user who runs the tests.
    settings = tmp_path_factory.mktemp("settings") / "cookiecutter.yaml"
    settings.write_text(f"cookiecutters_dir: {settings.parent}\nreplay_dir: {settings.parent}\n")

    def generate(**answers: str) -> Path:
        folder = tmp_path_factory.mktemp("baked")
        baked = cookiecutter(
            str(template), no_input=True, extra_context=answers, output_dir=str(folder), config_file=str(settings)
        )
        return Path(baked)

    return generate


@pytest.fixture(scope="session")
def project(bake: Bake) -> Path:
    """A project with the default answers, for tests that only read it."""
    return bake()
