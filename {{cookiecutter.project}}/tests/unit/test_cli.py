"""The verbs as commands: what they print, what stops them, and what a sentence tells its reader to call next."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from {{ cookiecutter.package }} import advice, cli
from {{ cookiecutter.package }}.errors import Refused, run_program
from {{ cookiecutter.package }}.settings import LAPTOP

import sample_project

from .store_helpers import Settings, entered

Call = Callable[..., tuple[object, str, str]]
SETTINGS = Settings.load(sample_project.root())
"""None of its environments is in a cluster; they are laptop, local, dev, and staging and prod after that."""
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


def test_a_process_ends_without_looking_for_garbage() -> None:
    # What is registered first is called last.
    program = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 0)); import {{ cookiecutter.package }}"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "True\n"


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


WHERE = {
    "this machine": (LAPTOP, "", ""),
    "the current context": ("dev", "", " ENV=dev"),
    "one that was named": ("staging", "of-staging", " ENV=staging CONTEXT=of-staging"),
    "one that must be named, and was": (
        "prod",
        "arn:aws:eks:x:1:cluster/y",
        " ENV=prod CONTEXT=arn:aws:eks:x:1:cluster/y",
    ),
    "one that must be named, by a name that is not known": ("prod", "", " ENV=prod CONTEXT=…"),
    "a name of several words": ("dev", "my cluster", " ENV=dev CONTEXT='my cluster'"),
}


@pytest.mark.parametrize("case", WHERE)
def test_what_leads_a_verb_to_an_environment(case: str) -> None:
    environment, context, words = WHERE[case]
    assert advice.where(SETTINGS, environment, context) == words


FIRST = {
    LAPTOP: 'make train, then make promote REASON="…"',
    "dev": 'make train ENV=dev, then make promote ENV=dev REASON="…"',
    "staging": 'make promote ENV=staging BUNDLE=<id> REASON="…" with the champion of dev, which make status ENV=dev shows',
    "prod": 'make promote ENV=prod CONTEXT=… BUNDLE=<id> REASON="…" with the champion of staging, '
    "which make status ENV=staging shows",
}


@pytest.mark.parametrize("environment", FIRST)
def test_a_model_is_trained_where_the_way_begins_and_moves_from_there(environment: str) -> None:
    assert advice.first_model(SETTINGS, environment) == FIRST[environment]
    assert FIRST[environment].endswith(advice.promotion(SETTINGS, environment))


def test_without_a_challenger() -> None:
    assert advice.challenger(SETTINGS, "dev") == "make train ENV=dev, or name a bundle (BUNDLE=)"
    assert advice.challenger(SETTINGS, "prod") == FIRST["prod"]
