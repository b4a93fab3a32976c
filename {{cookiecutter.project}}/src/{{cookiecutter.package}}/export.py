"""From the framework's model to ONNX, and the proof that both say the same."""

import statistics
import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import data, features, scoring, training
from .contract import Contract
from .reports import Parity

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from sklearn.pipeline import Pipeline

Numbers = NDArray[np.float64]

TOLERANCE = 1e-6
"""Largest difference of scores that is no difference; the last bits of float32."""

UNSEEN = "\N{REPLACEMENT CHARACTER}unseen"
"""A category that no contract lists."""

OPSET = 18
_TIMED = 200


def convert(contract: Contract, model: "Pipeline") -> bytes:
    """The ONNX graph: input `features` float32 [rows, inputs] in the contract's order, output `score` float32 [rows]."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    width = len(features.input_names(contract))
    with warnings.catch_warnings():
        # skl2onnx 1.20 hands protobuf a bool where it wants an int: nothing that a user of the project could change.
        warnings.filterwarnings("ignore", "Field onnx.AttributeProto.ints", DeprecationWarning)
        graph = to_onnx(
            model[-1],
            initial_types=[("encoded", FloatTensorType([None, width]))],
            options={"zipmap": False},
            target_opset={"": OPSET, "ai.onnx.ml": 3},
        )
    return _with_ends(graph, _order(contract))


def parity(
    contract: Contract, model: "Pipeline", exported: "InferenceSession", frame: pd.DataFrame, threshold: float
) -> Parity:
    """Compare both on every row of the frame and on edge rows.

    A decision may flip only where the framework's score is within 1e-6 of the threshold; scores may differ by more than 1e-6
    only on rows with a value within one float32 step of a split value of the trees.
    """
    edges = edge_rows(contract, frame)
    rows = pd.concat([frame, edges], ignore_index=True)
    wanted = training.scores(contract, model, rows)
    matrix = features.encode(contract, data.arrays(contract, rows))
    given = scoring.scores(exported, matrix)
    difference = np.abs(wanted - given)
    differs = ~(difference <= TOLERANCE)  # a score that is no number differs
    flips = ((wanted >= threshold) != (given >= threshold)) & (np.abs(wanted - threshold) > TOLERANCE)
    near = _near_splits(matrix[differs], _splits(contract, model))
    return Parity(
        rows=len(frame),
        edge_rows=len(edges),
        flips=int(flips.sum()),
        near_splits=int(near.sum()),
        unexplained=int(differs.sum() - near.sum()),
        largest_difference=float(np.nan_to_num(difference, nan=1.0).max()),
    )


def edge_rows(contract: Contract, frame: pd.DataFrame) -> pd.DataFrame:
    """For each feature the first row with a missing value, an unseen category and both bounds in its place."""
    rows = []
    for name in contract.features:
        column = contract.columns[name]
        values: list[Any] = [None]
        if column.type == "category":
            values += [UNSEEN, column.categories[0], column.categories[-1]]
        elif column.numeric:
            values += [_within(frame[name], bound) for bound in column.bounds]
        for value in values:
            row = frame.iloc[[0]].copy()
            row[name] = pd.Series([value], index=row.index, dtype=frame[name].dtype)
            rows.append(row)
    return pd.concat(rows, ignore_index=True)


def milliseconds(exported: "InferenceSession", matrix: features.Matrix) -> float:
    """Median time of scoring one row."""
    times = []
    for row in range(_TIMED):
        start = time.perf_counter()
        scoring.scores(exported, matrix[row % len(matrix)][np.newaxis, :])
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def _order(contract: Contract) -> list[int]:
    """For each input of the fitted model, its place in the contract's order; the encoder puts categories first."""
    known = features.categories(contract)
    names = features.input_names(contract)
    fitted = [*known, *(name for name in names if name not in known)]
    return [names.index(name) for name in fitted]


def _with_ends(graph: Any, order: list[int]) -> bytes:
    """Take the contract's order in and give the positive class's probability out."""
    from onnx import TensorProto, checker, helper, numpy_helper

    body = graph.graph
    encoded, probabilities = body.input[0].name, body.output[1].name
    body.initializer.append(numpy_helper.from_array(np.array(order, dtype=np.int64), "order"))
    body.initializer.append(numpy_helper.from_array(np.array(1, dtype=np.int64), "positive"))
    body.node.insert(0, helper.make_node("Gather", [scoring.INPUT, "order"], [encoded], axis=1, name="order_inputs"))
    body.node.append(
        helper.make_node("Gather", [probabilities, "positive"], [scoring.OUTPUT], axis=1, name="pick_score")
    )
    del body.input[:], body.output[:]
    body.input.append(helper.make_tensor_value_info(scoring.INPUT, TensorProto.FLOAT, ["rows", len(order)]))
    body.output.append(helper.make_tensor_value_info(scoring.OUTPUT, TensorProto.FLOAT, ["rows"]))
    checker.check_model(graph, full_check=True)
    return bytes(graph.SerializeToString(deterministic=True))


def _splits(contract: Contract, model: "Pipeline") -> list[Numbers]:
    """For each input, in the contract's order, the values at which the trees split, sorted."""
    order = _order(contract)
    found: list[list[Numbers]] = [[] for _ in order]
    for trees in model[-1]._predictors:
        for tree in trees:
            nodes = tree.nodes[tree.nodes["is_leaf"] == 0]
            for fitted, place in enumerate(order):
                found[place].append(nodes["num_threshold"][nodes["feature_idx"] == fitted])
    return [np.unique(np.concatenate(values)) for values in found]


def _near_splits(matrix: features.Matrix, splits: list[Numbers]) -> NDArray[np.bool_]:
    near = np.zeros(len(matrix), dtype=bool)
    for place, values in enumerate(splits):
        if len(values):
            column = matrix[:, place].astype(np.float64)
            right = np.searchsorted(values, column).clip(1, max(len(values) - 1, 1))
            for neighbour in (values[(right - 1).clip(0)], values[right.clip(0, len(values) - 1)]):
                near |= np.abs(column - neighbour) <= np.spacing(np.abs(neighbour).astype(np.float32))
    return near


def _within(values: pd.Series, bound: float) -> float | int:
    """The bound, or for types whose range is the only bound the most extreme value that was seen."""
    seen = values.dropna()
    if abs(bound) < 2**53 or not len(seen):
        return int(bound) if float(bound).is_integer() else bound
    return float(seen.min() if bound < 0 else seen.max())
