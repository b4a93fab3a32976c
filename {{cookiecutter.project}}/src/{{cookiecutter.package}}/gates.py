"""What a candidate must pass: each gate is a pure function from reports and thresholds to a verdict."""

from .reports import Evaluated, Exported, Trained, Validated, Verdict
from .settings import (
    CalibrationGate,
    ChampionGate,
    ContractGate,
    FairnessGate,
    FloorGate,
    Gates,
    LatencyGate,
    RowsGate,
    SizeGate,
    SlicesGate,
)

# Of the compared rows, those that may differ beyond the tolerance because they lie within one float32 step of a split value.
MAX_NEAR_SPLITS = 0.001


def judge(
    gates: Gates, validated: Validated, trained: Trained, evaluated: Evaluated, exported: Exported
) -> tuple[Verdict, ...]:
    """The verdicts of all gates, in the order in which they are shown."""
    return (
        contract(gates.contract, validated, evaluated),
        rows(gates.rows, validated, trained, evaluated),
        floor(gates.floor, evaluated),
        champion(gates.champion, evaluated),
        slices(gates.slices, evaluated),
        fairness(gates.fairness, evaluated),
        calibration(gates.calibration, evaluated),
        parity(exported),
        size(gates.size, exported),
        latency(gates.latency, exported),
    )


def contract(gate: ContractGate, validated: Validated, evaluated: Evaluated) -> Verdict:
    """No feature by itself, nor all together, may tell the label: it would be known too late, or be the label under another name."""
    name, alone = max(validated.single_feature_auc.items(), key=lambda item: item[1])
    auc = evaluated.metrics["auc"]
    found = (
        (
            f"{name} alone has an AUC of {alone:.3f}",
            alone,
            gate.max_single_feature_auc,
            "is it known before the label is? If not, give it the role forbidden",
        ),
        (
            f"the model has an AUC of {auc:.3f}",
            auc,
            gate.max_auc,
            "too good to be true; ask of each feature whether it is known before the label is, and give those that "
            "are not the role forbidden",
        ),
    )
    # The tighter of the two stands in the verdict.
    reason, value, most, remedy = min(found, key=lambda each: each[2] - each[1])
    return _verdict("contract", value, most, value <= most, reason, f"{reason}: {remedy}")


def rows(gate: RowsGate, validated: Validated, trained: Trained, evaluated: Evaluated) -> Verdict:
    """Enough rows to fit and to judge, and enough of them labelled."""
    found = (
        ("training rows", trained.rows, gate.min_training_rows),
        ("evaluation rows", evaluated.rows, gate.min_evaluation_rows),
        ("positive training rows", trained.positive_rows, gate.min_positive_rows),
        ("positive evaluation rows", evaluated.positive_rows, gate.min_positive_rows),
        ("label coverage", validated.label_coverage, gate.min_label_coverage),
    )
    # The tightest of them stands in the verdict.
    name, value, least = min(found, key=lambda each: each[1] / each[2] if each[2] else float("inf"))
    return _verdict("rows", value, least, value >= least, f"{name}: {value:g}")


def floor(gate: FloorGate, evaluated: Evaluated) -> Verdict:
    """Better than guessing, for sure, and better than always answering the base rate."""
    low, skill = evaluated.auc_interval[0], evaluated.metrics["brier_skill"]
    if skill < gate.min_brier_skill:
        return _verdict("floor", skill, gate.min_brier_skill, False, f"Brier skill over the base rate: {skill:.3f}")
    auc, confidence = evaluated.metrics["auc"], evaluated.confidence
    return _verdict(
        "floor", low, gate.min_auc, low >= gate.min_auc, f"AUC {auc:.3f}, at least {low:.3f} at {confidence:.0%}"
    )


def champion(gate: ChampionGate, evaluated: Evaluated) -> Verdict:
    """Not worse than the champion on the same rows, for sure."""
    compared = evaluated.champion
    if compared is None:
        return Verdict("champion", "not applicable", None, -gate.max_auc_loss, evaluated.no_champion)
    low, high = compared.auc_difference_interval
    reason = f"AUC {compared.auc_difference:+.4f} against {compared.bundle_id[:12]} [{low:+.4f}, {high:+.4f}]"
    return _verdict("champion", low, -gate.max_auc_loss, low >= -gate.max_auc_loss, reason)


def slices(gate: SlicesGate, evaluated: Evaluated) -> Verdict:
    """Of use in every group that is large enough to tell."""
    measured = [(group.auc, f"{group.slice} {group.value}") for group in evaluated.groups if group.auc is not None]
    if not measured:
        return Verdict("slices", "not applicable", None, gate.min_auc, "no slice has a group that is large enough")
    auc, name = min(measured)
    return _verdict("slices", auc, gate.min_auc, auc >= gate.min_auc, f"lowest AUC: {auc:.3f} in {name}")


def fairness(gate: FairnessGate, evaluated: Evaluated) -> Verdict:
    """Positive rows of every group are found equally often (equal opportunity: Hardt et al., 2016)."""
    differences, ratios = evaluated.equal_opportunity_difference, evaluated.selection_rate_ratio
    if not differences:
        return Verdict(
            "fairness",
            "not applicable",
            None,
            gate.max_equal_opportunity_difference,
            "no slice has two groups that are large enough",
        )
    name, ratio = min(ratios.items(), key=lambda item: item[1])
    rule = "keeps" if ratio >= 0.8 else "fails"
    four_fifths = f"selection rate ratio {ratio:.3f} in {name} {rule} the four-fifths rule"
    least = gate.min_selection_rate_ratio
    if least is not None and ratio < least:
        return _verdict("fairness", ratio, least, False, four_fifths)
    name, difference = max(differences.items(), key=lambda item: item[1])
    reason = f"true positive rates differ by {difference:.3f} in {name}; {four_fifths}"
    limit = gate.max_equal_opportunity_difference
    return _verdict("fairness", difference, limit, difference <= limit, reason)


def calibration(gate: CalibrationGate, evaluated: Evaluated) -> Verdict:
    """A score of .3 means that three of ten are positive."""
    error = evaluated.metrics["calibration_error"]
    return _verdict("calibration", error, gate.max_error, error <= gate.max_error, f"calibration error {error:.3f}")


def parity(exported: Exported) -> Verdict:
    """The exported model says what the framework's says."""
    found = exported.parity
    near = found.near_splits / (found.rows + found.edge_rows)
    reason = (
        f"{found.flips} flips, {found.unexplained} unexplained differences, {found.near_splits} rows on a split value, "
        f"of {found.rows} rows and {found.edge_rows} edge rows; largest difference {found.largest_difference:.1e}"
    )
    passed = not found.flips and not found.unexplained and near <= MAX_NEAR_SPLITS
    return _verdict("parity", near, MAX_NEAR_SPLITS, passed, reason)


def size(gate: SizeGate, exported: Exported) -> Verdict:
    """Small enough to fetch and to hold in every pod."""
    megabytes = exported.bytes / 1e6
    return _verdict("size", megabytes, gate.max_megabytes, megabytes <= gate.max_megabytes, f"{megabytes:.2f} MB")


def latency(gate: LatencyGate, exported: Exported) -> Verdict:
    """Fast enough for one row on one thread."""
    value = exported.milliseconds
    return _verdict(
        "latency", value, gate.max_milliseconds, value <= gate.max_milliseconds, f"{value:.3f} ms for one row"
    )


def _verdict(gate: str, value: float, threshold: float, passed: bool, reason: str, refusal: str = "") -> Verdict:
    return Verdict(
        gate, "passed" if passed else "refused", float(value), float(threshold), reason if passed else refusal or reason
    )
