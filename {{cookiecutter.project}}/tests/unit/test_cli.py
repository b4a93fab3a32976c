"""The verbs as commands: what they print, and what stops them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from {{ cookiecutter.package }} import cli
from {{ cookiecutter.package }}.errors import Refused, run_program
from {{ cookiecutter.package }}.settings import LAPTOP

import sample_project

from .store_helpers import Settings, entered

Call = Callable[..., tuple[object, str, str]]
LONG = "because " * 40 + "of this"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, and the working directory."""
    monkeypatch.chdir(sample_project.write(tmp_path))
    for name in ("ARTIFACT_URI", "ARTIFACTS_DIR", "MLFLOW_TRACKING_URI", "PROJECT_ROOT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def call(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """`python -m <package>` with these words: exit code, output and errors."""

    def command_line(*words: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["cli", *words])
        with pytest.raises(SystemExit) as ended:
            run_program(cli.app)
        return (ended.value.code, *capsys.readouterr())

    return command_line


def test_what_fails_after_ctrl_c_is_no_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    def program() -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise Refused("the registry does not answer")

    with pytest.raises(SystemExit) as ended:
        run_program(program)
    assert (ended.value.code, capsys.readouterr().err) == (
        130,
        "interrupted: run it again\n  the registry does not answer\n",
    )


def broken(root: Path, *names: str) -> None:
    for name in names:
        (root / "config" / f"{name}.yaml").write_text("a typo: [\n", encoding="utf-8")


def test_what_needs_no_data_goes_on_while_its_configuration_is_wrong(root: Path, call: Call) -> None:
    settings = Settings.load(root)
    first, second = (entered(settings, LAPTOP, root / "new" / name, name) for name in ("first", "second"))
    broken(root, "data", "training", "serving", "monitoring")
    now = "is now the champion of laptop (version"
    assert call("promote", "--reason", "the first", "--bundle", first) == (0, f"{first[:12]} {now} 1)\n", "")
    assert call("promote", "--reason", LONG) == (0, f"{second[:12]} {now} 2)\n", "")
    assert call("rollback", "--reason", "worse") == (0, f"{first[:12]} {now} 1)\n", "")
    code, said, errors = call("status")
    assert (code, said.splitlines()[2].split()[:3], errors) == (0, ["champion", "1", first[:12]], "")
    code, said, errors = call("history")
    assert (code, errors) == (0, "")
    assert LONG in said  # on one line, since this is no terminal
    assert call("gc")[::2] == (0, "")


@pytest.mark.parametrize("file", ["gates", "monitoring"])
def test_a_training_begins_when_the_whole_configuration_is_right(file: str, root: Path, call: Call) -> None:
    broken(root, file)
    code, said, errors = call("pipeline")
    assert (code, said) == (1, "")
    assert errors.startswith(f"refused: config/{file}.yaml: line 2: not valid YAML")
    assert not (root / "artifacts").exists()
