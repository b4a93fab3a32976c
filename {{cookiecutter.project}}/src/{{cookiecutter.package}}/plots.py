"""What people would rather look at than read: four pictures of a model's scores, saved beside the numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Numbers = NDArray[np.float64]


def write(folder: Path, labels: Numbers, scores: Numbers, threshold: float, bins: int) -> None:
    """Write roc.png, precision-recall.png, calibration.png and scores.png.

    `labels` are 0 or 1, a number for each score; `bins` of equal row counts are drawn for the calibration.
    """
    _save(folder / "roc.png", lambda axes: _roc(axes, labels, scores))
    _save(folder / "precision-recall.png", lambda axes: _precision_recall(axes, labels, scores))
    _save(folder / "calibration.png", lambda axes: _calibration(axes, labels, scores, bins))
    _save(folder / "scores.png", lambda axes: _scores(axes, labels, scores, threshold))


def _save(path: Path, draw: Callable[["Axes"], None]) -> None:
    # The figure is made without pyplot, which would look for a display and keep every figure alive.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    draw(axes)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    # Without the program's version in its metadata the same scores give the same bytes.
    metadata: dict[str, Any] = {"Software": None}
    figure.savefig(path, dpi=110, metadata=metadata)


def _roc(axes: "Axes", labels: Numbers, scores: Numbers) -> None:
    from sklearn.metrics import roc_auc_score, roc_curve

    false_positives, true_positives, _ = roc_curve(labels, scores)
    axes.plot(false_positives, true_positives, label=f"model, AUC {roc_auc_score(labels, scores):.3f}")
    axes.plot([0, 1], [0, 1], "--", color="grey", label="guessing, AUC 0.5")
    axes.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate")
    axes.legend(loc="lower right")


def _precision_recall(axes: "Axes", labels: Numbers, scores: Numbers) -> None:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    precision, recall, _ = precision_recall_curve(labels, scores)
    axes.plot(recall, precision, label=f"model, average precision {average_precision_score(labels, scores):.3f}")
    axes.axhline(float(labels.mean()), linestyle="--", color="grey", label=f"guessing, {labels.mean():.3f}")
    axes.set(title="Precision and recall", xlabel="recall", ylabel="precision", ylim=(0, 1.02))
    axes.legend(loc="upper right")


def _calibration(axes: "Axes", labels: Numbers, scores: Numbers, bins: int) -> None:
    groups = np.array_split(np.argsort(scores, kind="stable"), bins)
    promised = [scores[group].mean() for group in groups if len(group)]
    seen = [labels[group].mean() for group in groups if len(group)]
    top = max(*promised, *seen) * 1.05
    axes.plot(promised, seen, "o-", label="model")
    axes.plot([0, top], [0, top], "--", color="grey", label="perfect")
    axes.set(title="Calibration", xlabel="mean score", ylabel="share of positive rows")
    axes.legend(loc="upper left")


def _scores(axes: "Axes", labels: Numbers, scores: Numbers, threshold: float) -> None:
    edges = np.linspace(0, 1, 51)
    for label, name in ((0, "negative"), (1, "positive")):
        axes.hist(scores[labels == label], bins=edges.tolist(), alpha=0.6, density=True, label=name)
    axes.axvline(threshold, linestyle="--", color="black", label=f"threshold {threshold:.2f}")
    axes.set(title="Scores", xlabel="score", ylabel="density")
    axes.legend(loc="upper right")
