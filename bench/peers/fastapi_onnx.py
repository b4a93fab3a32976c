"""FastAPI + pydantic around the same ONNX file, bare: types checked, a score answered, nothing else.

`async def`, because a session of some 20 µs blocks the loop for less than FastAPI's thread hand-over costs.
"""

from typing import Any

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel, create_model

from .features import features, threshold
from .graph import positive, session

FEATURES, THRESHOLD, SESSION = features(), threshold(), session()
FIELDS: dict[str, Any] = {f.name: (f.type | None, None) if f.optional else (f.type, ...) for f in FEATURES}
Row = create_model("Row", **FIELDS)


class Prediction(BaseModel):
    """One row's answer."""

    score: float
    decision: bool


app = FastAPI()


@app.post("/predict")
async def predict(row: Row) -> Prediction:  # type: ignore[valid-type]
    """Score one row."""
    values = [[feature.code(getattr(row, feature.name)) for feature in FEATURES]]
    score = float(positive(SESSION.run(None, {"features": np.array(values, np.float32)}))[0])
    return Prediction(score=score, decision=score >= THRESHOLD)
