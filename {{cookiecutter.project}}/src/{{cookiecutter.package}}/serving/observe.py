"""What Prometheus sees. Counting is on the path of every request: plain integers, which a collector exports when asked."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from ..features import Matrix
from .predictor import Predictor, Scores
from .problems import KINDS
from .wire import Values

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Upper bounds of the latency histogram, in seconds."""

TOGETHER = 256
"""Rows that are counted at once: few enough to hold nobody up."""


class Described(NamedTuple):
    """What a metric is; the labels in the order in which their values are given."""

    type: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str


METRICS = {
    "inference_requests_total": Described(
        "counter", ("route", "status"), "Requests by route and status code (499: the client was gone)."
    ),
    "inference_request_duration_seconds": Described(
        "histogram", ("route",), "Seconds from the last header to the answer, by route."
    ),
    "inference_requests_in_flight": Described("gauge", (), "Requests under way."),
    "inference_rows_total": Described("counter", (), "Rows scored."),
    "inference_decisions_total": Described("counter", ("decision",), "Rows by decision (true, false)."),
    "inference_errors_total": Described(
        "counter", ("kind",), "Error answers by kind, as in the problem document's type, those to probes left out."
    ),
    "inference_feature_bin_total": Described(
        "counter", ("feature", "bin"), "Rows by input and bin of the reference profile: drift is computed from these."
    ),
    "inference_score_bin_total": Described("counter", ("bin",), "Rows by bin of the score."),
    "model_reference_bin_ratio": Described(
        "gauge", ("feature", "bin"), "Share of the training rows in each bin of each input."
    ),
    "model_reference_score_bin_ratio": Described(
        "gauge", ("bin",), "Share of the evaluation rows in each bin of the score."
    ),
    "model_info": Described(
        "gauge", ("name", "version", "bundle"), "1 for the model that is served, with its name, version and bundle id."
    ),
    "model_ready": Described("gauge", (), "1 when requests are answered, else 0."),
}
"""Every metric of our own; the standard process metrics come on top."""


STATUSES = (200, 400, 401, 405, 408, 413, 415, 422, 499, 500, 503)
COUNTED = [(route, status) for route in ("/v1/predict", "/v2/models/{name}/infer") for status in STATUSES]
"""The answers that alerts count, and what they compare them with: all that a prediction's request may be answered with."""


class Bins:
    """Counts values by the bins of one reference profile."""

    def __init__(self, profile: dict[str, Any]) -> None:
        self.ratios: Sequence[float] = profile["ratios"]
        self.category = profile.get("kind") == "category"
        numbered = [str(index) for index in range(len(self.ratios) - 1)]
        self.names = [*profile["values"], "other", "missing"] if self.category else [*numbered, "missing"]
        self.counts = [0] * len(self.names)
        self._edges = np.array(profile.get("edges", []), dtype=np.float64)
        self._positions: dict[Any, int] = {value: index for index, value in enumerate(profile.get("values", ()))}
        self._positions[None] = len(self.names) - 1
        self._other = len(self.names) - 2

    def add_values(self, values: Iterable[Any]) -> None:
        """Count categories as they came."""
        for value in values:
            self.counts[self._positions.get(value, self._other)] += 1

    def add_numbers(self, numbers: NDArray[np.floating[Any]]) -> None:
        """Count numbers; NaN is missing."""
        known = numbers[~np.isnan(numbers)]
        counted = np.bincount(np.searchsorted(self._edges, known, side="right"), minlength=len(self.counts) - 1)
        for index, count in enumerate(counted.tolist()):
            self.counts[index] += count
        self.counts[-1] += len(numbers) - len(known)


class Drift:
    """Counts what one model is asked and answers."""

    def __init__(self, predictor: Predictor) -> None:
        bins = predictor.reference["bins"]
        self.inputs = {name: Bins(profile) for name, profile in bins.items()}
        self.score = Bins(predictor.reference["score"])
        self._categories: list[tuple[Bins, int]] = []
        self._numbers: list[tuple[Bins, int]] = []
        position = 0
        for index, feature in enumerate(predictor.wire.features):
            names = [f"{feature.name}.{part}" for part in feature.column.parts] or [feature.name]
            for name in names:
                if found := self.inputs.get(name):
                    if found.category:
                        self._categories.append((found, index))
                    else:
                        self._numbers.append((found, position))
                position += 1
        # Copied, not kept: memory that each request leaves behind for a while costs the next ones their cache.
        self._matrix = np.empty((TOGETHER, position), dtype=np.float32)
        self._scores = np.empty(TOGETHER, dtype=np.float32)
        self._rows = 0

    def add(self, values: Values, matrix: Matrix, scores: Scores) -> None:
        """Take note of a request. Its numbers are counted with others': one at a time would cost as much as the prediction."""
        for bins, feature in self._categories:
            bins.add_values(values[feature])
        if self._rows + len(scores) > TOGETHER:
            self.count()
        if len(scores) > TOGETHER:
            self._count(matrix, scores)
            return
        start, self._rows = self._rows, self._rows + len(scores)
        self._matrix[start : self._rows] = matrix
        self._scores[start : self._rows] = scores

    def count(self) -> None:
        """Count what waits; called before the counts are read."""
        self._count(self._matrix[: self._rows], self._scores[: self._rows])
        self._rows = 0

    def _count(self, matrix: Matrix, scores: Scores) -> None:
        for bins, position in self._numbers:
            bins.add_numbers(matrix[:, position])
        self.score.add_numbers(scores)


