"""A bundle whose model is plain arithmetic (score = `count` / 100), and tables for it."""

import gzip
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from onnx import TensorProto, helper, numpy_helper
from pyarrow import csv

from {{ cookiecutter.package }} import batch, bundle, scoring
from {{ cookiecutter.package }}.contract import Contract

from .store_helpers import FILES, fields

CONTRACT = Contract(
    task="binary",
    source="rows.csv",
    purpose="test",
    retention="none",
    zone="Europe/Zurich",
    label={"equals": True},
    columns={
        "id": {"type": "text", "roles": ("key",)},
        "late": {"type": "bool", "roles": ("label",)},
        "at": {"type": "timestamp", "roles": ("time",)},
        "count": {"type": "uint8", "roles": ("feature",), "max": 100},
        "size": {"type": "float32", "roles": ("feature",), "min": -1, "max": 1, "missing": 0.25},
        "kind": {"type": "category", "roles": ("feature",), "categories": ("b", "a"), "unknown": 0.25},
        "colour": {"type": "category", "roles": ("feature",), "categories": ("red", "blue"), "missing": 0.25},
        "seen": {"type": "timestamp", "roles": ("feature",), "parts": ("weekday", "hour")},
        "open": {"type": "bool", "roles": ("feature",)},
    },
)


def make_bundle(folder: Path, contract: Contract = CONTRACT) -> bundle.Bundle:
    """Write the bundle; its threshold is 0.5."""
    graph = helper.make_graph(
        [
            helper.make_node("Gather", [scoring.INPUT, "count"], ["column"], axis=1),
            helper.make_node("Div", ["column", "hundred"], [scoring.OUTPUT]),
        ],
        "count",
        [helper.make_tensor_value_info(scoring.INPUT, TensorProto.FLOAT, ["rows", 7])],
        [helper.make_tensor_value_info(scoring.OUTPUT, TensorProto.FLOAT, ["rows"])],
        [numpy_helper.from_array(np.array(0, dtype=np.int64), "count")],
    )
    graph.initializer.append(helper.make_tensor("hundred", TensorProto.FLOAT, [], [100.0]))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    files = FILES | {"model.onnx": model.SerializeToString(), "contract.json": contract.to_json()}
    bundle.write(folder, fields(), files)
    return bundle.read(folder)


def rows(number: int, **columns: list[Any]) -> pa.Table:
    """So many good rows, with columns of your own; the label and a column that no one knows are among them."""
    start = datetime(2026, 6, 1, 8)
    return pa.table(
        {
            "note": ["not for the model"] * number,
            "id": [f"row {index}" for index in range(number)],
            "at": [start + timedelta(hours=index) for index in range(number)],
            "count": pa.array([index % 101 for index in range(number)], pa.int64()),
            "size": [0.5] * number,
            "kind": ["ab"[index % 2] for index in range(number)],
            "colour": ["red"] * number,
            "seen": [start + timedelta(minutes=index) for index in range(number)],
            "open": [True] * number,
        }
        | columns
    )


def written(table: pa.Table, path: Path) -> str:
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return str(path)
    options = csv.WriteOptions(delimiter=";" if path.stem == "semicolon" else ",")
    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink, options)
    content = b"\xef\xbb\xbf" + sink.getvalue().to_pybytes().replace(b"\n", b"\r\n")
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return str(path)


def read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    with pa.input_stream(str(path), compression="detect") as stream:
        return csv.read_csv(stream)


def predict(folder: Path, table: pa.Table, part_rows: int = 64, contract: Contract = CONTRACT) -> batch.Predicted:
    source = written(table, folder / "rows.parquet")
    bundle_ = make_bundle(folder / "bundle", contract)
    return batch.predict_with(bundle_, source, str(folder / "scores.parquet"), part_rows)
