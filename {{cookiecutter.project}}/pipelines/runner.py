"""Execute the compiled pipeline on this machine with kfp's own local runner, and keep its noise in a file."""

import contextlib
import json
import logging
import os
import re
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from {{ cookiecutter.package }} import staging, variables

LOG = "pipeline.log"
STARTED = re.compile(r"Executing task \S*'([\w-]+)'")
FAILED = re.compile(r"Task \S*'([\w-]+)'\S* finished with status \S*FAILURE")
REFUSED = re.compile(r"\w+\.errors\.Refused: (.*)")
# Limits of CPU and memory, which a laptop cannot enforce. Whatever else the runner warns of ends the run.
LAPTOP = ".*have no effect in the current local runner"


class TaskFailed(Exception):
    """A task ended with an error; the message is its name."""


class RunnerWarning(Exception):
    """The runner warned: it may have skipped a task, and still report success."""


class Watch(logging.Filter):
    """Sees every record of kfp's local runner: says which task starts, and ends the run at the first that fails."""

    def __init__(self, started: Callable[[str], None]) -> None:
        super().__init__()
        self._started = started

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if task := STARTED.search(message):
            self._started(task[1])
        if task := FAILED.search(message):
            raise TaskFailed(task[1])  # now: the runner would wait and try again what fails again
        if record.levelno >= logging.WARNING:
            raise RunnerWarning(message)
        return True


def run(compiled: Path, arguments: dict[str, str], folder: Path, started: Callable[[str], None]) -> None:
    """Execute a compiled pipeline; all files of the run stay in `folder`. Raises TaskFailed or RunnerWarning."""
    from kfp import components, local

    watch, root = Watch(started), logging.getLogger()
    with _contained(folder), (folder / LOG).open("w") as log, warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=LAPTOP)
        pipeline: Any = components.load_component_from_file(str(compiled))
        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(folder), raise_on_error=True)
        root.addFilter(watch)
        try:
            with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
                pipeline(**arguments)
        except Warning as warning:
            raise RunnerWarning(str(warning)) from None
        finally:
            root.removeFilter(watch)


def output(folder: Path, task: str) -> str:
    """What a task of the run in `folder` returned."""
    (file,) = folder.glob(f"*/{task}/executor_output.json")
    return str(json.loads(file.read_text())["parameterValues"]["Output"])


def artifact(folder: Path, task: str, name: str) -> Path:
    """Where a task of the run in `folder` left an artifact."""
    (path,) = folder.glob(f"*/{task}/{name}")
    return path


def refusal(folder: Path) -> str | None:
    """The sentence with which a task of the run in `folder` refused its work; None when it broke in another way."""
    lines = [line.strip() for line in (folder / LOG).read_text().splitlines()]
    for number, line in enumerate(lines):
        if said := REFUSED.fullmatch(line):
            rest = lines[number + 1 :]
            return "\n".join([said[1], *rest[: rest.index("") if "" in rest else None]])
    return None


@contextlib.contextmanager
def _contained(folder: Path) -> Iterator[None]:
    """Tasks leave temporary folders behind and find the package by PYTHONPATH: set both for them, and take both back."""
    with staging.scratch(folder.parent) as scratch, contextlib.ExitStack() as stack:
        package = Path(staging.__file__).resolve().parents[1]
        path = os.pathsep.join(filter(None, [str(package), os.environ.get("PYTHONPATH")]))
        stack.enter_context(variables.given({"TMPDIR": str(scratch), "PYTHONPATH": path}))
        stack.callback(setattr, sys, "executable", sys.executable)
        sys.executable = shlex.quote(sys.executable)  # the runner writes it into a line of shell as it is
        yield
