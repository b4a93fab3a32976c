"""FastAPI + pydantic + joblib: the scikit-learn pipeline on a DataFrame of one row, as most tutorials serve it.

`def`, as FastAPI advises for code that blocks: the call runs in its thread pool.
"""

from typing import Any

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel, create_model

from .features import MODEL, features, threshold

FEATURES, THRESHOLD = features(), threshold()
PIPELINE = joblib.load(MODEL / "model.joblib")
FIELDS: dict[str, Any] = {f.name: (f.type | None, None) if f.optional else (f.type, ...) for f in FEATURES}
Row = create_model("Row", **FIELDS)


class Prediction(BaseModel):
    """One row's answer."""

    score: float
    decision: bool


app = FastAPI()


@app.post("/predict")
def predict(row: Row) -> Prediction:  # type: ignore[valid-type]
    """Score one row."""
    score = float(PIPELINE.predict_proba(pd.DataFrame([row.model_dump()]))[0, 1])  # type: ignore[attr-defined]
    return Prediction(score=score, decision=score >= THRESHOLD)
