"""How good a model is: metrics with intervals, per slice, against a trivial baseline and against the champion."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import data
from .contract import Contract
from .reports import Comparison, Evaluated, Group
from .settings import EvaluationSettings, Training

Numbers = NDArray[np.float64]


def evaluate(
    contract: Contract,
    settings: Training,
    frame: pd.DataFrame,
    scores: Numbers,
    base_rate: float,
    champion: tuple[str, Numbers] | None = None,
) -> Evaluated:
    """Judge scores on the labelled rows of a frame.

    `base_rate` is the share of positive training rows: the trivial baseline answers it always. `champion` holds a bundle
    id and that bundle's scores of the same rows.
    """
    labels = data.label(contract, frame).to_numpy()
    threshold = settings.costs.threshold
    resampled = auc_resampled(labels, [scores, *([champion[1]] if champion else [])], settings)
    groups = [group for name in contract.slices for group in _groups(name, frame[name], labels, scores, settings)]
    return Evaluated(
        rows=len(frame),
        positive_rows=int(labels.sum()),
        first=frame[contract.time_column].min().isoformat(),
        last=frame[contract.time_column].max().isoformat(),
        threshold=threshold,
        confidence=settings.evaluation.confidence,
        metrics=metrics(labels, scores, threshold, base_rate, settings.evaluation.calibration_bins),
        auc_interval=_interval(resampled[0], settings.evaluation.confidence),
        equal_opportunity_difference=_differences(groups),
        selection_rate_ratio=_ratios(groups),
        groups=tuple(groups),
        champion=_comparison(champion, labels, scores, resampled, settings.evaluation) if champion else None,
    )


def metrics(labels: Numbers, scores: Numbers, threshold: float, base_rate: float, bins: int) -> dict[str, float]:
    """The numbers of a run; `skill` is the share of the baseline's Brier score that the model takes away."""
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

    flagged = scores >= threshold
    hits = float((flagged & (labels == 1)).sum())
    baseline = np.full_like(scores, base_rate)
    brier, baseline_brier = brier_score_loss(labels, scores), brier_score_loss(labels, baseline)
    found = {
        "auc": roc_auc_score(labels, scores),
        "average_precision": average_precision_score(labels, scores),
        "brier": brier,
        "log_loss": log_loss(labels, scores, labels=[0, 1]),
        "calibration_error": calibration_error(labels, scores, bins),
        "precision": hits / max(int(flagged.sum()), 1),
        "recall": hits / max(int((labels == 1).sum()), 1),
        "selection_rate": flagged.mean(),
        "positive_rate": labels.mean(),
        "baseline_brier": baseline_brier,
        "baseline_log_loss": log_loss(labels, baseline, labels=[0, 1]),
        "brier_skill": 1 - brier / baseline_brier,
    }
    return {name: float(value) for name, value in found.items()}


def calibration_error(labels: Numbers, scores: Numbers, bins: int) -> float:
    """Root mean square of promised less seen rate over bins of equal row counts, less what chance alone would show.

    Kumar et al., Verified Uncertainty Calibration, 2019: the plain error of a perfect model is .07 on 200 rows.
    """
    groups = [group for group in np.array_split(np.argsort(scores, kind="stable"), bins) if len(group)]
    squares = [len(group) * _square_gap(scores[group].mean(), labels[group].mean(), len(group)) for group in groups]
    return float(max(sum(squares) / len(scores), 0.0) ** 0.5)


def _square_gap(promised: float, seen: float, rows: int) -> float:
    return float((promised - seen) ** 2 - seen * (1 - seen) / max(rows - 1, 1))


