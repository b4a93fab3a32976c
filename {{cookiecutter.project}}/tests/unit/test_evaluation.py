"""The numbers are those of scikit-learn, and the intervals hold what they should."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from {{ cookiecutter.package }} import evaluation
from {{ cookiecutter.package }}.settings import Settings

SETTINGS = Settings.load(Path(__file__).parents[2])
TRUE_AUC = 0.7602  # of two normal distributions one standard deviation apart


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=40))
def test_weighted_auc_is_that_of_the_repeated_rows(rows: list[tuple[bool, int, int]]) -> None:
    labels = np.array([float(label) for label, _, _ in rows])
    scores = np.array([score / 5 for _, score, _ in rows])
    weights = np.array([weight for _, _, weight in rows])
    found = evaluation.Ranked(labels, scores).auc(weights)
    repeated = np.repeat(labels, weights)
    if len(set(repeated)) < 2:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(roc_auc_score(repeated, np.repeat(scores, weights)))


def test_interval_holds_the_true_auc_and_narrows_with_rows() -> None:
    generator = np.random.default_rng(3)
    widths = []
    for rows in (500, 8_000):
        labels = (generator.random(rows) < 0.3).astype(float)
        scores = generator.normal(labels, 1)
        [aucs] = evaluation.auc_resampled(labels, [scores], SETTINGS.training)
        low, high = np.quantile(aucs, [0.025, 0.975])
        assert low < TRUE_AUC < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_metrics_against_the_trivial_baseline() -> None:
    labels = np.array([0.0, 0.0, 1.0, 1.0])
    found = evaluation.metrics(labels, np.array([0.1, 0.4, 0.6, 0.9]), 0.5, 0.5, 2)
    assert found == {
        "auc": 1.0,
        "average_precision": 1.0,
        "brier": pytest.approx(0.085),
        "log_loss": pytest.approx(0.3081, abs=1e-4),
        "calibration_error": pytest.approx(0.25),
        "precision": 1.0,
        "recall": 1.0,
        "selection_rate": 0.5,
        "positive_rate": 0.5,
        "baseline_brier": 0.25,
        "baseline_log_loss": pytest.approx(0.6931, abs=1e-4),
        "brier_skill": pytest.approx(0.66),
    }


def test_calibration_error_of_promises_kept_and_broken() -> None:
    generator = np.random.default_rng(2)
    scores = generator.random(20_000)
    labels = (generator.random(20_000) < scores).astype(float)
    assert evaluation.calibration_error(labels, scores, 10) < 0.015
    assert evaluation.calibration_error(labels, scores / 2, 10) == pytest.approx(0.25, abs=0.01)
