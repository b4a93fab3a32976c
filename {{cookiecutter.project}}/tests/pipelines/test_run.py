"""The compiled pipeline on this machine, against the same steps called in order without kfp."""

import hashlib
import json
import logging
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from {{ cookiecutter.package }} import bundle
from {{ cookiecutter.package }}.registry import Registry
from {{ cookiecutter.package }}.settings import LAPTOP, Settings

from pipelines import runner

import sample_project

from .helpers import copy_project, python

PACKAGE = Settings.load(sample_project.root()).package
RUNTIMES = {"process": [PACKAGE, "pipeline"], "kfp": ["pipelines", "run"]}
ORDER = ["load", "validate", "split", "train", "evaluate", "export", "judge", "bundle", "publish", "register"]

Call = tuple[str, dict[str, str], object]


def calls(file: Path) -> list[Call]:
    """The recorded calls; a path is named by the step and the argument that brought it up."""
    named: dict[str, str] = {}
    found: list[Call] = []
    for line in file.read_text().splitlines():
        step, arguments, result = json.loads(line)
        for name, value in arguments.items():
            if value.startswith(("/", "file:")):
                arguments[name] = named.setdefault(value, f"{step}.{name}")
        if step == "publish":
            named[result] = "publish's result"
        found.append((step, arguments, result))
    return found


