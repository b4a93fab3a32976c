"""The model card says what was trained, on what, how well, and what it must not be used for."""

from pathlib import Path

import msgspec
import pytest

from {{ cookiecutter.package }} import card
from {{ cookiecutter.package }}.reports import Evaluated, Group, Trained, Verdict
from {{ cookiecutter.package }}.settings import Settings

SETTINGS = Settings.load(Path(__file__).parents[2])
TRAINED = Trained(24_000, 6_000, "2013-01-01T10:15:00+00:00", "2013-09-28T20:14:00+00:00")
EVALUATED = Evaluated(
    rows=8_000,
    positive_rows=1_800,
    first="2013-09-28T20:15:00+00:00",
    last="2014-01-01T04:59:00+00:00",
    threshold=0.25,
    confidence=0.95,
    metrics={"auc": 0.6735, "brier_skill": 0.0601},
    auc_interval=(0.6602, 0.689),
    equal_opportunity_difference={"origin": 0.1475},
    selection_rate_ratio={"origin": 0.7084},
    groups=(Group("origin", "EWR", 2_917, 0.25, 0.39, 0.6, 0.685), Group("origin", "SWF", 12)),
    champion=None,
)
VERDICTS = (
    Verdict("floor", "passed", 0.66, 0.6, "AUC 0.674"),
    Verdict("latency", "passed", 0.0123, 5.0, "0.0123 ms for one row"),
)


def written(evaluated: Evaluated = EVALUATED, verdicts: tuple[Verdict, ...] = VERDICTS) -> list[str]:
    return card.write(SETTINGS, TRAINED, evaluated, verdicts).splitlines()


@pytest.mark.parametrize(
    "line",
    [
        f"# {SETTINGS.title}",
        SETTINGS.description,
        f"* **Owner:** {SETTINGS.owner}",
        f"* **Purpose:** {SETTINGS.contract.purpose}",
        "* Trained on 24000 rows from 2013-01-01T10:15:00+00:00 to 2013-09-28T20:14:00+00:00, 25.0% positive",
        "* Judged on 8000 later rows from 2013-09-28T20:15:00+00:00 to 2014-01-01T04:59:00+00:00",
        "* Positive: arr_delay above 15",
        "* Never features: dep_time, dep_delay, arr_time, air_time",
        "* Personal data: aircraft",
        "| auc | 0.6735 |",
        "| AUC, 95% interval | 0.6602 to 0.6890 |",
        "| threshold | 0.2500 |",
        "| origin EWR | 2917 | 0.250 | 0.390 | 0.600 | 0.685 |",
        "| origin SWF | 12 | too few rows | too few rows | too few rows | too few rows |",
        "| floor | passed | AUC 0.674 |",
    ],
)
def test_card_states(line: str) -> None:
    assert line in written()


def test_card_holds_no_measured_time() -> None:
    slower = (VERDICTS[0], msgspec.structs.replace(VERDICTS[1], value=4.9, reason="4.9 ms for one row"))
    assert written() == written(verdicts=slower)


def test_card_without_slices_says_so() -> None:
    assert "The data contract names no slice." in written(msgspec.structs.replace(EVALUATED, groups=()))
