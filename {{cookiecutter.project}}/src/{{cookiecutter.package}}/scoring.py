"""Ask an exported model: ONNX Runtime with the settings that a server needs as well."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .features import Matrix

if TYPE_CHECKING:
    import pandas as pd
    from onnxruntime import InferenceSession

    from .bundle import Bundle
    from .contract import Contract

INPUT, OUTPUT = "features", "score"
_CHUNK = 65_536


def session(model: bytes | Path, threads: int = 1) -> "InferenceSession":
    """A session of this many threads, which sleep while there is nothing to do."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # its errors arrive as exceptions; what it prints itself quotes values of a row
    content = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def scores(model: "InferenceSession", matrix: Matrix) -> NDArray[np.float64]:
    """The score of each row, [rows]; in chunks, so that memory stays bounded."""
    parts = [
        model.run([OUTPUT], {INPUT: matrix[start : start + _CHUNK]})[0]
        for start in range(0, max(len(matrix), 1), _CHUNK)
    ]
    return np.concatenate(parts).astype(np.float64)


def bundle_scores(bundle: "Bundle", frame: "pd.DataFrame") -> NDArray[np.float64]:
    """The scores that a bundle gives the rows of a frame, by its own contract."""
    from . import data, features

    contract = _contract(bundle)
    return scores(session(bundle.folder / "model.onnx"), features.encode(contract, data.arrays(contract, frame)))


def incomparable(bundle: "Bundle", contract: "Contract") -> str | None:
    """Why a bundle cannot score rows of this contract, if it cannot: it asks for a feature that they have not."""
    asked, given = _contract(bundle).columns, contract.columns
    missing = [name for name in _contract(bundle).features if name not in given or given[name].type != asked[name].type]
    return f"bundle {bundle.id[:12]} asks for {missing[0]}, which the data has not" if missing else None


def _contract(bundle: "Bundle") -> "Contract":
    from .contract import Contract

    return Contract.from_json((bundle.folder / "contract.json").read_bytes())