def only(folder: Path, pattern: str) -> Any:
    (file,) = folder.glob(pattern)
    return json.loads(file.read_text())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[Call], Path, str]]:
    """Both runtimes on one project's copy each: what was called, the files of the run, what was printed."""
    found = {}
    for runtime, words in RUNTIMES.items():
        project = copy_project(tmp_path_factory.mktemp(runtime) / "my project")
        (project / "recorder").mkdir()
        shutil.copy(Path(__file__).with_name("recorder.py"), project / "recorder" / "sitecustomize.py")
        record = project / "calls.jsonl"
        done = python(
            project,
            *words,
            EXTRA_PATH=str(project / "recorder"),
            RECORD_MODULE=f"{PACKAGE}.steps",
            RECORD_FILE=str(record),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found[runtime] = (calls(record), project / "artifacts" / "runs", done.stdout)
    return found


@pytest.mark.proof(
    "The compiled Kubeflow pipeline calls the same steps and gives the same metrics as one process without it"
)
def test_both_call_the_same_steps_in_the_same_order_with_the_same_arguments(trained: dict[str, Any]) -> None:
    process, kfp = (trained[runtime][0] for runtime in RUNTIMES)
    assert [step for step, _, _ in process] == ORDER
    assert [step for step, _, _ in kfp] == ORDER
    assert [(step, arguments) for step, arguments, _ in process][:7] == [
        (step, arguments) for step, arguments, _ in kfp
    ][:7]
    for (step, mine, _), (_, theirs, _) in zip(process[7:], kfp[7:], strict=True):
        assert mine == theirs, step
    assert process[5][1] == {
        "model": "train.model",
        "evaluation_rows": "split.evaluation_rows",
        "output": "export.output",
    }
    assert process[9][1]["uri"] == "publish's result"


@pytest.mark.proof(
    "The compiled Kubeflow pipeline calls the same steps and gives the same metrics as one process without it"
)
def test_both_give_the_same_data_hash_and_the_same_metrics(trained: dict[str, Any]) -> None:
    process, kfp = (trained[runtime] for runtime in RUNTIMES)
    assert process[0][0][2] == kfp[0][0][2]
    evaluated = [
        only(folder, pattern)
        for (_, folder, _), pattern in zip(
            (process, kfp), ("*/report/*.json", "*/*/evaluate/report/*.json"), strict=True
        )
    ]
    assert evaluated[0] == evaluated[1]
    assert evaluated[0]["rows"] > 1000


def test_both_print_the_verdicts_and_the_next_command(trained: dict[str, Any]) -> None:
    for runtime in RUNTIMES:
        printed = trained[runtime][2]
        assert [line.split()[:2] for line in printed.splitlines() if line.startswith(" floor")] == [["floor", "passed"]]
        assert printed.endswith('next: make promote REASON="…"\n')


def test_no_temporary_folder_is_left(trained: dict[str, Any]) -> None:
    folder = trained["kfp"][1]
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_refused_candidate_is_a_failed_run_that_says_why(runtime: str, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    gates = project / "config" / "gates.yaml"
    text = gates.read_text()
    assert text.count("max_megabytes: 20 ") == 1
    gates.write_text(text.replace("max_megabytes: 20 ", "max_megabytes: 0.001 "))
    done = python(project, *RUNTIMES[runtime])
    assert done.returncode == 1
    assert "refused: the candidate did not pass its gates: size: " in done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines() if line.startswith(" size")] == [["size", "refused"]]
    assert "Traceback" not in done.stderr
    assert not (project / "artifacts" / "store").exists()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_step_that_refuses_its_input_is_a_sentence(runtime: str, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    done = python(project, *RUNTIMES[runtime], "--source", "samples/none.parquet")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("refused: ")
    assert "samples/none.parquet" in done.stderr
    assert "Traceback" not in done.stderr


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@dataclass(frozen=True)
class Both:
    """Two trainings: their project with its files before and after, their working files, and how they ended."""

    project: Path
    before: dict[str, str]
    after: dict[str, str]
    working: Path
    done: list[subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Two trainings of one project at the same time, one in each runtime, with the working files elsewhere."""
    folder = tmp_path_factory.mktemp("at-once")
    project = copy_project(folder / "project")
    # Another table for the second, so that the two cannot make the same bundle.
    rows = pq.read_table(project / "samples" / "flights.parquet")
    pq.write_table(rows.slice(0, len(rows) - 10), folder / "fewer.parquet")
    sources = {"process": "", "kfp": str(folder / "fewer.parquet")}
    before = hashes(project)

    def train(runtime: str) -> subprocess.CompletedProcess[str]:
        words = [*RUNTIMES[runtime], "--source", sources[runtime]]
        return python(project, *words, ARTIFACTS_DIR=str(folder / "working"), PYTHONDONTWRITEBYTECODE="1")

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(train, RUNTIMES))
    return Both(project, before, hashes(project), folder / "working", done)


@pytest.mark.proof("Two trainings at once both end well")
def test_two_trainings_at_once_both_end_well(at_once: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [run.returncode for run in at_once.done] == [0, 0], [run.stdout + run.stderr for run in at_once.done]
    printed = [re.search(r"^version (\d): bundle ([0-9a-f]{64})$", run.stdout, re.MULTILINE) for run in at_once.done]
    made = {found[1]: found[2] for found in printed if found}
    monkeypatch.setenv("ARTIFACTS_DIR", str(at_once.working))
    registry = Registry(Settings.load(at_once.project).environment(LAPTOP))
    assert {version.number: version.bundle_id for version in registry.versions()} == made
    assert sorted(made) == ["1", "2"]
    for version in registry.versions():
        assert bundle.fetch(version.uri, tmp_path / version.number, version.bundle_id).id == made[version.number]
    challenger = registry.challenger()
    assert challenger is not None
    assert challenger.bundle_id in made.values()
    assert list(at_once.working.rglob(".*")) == []


def test_a_training_writes_only_where_its_working_files_go(at_once: Both) -> None:
    """A pod's root is read-only."""
    assert at_once.after == at_once.before


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_refusal_of_several_lines_arrives_whole(runtime: str, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    rows = pd.read_parquet(project / "samples" / "flights.parquet").head(20)
    rows.loc[3, "dep_hour"] = 25
    rows.loc[5, "origin"] = "XXX"
    rows.to_csv(project / "bad.csv", index=False)
    done = python(project, *RUNTIMES[runtime], "--source", "bad.csv")
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "refused: bad.csv: column dep_hour: row 4: 25: must be ≤ 23\n"
        "bad.csv: column origin: row 6: XXX: is not among EWR, JFK, LGA (config/data.yaml: columns.origin.categories)\n",
    )


def test_any_warning_of_the_runner_ends_the_run() -> None:
    """With a named output in a condition, kfp.local skips the branch, warns, and reports success."""
    started: list[str] = []
    watch = runner.Watch(started.append)

    def record(level: int, message: str) -> logging.LogRecord:
        return logging.LogRecord("root", level, "", 0, message, (), None)

    assert watch.filter(record(logging.INFO, "Executing task \x1b[96m'train'\x1b[0m"))
    assert started == ["train"]
    with pytest.raises(runner.RunnerWarning, match="Could not resolve"):
        watch.filter(record(logging.WARNING, "Could not resolve task output: judge.auc"))
    with pytest.raises(runner.TaskFailed, match="train"):
        watch.filter(record(logging.ERROR, "Task \x1b[96m'train'\x1b[0m finished with status \x1b[91mFAILURE\x1b[0m"))


SILENT_SKIP = """
from typing import NamedTuple

from kfp import compiler, dsl

component = dsl.component(base_image="some-python", install_kfp_package=False)


@component
def measure() -> NamedTuple("Measured", [("auc", float)]):
    return (0.9,)


@component
def keep() -> None:
    pass


@dsl.pipeline(name="skips")
def pipeline() -> None:
    with dsl.If(measure().outputs["auc"] > 0.5):
        keep()
"""


@pytest.mark.proof("A task that Kubeflow's runner skips in silence is a failed run")
def test_the_silent_skip_of_kfp_does_not_pass_for_success(tmp_path: Path) -> None:
    source = tmp_path / "skips.py"
    source.write_text(SILENT_SKIP + f"\n\ncompiler.Compiler().compile(pipeline, {str(tmp_path / 'skips.yaml')!r})\n")
    assert python(tmp_path, "skips").returncode == 0
    folder = tmp_path / "runs" / "1"
    folder.mkdir(parents=True)
    with pytest.raises(runner.RunnerWarning):
        runner.run(tmp_path / "skips.yaml", {}, folder, lambda task: None)
