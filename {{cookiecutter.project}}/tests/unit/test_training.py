"""Metrics with their intervals, an export that says what the framework says, and all steps in order on the sample."""

import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from {{ cookiecutter.package }} import (
    bundle,
    data,
    evaluation,
    export,
    features,
    gates,
    golden,
    pipeline,
    scoring,
    training,
)
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.registry import Registry
from {{ cookiecutter.package }}.reports import Exported
from {{ cookiecutter.package }}.settings import Settings

import sample_project

SETTINGS = Settings.load(sample_project.root())
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
    assert evaluation.calibration_error(labels, scores, 10) < 0.01
    # The promise is wrong by half the score: the root mean square of uniform scores is 1/√3 of their greatest.
    assert evaluation.calibration_error(labels, scores / 2, 10) == pytest.approx(0.5 / 3**0.5, abs=0.01)


def test_calibration_error_of_few_rows_is_not_that_of_chance() -> None:
    generator = np.random.default_rng(4)
    found = []
    for _ in range(200):
        scores = generator.uniform(0.05, 0.5, 200)
        found.append(evaluation.calibration_error((generator.random(200) < scores).astype(float), scores, 10))
    # Not above the gate's limit more often than not, as the plain error is.
    assert np.mean(np.array(found) > 0.05) < 0.35
    assert np.median(found) < 0.03


CONTRACT = SETTINGS.contract
THRESHOLD = SETTINGS.training.costs.threshold


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    frame = data.load(CONTRACT, CONTRACT.source, SETTINGS.root).frame
    return frame[data.label(CONTRACT, frame).notna()].reset_index(drop=True)


@pytest.fixture(scope="module")
def model(rows: pd.DataFrame) -> Any:
    return training.fit(CONTRACT, SETTINGS.training, rows)


def outcome(found: Any) -> str:
    return gates.parity(Exported(found, 1, 1.0)).outcome


@pytest.mark.proof("The exported model scores every row as the trained one does")
def test_every_row_and_every_edge_row_agrees(rows: pd.DataFrame, model: Any) -> None:
    session = scoring.session(export.convert(CONTRACT, model))
    found = export.parity(CONTRACT, model, session, rows, THRESHOLD)
    assert (found.rows, found.flips, found.unexplained) == (len(rows), 0, 0)
    assert found.edge_rows > 2 * len(CONTRACT.features)
    assert outcome(found) == "passed"


def test_conversion_is_deterministic(model: Any) -> None:
    assert export.convert(CONTRACT, model) == export.convert(CONTRACT, model)


def test_graph_has_one_input_and_one_output(model: Any) -> None:
    session = scoring.session(export.convert(CONTRACT, model))
    assert [(entry.name, entry.type) for entry in session.get_inputs()] == [("features", "tensor(float)")]
    assert [(entry.name, entry.type) for entry in session.get_outputs()] == [("score", "tensor(float)")]


@pytest.mark.proof("A conversion to ONNX that is wrong is refused")
def test_native_categories_convert_wrongly_and_are_refused(rows: pd.DataFrame) -> None:
    """skl2onnx takes `categorical_features=` without complaint and is wrong: why parity is never skipped."""
    right = training.build(CONTRACT, SETTINGS.training)
    known = list(features.categories(CONTRACT))
    wrong = make_pipeline(
        right[0], HistGradientBoostingClassifier(random_state=0, categorical_features=list(range(len(known))))
    )
    wrong.fit(data.inputs(CONTRACT, rows), data.label(CONTRACT, rows).to_numpy())
    session = scoring.session(export.convert(CONTRACT, wrong))
    found = export.parity(CONTRACT, wrong, session, rows, THRESHOLD)
    assert found.unexplained > len(rows) / 10
    assert outcome(found) == "refused"


@pytest.mark.proof("A conversion to ONNX that is wrong is refused")
def test_one_changed_leaf_is_seen(rows: pd.DataFrame, model: Any) -> None:
    import onnx

    graph = onnx.load_from_string(export.convert(CONTRACT, model))
    trees = next(node for node in graph.graph.node if node.op_type == "TreeEnsembleClassifier")
    weights = next(attribute for attribute in trees.attribute if attribute.name == "class_weights")
    weights.floats[0] += 0.01
    found = export.parity(CONTRACT, model, scoring.session(graph.SerializeToString()), rows, THRESHOLD)
    assert found.unexplained > 0
    assert outcome(found) == "refused"


