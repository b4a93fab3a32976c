"""One call of Terraform, by the one way of python-terraform that works: `Terraform.cmd`. What it says is taken line by line, as JSON."""

import json
import logging
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from python_terraform import IsFlagged, Terraform

from . import shield

Json = dict[str, Any]
Report = Callable[[str], None]
"""Takes a line for whoever waits. Not by a plain `print`: sys.stdout is Terraform's for the time of a call."""

# They repeat all that a command has said, values included.
for _log in ("python_terraform", "python_terraform.tfstate"):
    logging.getLogger(_log).disabled = True

ENVIRONMENT = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
LOCK_SECONDS = 10
"""How long somebody else is waited for who is about to end."""
NO_STATE = ".no-state"
"""The name of a file that is not there: of one that is, python-terraform would keep a copy, and fail where it cannot be read."""
UNSET = ("TF_WORKSPACE",)  # an environment is a state of its own, not a workspace: another one must not slip in
FAMILIES = ("TF_CLI_ARGS", "TF_VAR_")
"""Options and values that no file says and no plan's origin knows: they could turn a plan into a destruction."""


@dataclass(frozen=True)
class Diagnostic:
    """What Terraform has to say about one thing; of values it says only what the configuration's own messages say."""

    summary: str
    detail: str
    address: str = ""
    file: str = ""
    line: int = 0
    error: bool = True
    of_backend: bool = False
    """Whether it is about a setting of the backend, none of which stands where Terraform points."""
    variable: str = ""
    """The variable whose declaration, a rule of it mostly, it points into."""


class StackError(Exception):
    """Terraform failed: which command, its exit code, what it said, and the same as diagnostics where it gave some."""

    def __init__(self, command: str, code: int, stderr: str, diagnostics: tuple[Diagnostic, ...] = ()) -> None:
        super().__init__(f"terraform {command} ended with {code}")
        self.command, self.code, self.stderr, self.diagnostics = command, code, stderr, diagnostics
        self.afterwards = ""


def call(
    program: str | None,
    module: Path,
    data: Path,
    command: str,
    *words: str,
    fine: tuple[int, ...] = (0,),
    report: Report | None = None,
    **options: object,
) -> "Said":
    """Run a command in a module, its working files in `data`; StackError when its exit code is not among the fine ones."""
    if program is None:
        raise StackError(command, 127, "terraform: command not found")
    if shield.heard:
        raise StackError(command, 130, "Interrupt received")
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = {"json": IsFlagged, **options}
    if command in ("init", "plan", "apply"):
        options["input"] = False
    if command in ("plan", "apply"):
        options["lock_timeout"] = f"{LOCK_SECONDS}s"
    said = Said(report)
    variables = ENVIRONMENT | {"TF_DATA_DIR": str(data)}
    with _variables(variables), _captured(said.take_out, said.take_error), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it logs by a name of old
        terraform = Terraform(working_dir=str(module), terraform_bin_path=program, state=NO_STATE)
        said.code, _, _ = terraform.cmd(command, *words, capture_output=False, **options)
    if said.code not in fine:
        raise StackError(command, said.code, said.text(), said.diagnostics)
    return said


class Said:
    """What a command has printed so far."""

    def __init__(self, report: Report | None) -> None:
        self.code, self.lines, self.errors, self._report = 0, list[str](), list[str](), report
        self._found: list[Diagnostic] = []

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return tuple(self._found)

    def take_out(self, line: str) -> None:
        line = _plain(line)
        self.lines.append(line)
        event = _event(line)
        if event.get("type") == "diagnostic":
            self._found.append(diagnostic(event["diagnostic"]))
        elif self._report is not None and (text := progress(event)):
            self._report(text)

    def take_error(self, line: str) -> None:
        self.errors.append(_plain(line))

    def text(self) -> str:
        """All that was said of errors; lines that are no JSON are what Terraform says before it knows how it shall speak."""
        found = [": ".join(filter(None, (each.summary, each.detail))) for each in self._found if each.error]
        return "\n".join([*found, *(line for line in self.lines if not _event(line)), *self.errors]).strip()


def diagnostic(each: Json) -> Diagnostic:
    """A diagnostic as Terraform's JSON has it, without the snippet, which shows values."""
    where, snippet = each.get("range", {}), each.get("snippet") or {}
    declaration = re.match(r'variable "(\w+)"', snippet.get("context") or "")
    return Diagnostic(
        each["summary"],
        each.get("detail", ""),
        each.get("address", ""),
        where.get("filename", ""),
        where.get("start", {}).get("line", 0),
        each["severity"] == "error",
        bool(re.match(r'\s*backend "', snippet.get("code", ""))),
        declaration[1] if declaration else "",
    )


def progress(event: Json) -> str:
    """One line for a person who waits: what is done to which address, and for how long already."""
    words = {
        "apply_start": "…",
        "apply_progress": "… {elapsed_seconds} s",
        "apply_complete": "done ({elapsed_seconds} s)",
        "apply_errored": "failed ({elapsed_seconds} s)",
    }
    if event.get("type") not in words:
        return ""
    hook = event["hook"]
    return f"{hook['action']} {hook['resource']['addr']} {words[event['type']].format(**hook)}"


def _plain(line: str) -> str:
    """Without the colours and the frames that are drawn where Terraform does not speak JSON."""
    return re.sub(r"^[╷│╵] ?", "", re.sub(r"\x1b\[[0-9;]*m", "", line))


def _event(line: str) -> Json:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    """Variables of this process for the one call: python-terraform hands on what there is."""
    slipped = [name for name in os.environ if name in UNSET or name.startswith(FAMILIES)]
    before = {name: os.environ.pop(name, None) for name in (*values, *slipped)}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextmanager
def _captured(take_out: Report, take_error: Report) -> Iterator[None]:
    """Line by line, while the command runs: python-terraform gives it what sys.stdout and sys.stderr are, if told to."""
    with _pipe(take_out) as out, _pipe(take_error) as errors, redirect_stdout(out), redirect_stderr(errors):
        yield


@contextmanager
def _pipe(take: Report) -> Iterator[TextIO]:
    reading, writing = os.pipe()

    def read() -> None:
        with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                with suppress(
                    OSError
                ):  # whoever listened may be gone; Terraform would die of a closed pipe, in the middle of its work
                    take(line.rstrip("\n"))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        with os.fdopen(writing, "w", encoding="utf-8") as end:
            yield end
    finally:
        thread.join()
