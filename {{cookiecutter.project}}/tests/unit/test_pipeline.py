"""What a training prints of its verdicts."""

import io

import pytest
from rich.console import Console

from {{ cookiecutter.package }} import pipeline
from {{ cookiecutter.package }}.reports import Judged, Verdict

MARGINS = {
    "below the most that is allowed": (Verdict("size", "passed", 0.5, 20, ""), 19.5),
    "above the most that is allowed": (Verdict("size", "refused", 20.5, 20, ""), -0.5),
    "above the least that is asked for": (Verdict("floor", "passed", 0.75, 0.5, ""), 0.25),
    "below the least that is asked for": (Verdict("floor", "refused", 0.25, 0.5, ""), -0.25),
    "not worse than the champion": (Verdict("champion", "passed", -0.25, -0.5, ""), 0.25),
    "on the threshold": (Verdict("size", "passed", 20, 20, ""), 0.0),
    "without champion": (Verdict("champion", "not applicable", None, -0.5, ""), None),
    "a flip, which no share of rows excuses": (Verdict("parity", "refused", 0.0, 0.001, ""), None),
    "too many rows on a split value": (Verdict("parity", "refused", 0.5, 0.25, ""), -0.25),
}


@pytest.mark.parametrize("verdict_and_margin", MARGINS.values(), ids=MARGINS)
def test_margin(verdict_and_margin: tuple[Verdict, float | None]) -> None:
    verdict, margin = verdict_and_margin
    assert pipeline.margin(verdict) == margin


def test_every_verdict_is_printed_with_its_margin() -> None:
    printed = io.StringIO()
    verdicts = (
        Verdict("size", "passed", 0.5, 20, "0.50 [MB]"),
        Verdict("floor", "refused", 0.25, 0.5, "AUC 0.25"),
        Verdict("champion", "not applicable", None, -0.01, "none yet"),
    )
    pipeline.show(Console(file=printed, width=100), Judged(verdicts, ""))
    assert [line.split() for line in printed.getvalue().splitlines()] == [
        ["gate", "verdict", "value", "threshold", "margin", "why"],
        ["size", "passed", "0.5", "20", "+19.5", "0.50", "[MB]"],
        ["floor", "refused", "0.25", "0.5", "-0.25", "AUC", "0.25"],
        ["champion", "not", "applicable", "-0.01", "none", "yet"],
    ]


def test_a_refusal_names_every_gate_that_refused() -> None:
    verdicts = (
        Verdict("floor", "refused", 0.5, 0.6, "AUC 0.5"),
        Verdict("size", "passed", 1.0, 2.0, "1 MB"),
        Verdict("parity", "refused", 0.0, 0.1, "3 flips"),
    )
    assert str(pipeline.refusal(Judged(verdicts, "run"))) == (
        "the candidate did not pass its gates: floor: AUC 0.5; parity: 3 flips. "
        "Nothing was published; thresholds: config/gates.yaml"
    )
