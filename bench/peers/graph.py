"""The ONNX session as every peer opens it: one thread, as the project's server does."""

import os

import numpy as np
import onnxruntime as ort

from .features import MODEL


def session() -> ort.InferenceSession:
    """A session on the CPU with the thread count that the harness sets for all."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(MODEL / "model.onnx", options, providers=["CPUExecutionProvider"])


def positive(outputs: list[np.ndarray]) -> np.ndarray:
    """The positive class's probability of each row, whichever way the graph's last output is shaped."""
    scores = outputs[-1]
    return scores[:, -1] if scores.ndim == 2 else scores
