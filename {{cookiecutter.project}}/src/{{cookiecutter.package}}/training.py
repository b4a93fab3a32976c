"""The model: how it is built, fitted, kept between two steps, and asked. To use another model, change this file."""

import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import data, features
from .contract import Contract
from .settings import Training

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Numbers = NDArray[np.float64]

MODEL = "model.skops"
# What skops does not know as harmless by itself; any other type in the file is refused.
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


def build(contract: Contract, settings: Training) -> "Pipeline":
    """The scikit-learn pipeline, not fitted: takes the table of `data.inputs`."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    known = features.categories(contract)
    # NaN for what is unknown or missing: the trees learn where such rows go. Never `categorical_features=`: its
    # conversion to ONNX is wrong without a word.
    encoder = OrdinalEncoder(
        categories=[list(values) for values in known.values()],
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        dtype=np.float32,
    )
    passed = [name for name in features.input_names(contract) if name not in known]
    # Categories come first; the exported graph takes the contract's order and puts them first itself.
    columns = ColumnTransformer([("categories", encoder, list(known)), ("numbers", "passthrough", passed)])
    model = HistGradientBoostingClassifier(
        max_iter=settings.model.max_iterations,
        learning_rate=settings.model.learning_rate,
        max_leaf_nodes=settings.model.max_leaf_nodes,
        min_samples_leaf=settings.model.min_rows_per_leaf,
        l2_regularization=settings.model.l2,
        early_stopping=False,
        random_state=settings.seed,
    )
    return make_pipeline(columns, model)


def fit(contract: Contract, settings: Training, frame: pd.DataFrame) -> "Pipeline":
    """A model fitted to the rows of a frame, all of which have a label."""
    model = build(contract, settings)
    model.fit(data.inputs(contract, frame), data.label(contract, frame).to_numpy())
    return model


def scores(contract: Contract, model: "Pipeline", frame: pd.DataFrame) -> Numbers:
    """The framework's own probability of the positive class, for each row."""
    return np.asarray(model.predict_proba(data.inputs(contract, frame))[:, 1], dtype=np.float64)


def versions() -> dict[str, str]:
    """The versions of everything that shapes the numbers of a model."""
    shaping = ("numpy", "onnx", "onnxruntime", "pandas", "scikit-learn", "skl2onnx")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in shaping}}


def save(model: "Pipeline", folder: Path) -> None:
    """Keep a fitted model for the next step, without pickle."""
    import skops.io

    folder.mkdir(parents=True, exist_ok=True)
    skops.io.dump(model, folder / MODEL)


def load(folder: Path) -> "Pipeline":
    """The model that `save` kept; a file that holds any other type is refused by skops."""
    import skops.io

    return skops.io.load(folder / MODEL, trusted=TRUSTED)
