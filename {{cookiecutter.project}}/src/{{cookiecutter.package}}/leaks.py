"""Features that know too much: how well each one alone tells the label."""

import numpy as np
import pandas as pd

from . import data, features
from .contract import Contract


def single_feature_auc(contract: Contract, frame: pd.DataFrame) -> dict[str, float]:
    """For each feature the AUC, .5 to 1, of its best input alone on the labelled rows; empty where there is one class."""
    from sklearn.metrics import roc_auc_score

    labels = data.label(contract, frame)
    labelled = frame[labels.notna()]
    known = labels.dropna().to_numpy()
    if not 0 < known.sum() < len(known):
        return {}
    matrix = features.encode(contract, data.arrays(contract, labelled))
    categories = features.categories(contract)
    found: dict[str, float] = {}
    for name, values in zip(features.input_names(contract), matrix.T, strict=True):
        # Categories have no order of their own: they are ordered by their rate of positives, missing ones among them.
        ordered = (
            _rates(values, known) if name in categories else np.nan_to_num(values, nan=float(np.finfo(np.float32).min))
        )
        auc = float(roc_auc_score(known, ordered))
        feature = name.partition(".")[0] if name not in contract.columns else name
        found[feature] = max(found.get(feature, 0.5), auc, 1 - auc)
    return found


def _rates(values: features.Array, labels: features.Array) -> features.Array:
    groups = pd.Series(values).fillna(-1)
    return np.asarray(pd.Series(labels).groupby(groups).transform("mean"))