def test_model_survives_the_way_to_the_next_step(rows: pd.DataFrame, model: Any, tmp_path: Path) -> None:
    training.save(model, tmp_path)
    again = training.load(tmp_path)
    assert np.array_equal(training.scores(CONTRACT, again, rows), training.scores(CONTRACT, model, rows))


def test_a_model_file_with_code_in_it_is_refused(tmp_path: Path) -> None:
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    skops.io.dump({"model": warnings.warn}, tmp_path / training.MODEL)
    with pytest.raises(UntrustedTypesFoundException):
        training.load(tmp_path)


def test_golden_request_is_far_from_the_threshold(rows: pd.DataFrame, model: Any) -> None:
    made = golden.make(CONTRACT, export.convert(CONTRACT, model), rows.head(500), THRESHOLD)
    assert set(made["request"]) == set(CONTRACT.features)
    assert abs(made["score"] - THRESHOLD) > 0.1
    assert made["decision"] == (made["score"] >= THRESHOLD)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of its own: this one's configuration and sample, nothing trained yet."""
    return sample_project.write(tmp_path)


def train(root: Path) -> pipeline.Registered:
    return pipeline.run(Settings.load(root), "local", console=Console(quiet=True))


@pytest.mark.proof("The same seed and data give the same bundle, but for its time")
def test_two_trainings_give_the_same_bundle_but_for_its_time(project: Path) -> None:
    manifests = []
    for version in ("1", "2"):
        registered = train(project)
        assert registered.version == version
        folder = sorted((project / "artifacts" / "runs").iterdir())[-1] / "bundle"
        found = bundle.read(folder, registered.bundle_id)
        manifests.append(json.loads((folder / "manifest.json").read_text()))
        assert sorted(file.name for file in folder.iterdir()) == sorted([*bundle.FILES, "manifest.json"])
        assert found.manifest.metrics["auc"] == pytest.approx(0.683, abs=0.01)
    assert {key for key in manifests[0] if manifests[0][key] != manifests[1][key]} <= {"created"}
    plots = {"roc.png", "precision-recall.png", "calibration.png", "scores.png"}
    assert plots <= {file.name for file in (project / "artifacts" / "mlflow").rglob("*.png")}
    challenger = Registry(Settings.load(project).environment("local")).challenger()
    assert challenger is not None
    assert challenger.number == "2"


def test_a_refused_candidate_is_recorded_and_changes_nothing(project: Path) -> None:
    file = project / "config" / "gates.yaml"
    file.write_text(file.read_text().replace("min_auc: 0.6 ", "min_auc: 0.9 "))
    with pytest.raises(Refused, match=r"did not pass its gates: floor: AUC 0\.68"):
        train(project)
    assert not (project / "artifacts" / "store").exists()
    assert Registry(Settings.load(project).environment("local")).challenger() is None
    [verdicts] = (project / "artifacts" / "mlflow").rglob("verdicts.json")
    outcomes = {verdict["gate"]: verdict["outcome"] for verdict in json.loads(verdicts.read_text())["verdicts"]}
    assert outcomes["floor"] == "refused"
    assert list(outcomes.values()).count("refused") == 1


@pytest.mark.parametrize("rows", [40, 600])
def test_a_table_with_few_rows_is_refused_by_its_number_of_rows(project: Path, rows: int) -> None:
    sample = pd.read_parquet(project / "samples" / "flights.parquet").dropna(subset=["arr_delay"])
    few = sample.iloc[:: len(sample) // rows].head(rows)
    few.to_parquet(project / "few.parquet")
    with pytest.raises(Refused) as refused:
        pipeline.run(Settings.load(project), "local", "few.parquet", Console(quiet=True))
    assert re.search(r"rows: (positive )?(training|evaluation) rows: \d+", str(refused.value))
    assert not (project / "artifacts" / "store").exists()


def test_an_unknown_environment_is_refused_before_anything_is_written(project: Path) -> None:
    with pytest.raises(Refused, match=r"environment production: not in config/gates\.yaml: environments"):
        pipeline.run(Settings.load(project), "production")
    assert not (project / "artifacts").exists()
