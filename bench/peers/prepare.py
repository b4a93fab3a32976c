"""What both sides are asked, made in the project's environment: model files, real rows with scores, a large table.

Run as `python -m bench.peers.prepare BUNDLE MODEL.SKOPS SAMPLE OUTPUT`.
"""

import json
import shutil
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import skops.io
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

from ..rows import BATCH_ROWS

REQUESTS = 256
SEED = 20131


def main(bundle: Path, model: Path, sample: Path, output: Path) -> None:
    """Fill the output folder: the bundle's files, model.joblib, requests.json and batch.parquet."""
    output.mkdir(parents=True, exist_ok=True)
    for name in ("contract.json", "manifest.json", "model.onnx"):
        shutil.copyfile(bundle / name, output / name)
    trusted = [f"{TreePredictor.__module__}.{TreePredictor.__qualname__}"]
    pipeline = skops.io.load(model, trusted=trusted)
    joblib.dump(pipeline, output / "model.joblib")
    columns = json.loads((output / "contract.json").read_text())["columns"]
    features = [name for name, column in columns.items() if "feature" in column.get("roles", [])]
    key = next((name for name, column in columns.items() if "key" in column.get("roles", [])), None)
    table = pd.read_parquet(sample)
    rows = table.dropna(subset=features).sample(REQUESTS, random_state=SEED)[features]
    scores = pipeline.predict_proba(rows)[:, 1]
    requests = {"rows": json.loads(rows.to_json(orient="records", double_precision=15)), "scores": scores.tolist()}
    (output / "requests.json").write_text(json.dumps(requests))
    large(table, key, features).to_parquet(output / "batch.parquet", index=False)


def large(table: pd.DataFrame, key: str | None, features: list[str]) -> pd.DataFrame:
    """Two million rows: the sample again and again, every key its own."""
    repeated = table[features].iloc[np.resize(np.arange(len(table)), BATCH_ROWS)].reset_index(drop=True)
    repeated.insert(0, key or "key", [f"row-{number:07d}" for number in range(BATCH_ROWS)])
    return repeated


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:5]))
