"""The golden request: one row and its answer, which a server must reproduce before it is ready."""

from typing import Any

import numpy as np
import pandas as pd

from . import data, features, scoring
from .contract import Contract


def make(contract: Contract, model: bytes, frame: pd.DataFrame, threshold: float) -> dict[str, Any]:
    """Request, score and decision for the row of the frame whose score is furthest from the threshold.

    Another processor may give another last bit; far from the threshold that cannot flip the decision.
    """
    matrix = features.encode(contract, data.arrays(contract, frame))
    scores = scoring.scores(scoring.session(model), matrix)
    # Of the complete rows, as long as there are any.
    whole = ~np.isnan(matrix).any(axis=1)
    distance = np.abs(scores - threshold) + (whole if whole.any() else 0)
    row = int(np.argmax(distance))
    request = {name: _plain(frame[name].iloc[row]) for name in contract.features}
    # The answer is that of one row alone, as the server will compute it.
    score = float(scoring.scores(scoring.session(model), matrix[row : row + 1])[0])
    return {"request": request, "score": score, "decision": score >= threshold}


def _plain(value: Any) -> Any:
    """A value as a request holds it: JSON's own types, times with their offset."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value
