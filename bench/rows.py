"""The rows of the page: what is measured, the bound it must reach, and how the two sides differ. Pure: no I/O."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

REPETITIONS = 5
SERVING_REPETITIONS = 11  # each takes seconds, and a ratio of two short runs is noisy
BATCH_ROWS = 2_000_000
Samples = dict[str, list[float]]
"""Repetitions by name."""


@dataclass(frozen=True)
class Bound:
    """A limit that the median of the repetitions must keep."""

    sign: str
    limit: float
    unit: str

    def met(self, value: float) -> bool:
        """Whether a value keeps the bound."""
        return value <= self.limit if self.sign == "≤" else value >= self.limit

    def __str__(self) -> str:
        return f"{self.sign} {show(self.limit, self.unit)}"


@dataclass(frozen=True)
class Row:
    """One line of the page; `repetitions` is lower only where one run already takes minutes."""

    key: str
    what: str
    bound: Bound
    differs: str
    repetitions: int = REPETITIONS


@dataclass(frozen=True)
class Figure:
    """One row's repetitions, compared with its bound."""

    row: Row
    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        """What the bound is held against."""
        return statistics.median(self.samples)

    @property
    def met(self) -> bool:
        """Whether there are enough repetitions and their median keeps the bound."""
        return len(self.samples) >= self.row.repetitions and self.row.bound.met(self.median)


def show(value: float, unit: str) -> str:
    """A number as the page prints it: three digits, a unit."""
    digits = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
    return f"{digits}{unit}" if unit in ("×", "/s") else f"{digits} {unit}"


def figures(samples: Mapping[str, Sequence[float]]) -> list[Figure]:
    """The rows that were measured, in the page's order."""
    return [Figure(row, tuple(samples[row.key])) for row in ROWS if samples.get(row.key)]


def ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """Repetition by repetition: both sides of one repetition ran within seconds of each other."""
    return [a / b for a, b in zip(over, under, strict=True)]


ROWS = (
    Row(
        "generate",
        "generate a project",
        Bound("≤", 1, "s"),
        "`cookiecutter --no-input` on the work tree, interpreter start included; no peer",
    ),
    Row(
        "pipeline",
        "local pipeline run with the sample",
        Bound("≤", 30, "s"),
        "the compiled pipeline under `kfp.local`, all steps from load to register; no peer. "
        "kfp's share is the difference to `python -m <package> pipeline`, the same steps without kfp",
    ),
    Row(
        "joblib",
        "CPU per single-row request, 64 connections: FastAPI + pydantic + joblib ÷ ours",
        Bound("≥", 50, "×"),
        "same trained model: there the scikit-learn pipeline on a DataFrame of one row, here its ONNX export. "
        "There bare, here all production features. Most of the gap is pandas and scikit-learn, not the web framework: "
        "see the rows below",
    ),
    Row(
        "mlserver",
        "CPU per single-row request, 64 connections: MLServer ÷ ours",
        Bound("≥", 4, "×"),
        "same ONNX file, same Open Inference Protocol. MLServer gets the tensor already encoded and checks no column; "
        "its ONNX runtime is a custom one (it ships none); no worker processes, compression or access log; metrics on. "
        "Ours takes the raw columns, checks and encodes them, all production features on, and scores requests of the same "
        "moment in one run; MLServer's adaptive batching, which waits for company, is off as it is by default",
    ),
    Row(
        "fastapi-bare",
        "CPU per single-row request, 64 connections: FastAPI + pydantic + ONNX ÷ ours bare",
        Bound("≥", 2, "×"),
        "same ONNX file and session options, same row, both bare: there types checked and a score answered, here every value "
        "checked against the contract. There one run of the model for each request, here one for those of the same moment",
    ),
    Row(
        "fastapi-full",
        "CPU per single-row request, 64 connections: FastAPI + pydantic + ONNX ÷ ours",
        Bound("≥", 1.6, "×"),
        "as in the row above, but that ours has all production features",
    ),
    Row(
        "latency",
        "median latency, 1 connection: FastAPI + pydantic + joblib ÷ ours",
        Bound("≥", 15, "×"),
        "as in the row on CPU: same trained model, there bare, here all production features; loopback, no network",
    ),
    Row(
        "features",
        "production features: CPU per request, ours ÷ ours bare",
        Bound("≤", 1.5, "×"),
        "the same code reads, checks, scores together and encodes. Ours adds API key, limits, metrics with drift bins, ids and "
        "the model's name in the answer, access log and prediction log, both written to a file",
    ),
    Row(
        "ready",
        "start to ready",
        Bound("≤", 1.5, "s"),
        "from the start of the process to the first 200 of `/v2/health/ready`: bundle verified, golden request "
        "answered; files in the page cache; no peer",
    ),
    Row(
        "memory",
        "memory of the serving process",
        Bound("≤", 110, "MB"),
        "proportional set size (PSS) after the runs with 64 connections; no peer",
    ),
    Row(
        "batch-rate",
        "batch scoring, 2 million rows: rows/s, ours ÷ pandas + scikit-learn",
        Bound("≥", 2, "×"),
        "same trained model, Parquet in, Parquet out, all cores on both sides, start and model loading in it. "
        "There `read_parquet`, `predict_proba`, `to_parquet`, nothing checked; here every row against the contract. The "
        "champion is known from an earlier run: asking MLflow takes 2 to 3 s more, after each change of its registry",
    ),
    Row(
        "batch-memory",
        "batch scoring, 2 million rows: peak memory, ours ÷ pandas + scikit-learn",
        Bound("≤", 1 / 3, "×"),
        "the same runs: peak resident memory of the process; ours streams in chunks",
    ),
    Row(
        "test",
        "`make test` with a warm package cache",
        Bound("≤", 15, "min"),
        "the last green run of `make test`, which records its time; environments are set up before; no peer",
        repetitions=1,
    ),
)
