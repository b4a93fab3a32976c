"""The fixtures of all tests: a copy of what the repository holds, and projects generated from it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from cookiecutter.main import cookiecutter
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parents[1]
SKELETON = ROOT / "{{cookiecutter.project}}"
QUESTIONS = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
TOOLS = Path(sys.executable).parent
PROJECT_VENV = Path(os.environ.get("PROJECT_VENV", ROOT / "build" / "venv"))
RELEASED, NEXT = QUESTIONS["_version"], "9.0.0"
# Every character here means something else to make, to the shell or to a terminal.
HARD = 'it\'s "5 %" better, saves $5k (a\\b) für Zoë; $(HOME) ${x} $(nothing `id` #1 \\'

# The file is the generated project's: what is proven there and here is written down alike.
pytest_plugins = ["evidence"]

Bake = Callable[..., Path]
EVIDENCE = ROOT / "build" / "evidence"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write tests/golden again instead of comparing with it")


# By how they begin: tests that one worker runs, in their order, since they share a project or use every processor.
GROUPS = {
    "tests/test_verbs.py::": "verbs",
    "tests/test_pipelines.py::test_a_run_on_this_machine": "verbs",
    "tests/test_choices.py::test_own": "own tests",
    "tests/test_tutorial.py::test_every_block_does": "own tests",
}


class Grouped(LoadScopeScheduling):  # type: ignore[misc]  # it ships no types
    """What `xdist_group` is for; pytest 9.2 ignores that: https://github.com/pytest-dev/pytest-xdist/issues/1386"""

    def _split_scope(self, nodeid: str) -> str:
        return next((group for start, group in GROUPS.items() if nodeid.startswith(start)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Grouped:
    return Grouped(config, log)


def inherited(**environment: str) -> dict[str, str]:
    """The tests' own variables, but for those that `make test` of the template would leave to the makes under test."""
    ours = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    return {name: value for name, value in os.environ.items() if name not in ours} | environment


def free_port() -> int:
    """A port that is free, and the next too: metrics have that."""
    while True:
        with socket.socket() as first, socket.socket() as second, suppress(OSError, OverflowError):
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            second.bind(("127.0.0.1", port + 1))
            return port


def run(*command: str | Path, cwd: Path, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program; with check, show all that it said when it fails."""
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=inherited(**environment), text=True, capture_output=True, check=False
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
    """Every file of a project by its path, but for Git's and cruft's own; of a link, where it leads."""
    return {
        path.relative_to(folder).as_posix(): bytes(path.readlink()) if path.is_symlink() else path.read_bytes()
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
def sources(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as a work tree, a bare repository, a zip and a folder of a larger repository.

    All give this release; the repositories also hold the next one, as a tag.
    """
    folder = tmp_path_factory.mktemp("sources")
    git("clone", "--quiet", template, folder / "tree", cwd=folder)
    shutil.copytree(template, folder / "mono" / "a" / "b", symlinks=True, ignore=shutil.ignore_patterns(".git"))
    git("init", "--quiet", cwd=folder / "mono")
    commit(folder / "mono", "Everything")
    for repository, directory in ((folder / "tree", "."), (folder / "mono", "a/b")):
        git("tag", RELEASED, cwd=repository)
        git("checkout", "--quiet", "--detach", cwd=repository)
        release_next(repository / directory)
        commit(repository, "Next release")
        git("tag", NEXT, cwd=repository)
        git("checkout", "--quiet", "main", cwd=repository)
    git("clone", "--quiet", "--bare", "tree", "bare.git", cwd=folder)
    git("clone", "--quiet", "--bare", "mono", "mono.git", cwd=folder)
    git("archive", "--prefix=mlops-template-1/", "--output", folder / "template.zip", RELEASED, cwd=folder / "tree")
    (folder / "settings.yaml").write_text(f"cookiecutters_dir: {folder}/cache\nreplay_dir: {folder}/replay\n")
    return folder


def release_next(template: Path) -> None:
    """Change, add and remove a file of the project."""
    skeleton = template / SKELETON.name
    readme, questions = skeleton / "README.md", template / "cookiecutter.json"
    readme.write_text(readme.read_text() + "\nAdded by the next release.\n")
    (skeleton / "docs" / "new.md").write_text("# New in the next release\n")
    (skeleton / ".editorconfig").unlink()
    questions.write_text(questions.read_text().replace(f'"_version": "{RELEASED}"', f'"_version": "{NEXT}"'))


@pytest.fixture(scope="session")
def bake(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Bake:
    """Generate a project outside the template's tree with these answers."""
    # Not the replay and template folders of the user who runs the tests.
    settings = tmp_path_factory.mktemp("settings") / "cookiecutter.yaml"
    settings.write_text(f"cookiecutters_dir: {settings.parent}\nreplay_dir: {settings.parent}\n")

    def generate(**answers: str) -> Path:
        folder = tmp_path_factory.mktemp("baked")
        # Cookiecutter writes each hook that it runs where temporary files go, and leaves it there.
        with tempfile.TemporaryDirectory() as left, pytest.MonkeyPatch.context() as patch:
            patch.setattr(tempfile, "tempdir", left)
            baked = cookiecutter(
                str(template), no_input=True, extra_context=answers, output_dir=str(folder), config_file=str(settings)
            )
        return Path(baked)

    return generate


@dataclass(frozen=True)
class Trained:
    """A project in a repository of its own, on the machine of somebody whom Git does not know, after `make train`."""

    project: Path
    environment: dict[str, str]
    said: str

    def make(self, *words: str, **environment: str) -> str:
        """What a verb prints."""
        return make(self.project, *words, check=True, **{**self.environment, **environment}).stdout


@pytest.fixture(scope="session")
def trained(bake: Bake, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Its tests are of one group, so that it is trained once."""
    project = bake()
    git("init", "--quiet", cwd=project)
    commit(project, "Start")
    home = {"HOME": str(tmp_path_factory.mktemp("home")), "PYENV_ROOT": os.environ.get("PYENV_ROOT", "")}
    environment = {**home, "GIT_CONFIG_GLOBAL": "/dev/null"}
    return Trained(project, environment, make(project, "train", check=True, **environment).stdout)


@pytest.fixture(scope="session")
def project(bake: Bake) -> Path:
    """A project with the default answers, for tests that only read it."""
    return bake()
