"""`make doctor` before anything is set up: all that is missing is named at once, whatever Python is there."""

import os
from pathlib import Path

import pytest
from conftest import PROJECT_VENV, Bake, run
from test_setup import program


def pyenv(version: str) -> Path | None:
    """A Python of this machine that the project does not support."""
    folder = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return next(iter(sorted(folder.glob(f"versions/{version}.*/bin/python"))), None)


BEFORE_SETUP = ["Python", "venv", "git", "make", "disk", "artifacts", "environment"]


@pytest.mark.parametrize("version", ["3.8", "3.10"])
def test_doctor_names_all_that_is_wrong_before_anything_is_set_up(version: str, bake: Bake, tmp_path: Path) -> None:
    old = pyenv(version)
    if old is None:
        pytest.skip(f"NOT RUN: Python {version} was not found (pyenv install {version})")
    program(tmp_path / "bin" / "git", "echo git version 2.1.0")
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    done = run("make", f"PYTHON={old}", "doctor", cwd=bake(), check=False, PATH=path)
    found = {line[5:].partition(":")[0]: line for line in done.stdout.splitlines()}
    assert list(found) == BEFORE_SETUP
    assert [name for name, line in found.items() if line.startswith(" bad ")] == ["Python", "git"]
    assert found["Python"].endswith("→ install Python 3.11, 3.12 or 3.13, then: make setup PYTHON=python3.13")
    assert found["environment"].startswith(" ok  environment: .venv is not set up yet")
    assert done.stderr.startswith("refused: 2 of 7 checks: Python, git\n")


def test_doctor_is_well_before_anything_is_set_up(bake: Bake) -> None:
    project = bake()
    done = run("make", f"PYTHON={PROJECT_VENV / 'bin' / 'python'}", "doctor", cwd=project)
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [f" ok  {name}" for name in BEFORE_SETUP]
    assert not (project / ".venv").exists()


@pytest.mark.parametrize(
    ("python", "found"), [("python9", "python9 was not found"), ("python3.6", "Python 3.6.15")], ids=["none", "3.6"]
)
def test_doctor_without_a_python_that_can_read_it(python: str, found: str, bake: Bake, tmp_path: Path) -> None:
    program(tmp_path / "bin" / "python3.6", f'[ "$1" = --version ] && echo {found} && exit 0\nexit 1')
    for name in ("make", "sed", "sh"):
        (tmp_path / "bin" / name).symlink_to(run("sh", "-c", f"command -v {name}", cwd=tmp_path).stdout.strip())
    done = run("make", f"PYTHON={python}", "doctor", cwd=bake(), check=False, PATH=str(tmp_path / "bin"))
    assert done.stdout.splitlines() == [
        f" bad Python: {found} → install Python 3.11, 3.12 or 3.13, or name it: make doctor PYTHON=/path/to/python3",
        " bad git: not found → install it (Debian and Ubuntu: sudo apt-get install git)",
    ]
    assert done.stderr.startswith("refused: without a Python that is newer nothing else can be looked at\n")