class Metrics:
    """The counts of one server process."""

    def __init__(self, in_flight: Callable[[], int], ready: Callable[[], bool]) -> None:
        # From 0 on: what appears with its first error has not increased, and no alert would see a burst between two scrapes.
        self.requests: dict[tuple[str, int], int] = defaultdict(int, dict.fromkeys(COUNTED, 0))
        self.errors = dict.fromkeys(KINDS, 0)
        self.decisions = {True: 0, False: 0}
        self.drift: Drift | None = None
        self._predictor: Predictor | None = None
        self._durations: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
        self._seconds: dict[str, float] = defaultdict(float)
        self._in_flight, self._ready = in_flight, ready
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def serve(self, predictor: Predictor) -> None:
        """Begin to count for a model."""
        self._predictor, self.drift = predictor, Drift(predictor)

    def answered(self, route: str, status: int, seconds: float) -> None:
        self.requests[route, status] += 1
        self._durations[route][bisect_left(BUCKETS, seconds)] += 1
        self._seconds[route] += seconds

    def scored(self, values: Values, matrix: Matrix, scores: Scores, decisions: list[bool]) -> None:
        positive = sum(decisions)
        self.decisions[True] += positive
        self.decisions[False] += len(decisions) - positive
        assert self.drift is not None
        self.drift.add(values, matrix, scores)

    def page(self) -> bytes:
        """What /metrics answers."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Called by prometheus_client at each scrape."""
        yield _family("inference_requests_total", self.requests.items())
        yield _family("inference_errors_total", (((kind,), n) for kind, n in self.errors.items()))
        yield _family("inference_rows_total", [((), sum(self.decisions.values()))])
        decisions = (((str(decision).lower(),), n) for decision, n in self.decisions.items())
        yield _family("inference_decisions_total", decisions)
        yield self._latency()
        yield _family("inference_requests_in_flight", [((), self._in_flight())])
        yield _family("model_ready", [((), int(self._ready()))])
        yield from self._model()

    def _latency(self) -> Metric:
        name = "inference_request_duration_seconds"
        family = HistogramMetricFamily(name, METRICS[name].meaning, labels=METRICS[name].labels)
        for route, counts in self._durations.items():
            sums = [sum(counts[: index + 1]) for index in range(len(counts))]
            bounds = [*map(str, BUCKETS), "+Inf"]
            family.add_metric([route], list(zip(bounds, sums, strict=True)), self._seconds[route])
        return family

    def _model(self) -> Iterator[Metric]:
        if self._predictor is None or self.drift is None:
            return
        self.drift.count()
        labels = (self._predictor.manifest.name, self._predictor.version, self._predictor.id)
        yield _family("model_info", [(labels, 1)])
        inputs, score = self.drift.inputs.items(), self.drift.score
        counts = [((name, bin_), n) for name, bins in inputs for bin_, n in zip(bins.names, bins.counts, strict=True)]
        ratios = [((name, bin_), r) for name, bins in inputs for bin_, r in zip(bins.names, bins.ratios, strict=True)]
        names = [(name,) for name in score.names]
        yield _family("inference_feature_bin_total", counts)
        yield _family("model_reference_bin_ratio", ratios)
        yield _family("inference_score_bin_total", zip(names, score.counts, strict=True))
        yield _family("model_reference_score_bin_ratio", zip(names, score.ratios, strict=True))


def _family(name: str, samples: Iterable[tuple[tuple[Any, ...], float]]) -> Metric:
    """A counter or gauge with its samples: the values of its labels, and the number."""
    described = METRICS[name]
    kind: Any = CounterMetricFamily if described.type == "counter" else GaugeMetricFamily
    family = kind(name, described.meaning, labels=described.labels)
    for labels, value in samples:
        family.add_metric([str(label) for label in labels], value)
    result: Metric = family
    return result