def auc_resampled(labels: Numbers, models: list[Numbers], settings: Training) -> list[Numbers]:
    """AUC of each model on the same bootstrap samples of the rows, [models][samples]; NaN where a sample has one class."""
    generator = np.random.default_rng(settings.seed)
    ranked = [Ranked(labels, scores) for scores in models]
    aucs = np.empty((len(models), settings.evaluation.bootstrap_samples))
    for sample in range(aucs.shape[1]):
        weights = np.bincount(generator.integers(len(labels), size=len(labels)), minlength=len(labels))
        aucs[:, sample] = [model.auc(weights) for model in ranked]
    return list(aucs)


class Ranked:
    """Scores sorted once, so that the AUC of a weighted sample is one pass."""

    def __init__(self, labels: Numbers, scores: Numbers) -> None:
        self.order = np.argsort(scores, kind="stable")
        self.starts = np.flatnonzero(np.r_[True, np.diff(scores[self.order]) > 0])
        self.positive = labels[self.order] == 1

    def auc(self, weights: NDArray[np.int64]) -> float:
        """Share of pairs in which the positive row has the higher score; ties count half."""
        weights = weights[self.order]
        positive = np.add.reduceat(np.where(self.positive, weights, 0), self.starts)
        negative = np.add.reduceat(np.where(self.positive, 0, weights), self.starts)
        pairs = positive.sum() * negative.sum()
        below = np.cumsum(negative) - negative / 2
        return float((positive * below).sum() / pairs) if pairs else float("nan")


def _interval(values: Numbers, confidence: float) -> tuple[float, float]:
    low, high = np.nanquantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _comparison(
    champion: tuple[str, Numbers],
    labels: Numbers,
    scores: Numbers,
    resampled: list[Numbers],
    settings: EvaluationSettings,
) -> Comparison:
    from sklearn.metrics import roc_auc_score

    bundle_id, champion_scores = champion
    auc = float(roc_auc_score(labels, champion_scores))
    return Comparison(
        bundle_id=bundle_id,
        auc=auc,
        auc_difference=float(roc_auc_score(labels, scores)) - auc,
        auc_difference_interval=_interval(resampled[0] - resampled[1], settings.confidence),
    )


def _groups(name: str, values: pd.Series, labels: Numbers, scores: Numbers, settings: Training) -> list[Group]:
    from fairlearn.metrics import MetricFrame, count, selection_rate, true_positive_rate

    named = values.astype(object).where(values.notna(), "(missing)").astype(str)
    by_group: Any = MetricFrame(
        metrics={"rows": count, "selection_rate": selection_rate, "true_positive_rate": true_positive_rate},
        y_true=labels,
        y_pred=(scores >= settings.costs.threshold).astype(int),
        sensitive_features={name: named},
    ).by_group
    groups = []
    for value in sorted(set(named)):
        inside = (named == value).to_numpy()
        rows, found = int(inside.sum()), by_group.loc[value]
        if rows < settings.evaluation.group_min_rows:
            groups.append(Group(name, value, rows))
            continue
        groups.append(
            Group(
                slice=name,
                value=value,
                rows=rows,
                positive_rate=float(labels[inside].mean()),
                selection_rate=float(found["selection_rate"]),
                true_positive_rate=float(found["true_positive_rate"]) if labels[inside].any() else None,
                auc=_group_auc(labels[inside], scores[inside]),
            )
        )
    return groups


def _group_auc(labels: Numbers, scores: Numbers) -> float | None:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, scores)) if 0 < labels.sum() < len(labels) else None


def _by_slice(groups: list[Group], metric: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for group in groups:
        value = getattr(group, metric)
        if value is not None:
            found.setdefault(group.slice, []).append(value)
    return {name: values for name, values in found.items() if len(values) > 1}


def _differences(groups: list[Group]) -> dict[str, float]:
    return {name: max(rates) - min(rates) for name, rates in _by_slice(groups, "true_positive_rate").items()}


def _ratios(groups: list[Group]) -> dict[str, float]:
    rates = _by_slice(groups, "selection_rate")
    return {name: min(values) / max(values) if max(values) else 1.0 for name, values in rates.items()}
