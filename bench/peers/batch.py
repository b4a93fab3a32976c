"""Batch scoring as pandas and scikit-learn do it: read the table, score it, write it."""

import sys

import joblib
import pandas as pd

from .features import MODEL, features, key, threshold


def main(source: str, target: str) -> None:
    """Score a Parquet file of raw columns; the answer holds the key, the score and the decision."""
    table = pd.read_parquet(source)
    scores = joblib.load(MODEL / "model.joblib").predict_proba(table[[feature.name for feature in features()]])[:, 1]
    answer = table[[key()]].assign(score=scores, decision=scores >= threshold())
    answer.to_parquet(target, index=False)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
