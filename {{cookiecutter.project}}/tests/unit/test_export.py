"""The exported model says what the framework's says, and a conversion that does not is seen."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline

from {{ cookiecutter.package }} import data, export, features, gates, golden, scoring, training
from {{ cookiecutter.package }}.reports import Exported
from {{ cookiecutter.package }}.settings import Settings

SETTINGS = Settings.load(Path(__file__).parents[2])
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
