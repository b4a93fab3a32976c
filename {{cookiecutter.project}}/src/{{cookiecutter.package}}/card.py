"""The model card, filled from the run (Mitchell et al., Model Cards for Model Reporting, 2019)."""

from collections.abc import Iterable, Mapping

from .reports import Evaluated, Group, Trained, Verdict
from .settings import Settings


def write(
    settings: Settings,
    trained: Trained,
    evaluated: Evaluated,
    verdicts: Iterable[Verdict],
    known: Mapping[str, float] | None = None,
) -> str:
    """The card as Markdown; `known` holds, by entity column, the share of the later rows whose entity was trained on.

    Nothing in it depends on the clock.
    """
    contract = settings.contract
    forbidden = ", ".join(contract.with_role("forbidden")) or "none"
    personal = [name for name, column in contract.columns.items() if not column.public]
    sections = (
        f"# {settings.title}\n\n{settings.description}",
        f"* **Owner:** {settings.owner}\n* **Purpose:** {contract.purpose}\n* **Retention of the data:** {contract.retention}",
        "## Data\n\n"
        f"* Source: `{contract.source}`\n"
        f"* Trained on {trained.rows} rows from {trained.first} to {trained.last}, {trained.positive_rate:.1%} positive\n"
        f"* Judged on {evaluated.rows} later rows from {evaluated.first} to {evaluated.last}\n"
        f"{_known(known or {})}"
        f"* Positive: {contract.label_column} {contract.label}\n"
        f"* Features: {', '.join(contract.features)}\n"
        f"* Never features: {forbidden}\n"
        f"* Personal data: {', '.join(personal) or 'none'}",
        f"## Performance\n\n{_metrics(evaluated)}",
        f"## Groups\n\n{_groups(evaluated.groups)}",
        f"## Gates\n\n{_gates(verdicts)}",
        "## Limits\n\n"
        "* The metrics hold for rows like those above. Later rows drift; watch performance on labels as they arrive.\n"
        "* The score is a probability only as far as the calibration gate says.\n"
        "* A person must be able to contest a decision that affects them: governance/risk-register.md says who answers.",
    )
    return "\n\n".join(sections) + "\n"


def _known(shares: Mapping[str, float]) -> str:
    """A model of people it knows may know less of others."""
    lines = [
        f"* Of the later rows, {share:.1%} have a value of {name} that was trained on\n"
        for name, share in shares.items()
    ]
    return "".join(lines)


def _metrics(evaluated: Evaluated) -> str:
    low, high = evaluated.auc_interval
    rows = [f"| {name.replace('_', ' ')} | {value:.4f} |" for name, value in evaluated.metrics.items()]
    interval = f"| AUC, {evaluated.confidence:.0%} interval | {low:.4f} to {high:.4f} |"
    return "\n".join(["| metric | value |", "|---|---|", *rows, interval, f"| threshold | {evaluated.threshold:.4f} |"])


def _groups(groups: tuple[Group, ...]) -> str:
    if not groups:
        return "The data contract names no slice."
    head = ["| slice | rows | positive | selected | found (true positive rate) | AUC |", "|---|---|---|---|---|---|"]
    return "\n".join(head + [_group(group) for group in groups])


def _group(group: Group) -> str:
    values = (group.positive_rate, group.selection_rate, group.true_positive_rate, group.auc)
    shown = [f"{value:.3f}" if value is not None else "too few rows" for value in values]
    return f"| {group.slice} {group.value} | {group.rows} | {' | '.join(shown)} |"


def _gates(verdicts: Iterable[Verdict]) -> str:
    # The measured latency would make two equal trainings differ.
    rows = [
        f"| {verdict.gate} | {verdict.outcome} | {'measured in the run' if verdict.gate == 'latency' else verdict.reason} |"
        for verdict in verdicts
    ]
    return "\n".join(["| gate | verdict | why |", "|---|---|---|", *rows])
