"""What one step tells the next: small JSON files with a fixed form."""

from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from .bundle import canonical

Outcome = Literal["passed", "refused", "not applicable"]


class Validated(msgspec.Struct, frozen=True):
    """The rows as they came, before the split."""

    rows: int
    label_coverage: float
    single_feature_auc: dict[str, float]
    """For each feature, how well it alone tells the label; .5 is not at all."""


class Trained(msgspec.Struct, frozen=True):
    """The rows that a model was fitted to: [first, last], in UTC."""

    rows: int
    positive_rows: int
    first: str
    last: str

    @property
    def positive_rate(self) -> float:
        return self.positive_rows / self.rows


class Group(msgspec.Struct, frozen=True):
    """One value of a slice; the metrics are missing where the group is too small."""

    slice: str
    value: str
    rows: int
    positive_rate: float | None = None
    selection_rate: float | None = None
    true_positive_rate: float | None = None
    auc: float | None = None


class Comparison(msgspec.Struct, frozen=True):
    """The champion on the same rows; differences are candidate minus champion."""

    bundle_id: str
    auc: float
    auc_difference: float
    auc_difference_interval: tuple[float, float]


class Evaluated(msgspec.Struct, frozen=True):
    """How good the model is on the rows after its training."""

    rows: int
    positive_rows: int
    first: str
    last: str
    threshold: float
    confidence: float
    metrics: dict[str, float]
    auc_interval: tuple[float, float]
    equal_opportunity_difference: dict[str, float]
    """Per slice: the largest difference of true positive rates between two large enough groups."""
    selection_rate_ratio: dict[str, float]
    """Per slice: the lowest selection rate over the highest (the four-fifths rule asks for .8)."""
    groups: tuple[Group, ...]
    champion: Comparison | None
    no_champion: str = "there is no champion yet"
    """Why there is no comparison, where there is none."""


class Parity(msgspec.Struct, frozen=True):
    """The exported model against the framework's, on the evaluation set and on edge rows."""

    rows: int
    edge_rows: int
    flips: int
    """Rows with another decision whose score is not on the threshold: none is allowed."""
    near_splits: int
    """Rows that differ within one float32 step of a split value: a few are allowed."""
    unexplained: int
    """Rows that differ elsewhere: none is allowed."""
    largest_difference: float


class Exported(msgspec.Struct, frozen=True):
    """The exported model: parity, size, and the median time of one row on one thread on the machine that measured it."""

    parity: Parity
    bytes: int
    milliseconds: float


class Verdict(msgspec.Struct, frozen=True):
    """What one gate says of a candidate."""

    gate: str
    outcome: Outcome
    value: float | None
    threshold: float | None
    reason: str


class Judged(msgspec.Struct, frozen=True):
    """All verdicts, and the tracking run that holds them."""

    verdicts: tuple[Verdict, ...]
    run_id: str

    @property
    def refused(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.outcome == "refused")


Report = TypeVar("Report", bound=msgspec.Struct)


def write(path: Path, report: msgspec.Struct) -> None:
    """Write a report as canonical JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(canonical(msgspec.to_builtins(report)))


def read(path: Path, form: type[Report]) -> Report:
    """Read a report of this form."""
    return msgspec.json.decode(path.read_bytes(), type=form)
