"""All steps of a training in one process: what Kubeflow does with the same functions, without it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from . import advice, printing, reports, staging, steps
from .errors import Refused
from .reports import Judged, Verdict
from .settings import Settings

Result = TypeVar("Result")


@dataclass(frozen=True)
class Registered:
    """What a training that passed its gates left behind."""

    bundle_id: str
    uri: str
    version: str


def run(settings: Settings, environment: str, source: str = "", console: Console | None = None) -> Registered:
    """Run every step, print what the gates say and what to do next; Refused when a gate refuses."""
    settings.checked().environment(environment)  # refused before anything is written
    console = console or printing.console()
    folder = new_run(settings)
    at = {name: str(folder / name) for name in ("model", "report", "exported", "judged", "bundle")}
    tables = {name: str(folder / f"{name}.parquet") for name in ("data", "training", "evaluation")}
    validated = str(folder / "validated.json")
    with console.status("") as status:

        def step(name: str, work: Callable[[], Result]) -> Result:
            status.update(name)
            return work()

        data_hash = step("load", lambda: steps.load(settings, tables["data"], source))
        step("validate", lambda: steps.validate(settings, tables["data"], validated))
        step("split", lambda: steps.split(settings, tables["data"], tables["training"], tables["evaluation"]))
        step("train", lambda: steps.train(settings, tables["training"], at["model"]))
        step(
            "evaluate",
            lambda: steps.evaluate(settings, environment, at["model"], tables["evaluation"], at["report"]),
        )
        step("export", lambda: steps.export(settings, at["model"], tables["evaluation"], at["exported"]))
        step(
            "judge",
            lambda: steps.judge(
                settings, environment, validated, at["model"], at["report"], at["exported"], at["judged"]
            ),
        )
        judged = reports.read(Path(at["judged"]) / steps.JUDGED, Judged)
        if judged.refused:
            status.stop()
            show(console, judged)
            raise refusal(judged)
        bundle_id = step(
            "bundle",
            lambda: steps.bundle(
                settings,
                data_hash,
                tables["training"],
                tables["evaluation"],
                at["model"],
                at["report"],
                at["exported"],
                at["judged"],
                at["bundle"],
            ),
        )
        uri = step("publish", lambda: steps.publish(settings, environment, at["bundle"]))
        version = step("register", lambda: steps.register(settings, environment, uri, at["bundle"], at["judged"]))
    registered = Registered(bundle_id, uri, version)
    show(console, judged)
    show_next(console, settings, environment, registered)
    return registered


def new_run(settings: Settings) -> Path:
    """A new folder for the files of one training; what killed ones staged in theirs goes."""
    staging.clean_below(settings.artifacts)
    folder = settings.artifacts / "runs" / datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    folder.mkdir(parents=True)
    return folder


def refusal(judged: Judged) -> Refused:
    """The sentence for a candidate that did not pass."""
    reasons = "; ".join(f"{verdict.gate}: {verdict.reason}" for verdict in judged.refused)
    return Refused(
        f"the candidate did not pass its gates: {reasons}. Nothing was published; thresholds: config/gates.yaml"
    )


def show(console: Console, judged: Judged) -> None:
    """Print the verdicts, each with its value, threshold, margin and reason."""
    table = Table("gate", "verdict", "value", "threshold", "margin", "why", box=None)
    for verdict in judged.verdicts:
        numbers = ["" if number is None else f"{number:.4g}" for number in (verdict.value, verdict.threshold)]
        left = margin(verdict)
        table.add_row(
            verdict.gate, verdict.outcome, *numbers, "" if left is None else f"{left:+.4g}", escape(verdict.reason)
        )
    console.print(table)


def margin(verdict: Verdict) -> float | None:
    """How far the value may still move before the gate refuses; below zero, how far it is beyond. None: no number decided."""
    value, threshold = verdict.value, verdict.threshold
    if value is None or threshold is None:
        return None
    if verdict.outcome == "passed":
        return abs(value - threshold)
    # One flip is too many, however few rows lie on a split value.
    if verdict.gate == "parity" and value <= threshold:
        return None
    return -abs(value - threshold)


def show_next(console: Console, settings: Settings, environment: str, registered: Registered) -> None:
    """Print what was made, and the command that puts it to use."""
    console.print(f"\nversion {registered.version}: bundle {registered.bundle_id}\n  {registered.uri}", soft_wrap=True)
    console.print(f'next: make promote{advice.where(settings, environment)} REASON="…"', soft_wrap=True)
