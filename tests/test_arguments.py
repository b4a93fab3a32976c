"""What a user gives to a verb reaches the program as it was typed, whatever make and the shell make of such characters."""

from pathlib import Path

import pytest
from conftest import HARD, Bake, commit, files, git, run
from test_setup import program

ARGUMENTS = {
    "train": (["ENV"], "-m pipelines run --environment ENV"),
    "serve": (["ENV", "PORT"], "-m flight_delay serve --environment ENV --port PORT"),
    "predict": (["ENV", "INPUT", "OUTPUT"], "-m flight_delay predict INPUT OUTPUT --environment ENV"),
    "promote": (
        ["ENV", "REASON", "BUNDLE"],
        "-m flight_delay promote --environment ENV --reason REASON --bundle BUNDLE",
    ),
    "rollback": (["ENV", "REASON"], "-m flight_delay rollback --environment ENV --reason REASON"),
    "history": (["ENV"], "-m flight_delay history --environment ENV"),
    "status": (["ENV"], "-m flight_delay status --environment ENV"),
    "gc": (["ENV", "DELETE"], "-m flight_delay gc --environment ENV --delete"),
    "update": (
        ["FROM", "DIRECTORY", "TO"],
        "make/update.py --cruft VENV-update/bin/cruft --from FROM --directory DIRECTORY --to TO",
    ),
}


@pytest.fixture(scope="module")
def echoing(bake: Bake) -> tuple[Path, Path]:
    """A project, and an environment whose Python prints its arguments, one a line."""
    project = bake()
    git("init", "--quiet", cwd=project)
    commit(project, "Start")
    venv = project.parent / "my venv"
    for folder, requirements in ((venv, "dev.txt"), (Path(f"{venv}-update"), "update.txt")):
        folder.mkdir()
        (folder / "installed.txt").write_bytes((project / "requirements" / requirements).read_bytes())
        program(folder / "bin" / "python", "printf '%s\\n' \"$@\"")
    return project, venv


@pytest.mark.parametrize("verb", ARGUMENTS)
def test_what_is_given_to_a_verb_arrives_as_typed(verb: str, echoing: tuple[Path, Path]) -> None:
    project, venv = echoing
    variables, wanted = ARGUMENTS[verb]
    said = run("make", f"VENV={venv}", verb, *(f"{name}={name} {HARD}" for name in variables), cwd=project)
    assert said.stdout.splitlines() == [
        f"{word} {HARD}" if word in variables else word.replace("VENV", str(venv)) for word in wanted.split()
    ]
    assert said.stderr == ""


def test_a_reason_of_several_lines_is_refused(echoing: tuple[Path, Path]) -> None:
    project, venv = echoing
    done = run("make", f"VENV={venv}", "promote", "REASON=one\ntwo", cwd=project, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "refused: REASON has several lines: give it in one" in done.stderr


def test_clean_removes_nothing_else(bake: Bake) -> None:
    project = bake()
    before = files(project)
    for folder in ("my venv", "my", "my venv-ui", "venv", "artifacts"):
        (project / folder).mkdir()
        (project / folder / "file").touch()
    run("make", "VENV=my venv", "clean", cwd=project)
    assert set(files(project)) - set(before) == {"my/file", "venv/file"}
