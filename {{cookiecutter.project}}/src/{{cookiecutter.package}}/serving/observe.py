"""What Prometheus sees. Counting is on the path of every request: plain integers, which a collector exports when asked."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from ..features import Matrix
from .predictor import Predictor
from .wire import Values

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Upper bounds of the latency histogram, in seconds."""

METRICS = {
    "inference_requests_total": "Requests by route and status code (499: the client was gone).",
    "inference_request_duration_seconds": "Time from the last header to the answer, by route.",
    "inference_requests_in_flight": "Requests under way.",
    "inference_rows_total": "Rows scored.",
    "inference_decisions_total": "Rows by decision.",
    "inference_errors_total": "Error answers by kind, as in the problem document's type.",
    "inference_feature_bin_total": "Rows by input and bin of the reference profile: drift is computed from these.",
    "inference_score_bin_total": "Rows by bin of the score.",
    "model_reference_bin_ratio": "Share of the training rows in each bin of each input.",
    "model_reference_score_bin_ratio": "Share of the evaluation rows in each bin of the score.",
    "model_info": "1 for the model that is served, with its name, version and bundle id.",
    "model_ready": "1 when requests are answered, else 0.",
}
"""Every metric of our own, with its meaning; the standard process metrics come on top."""


class Bins:
    """Counts values by the bins of one reference profile."""

    def __init__(self, profile: dict[str, Any]) -> None:
        self.ratios: Sequence[float] = profile["ratios"]
        self.category = profile.get("kind") == "category"
        numbered = [str(index) for index in range(len(self.ratios) - 1)]
        self.names = [*profile["values"], "other", "missing"] if self.category else [*numbered, "missing"]
        self.counts = [0] * len(self.names)
        self._edges: list[float] = profile.get("edges", [])
        self._positions: dict[Any, int] = {value: index for index, value in enumerate(profile.get("values", ()))}
        self._positions[None] = len(self.names) - 1
        self._other = len(self.names) - 2

    def add_values(self, values: Iterable[Any]) -> None:
        """Count categories as they came."""
        for value in values:
            self.counts[self._positions.get(value, self._other)] += 1

    def add_numbers(self, numbers: Iterable[float]) -> None:
        """Count numbers; NaN is missing."""
        for number in numbers:
            self.counts[bisect_right(self._edges, number) if number == number else -1] += 1


class Drift:
    """Counts what one model is asked and answers."""

    def __init__(self, predictor: Predictor) -> None:
        bins = predictor.reference["bins"]
        self.inputs = {name: Bins(profile) for name, profile in bins.items()}
        self.score = Bins(predictor.reference["score"])
        self._plan: list[tuple[Callable[[Any], None], int | None, int]] = []
        position = 0
        for index, feature in enumerate(predictor.wire.features):
            names = [f"{feature.name}.{part}" for part in feature.column.parts] or [feature.name]
            for name in names:
                if found := self.inputs.get(name):
                    add = found.add_values if found.category else found.add_numbers
                    self._plan.append((add, index if found.category else None, position))
                position += 1

    def add(self, values: Values, matrix: Matrix, scores: list[float]) -> None:
        columns = matrix.T.tolist()
        for add, feature, position in self._plan:
            add(columns[position] if feature is None else values[feature])
        self.score.add_numbers(scores)


class Metrics:
    """The counts of one server process."""

    def __init__(self, in_flight: Callable[[], int], ready: Callable[[], bool]) -> None:
        self.requests: dict[tuple[str, int], int] = defaultdict(int)
        self.errors: dict[str, int] = defaultdict(int)
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

    def scored(self, values: Values, matrix: Matrix, scores: list[float], decisions: list[bool]) -> None:
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
        yield _counter("inference_requests_total", ("route", "status"), ((key, n) for key, n in self.requests.items()))
        yield _counter("inference_errors_total", ("kind",), (((kind,), n) for kind, n in self.errors.items()))
        yield _counter("inference_rows_total", (), [((), sum(self.decisions.values()))])
        decisions = (((str(decision).lower(),), n) for decision, n in self.decisions.items())
        yield _counter("inference_decisions_total", ("decision",), decisions)
        yield self._latency()
        yield _gauge("inference_requests_in_flight", (), [((), self._in_flight())])
        yield _gauge("model_ready", (), [((), int(self._ready()))])
        yield from self._model()

    def _latency(self) -> Metric:
        name = "inference_request_duration_seconds"
        family = HistogramMetricFamily(name, METRICS[name], labels=["route"])
        for route, counts in self._durations.items():
            sums = [sum(counts[: index + 1]) for index in range(len(counts))]
            bounds = [*map(str, BUCKETS), "+Inf"]
            family.add_metric([route], list(zip(bounds, sums, strict=True)), self._seconds[route])
        return family

    def _model(self) -> Iterator[Metric]:
        if self._predictor is None or self.drift is None:
            return
        labels = (self._predictor.manifest.name, self._predictor.version, self._predictor.id)
        yield _gauge("model_info", ("name", "version", "bundle"), [(labels, 1)])
        inputs, score = self.drift.inputs.items(), self.drift.score
        counts = [((name, bin_), n) for name, bins in inputs for bin_, n in zip(bins.names, bins.counts, strict=True)]
        ratios = [((name, bin_), r) for name, bins in inputs for bin_, r in zip(bins.names, bins.ratios, strict=True)]
        yield _counter("inference_feature_bin_total", ("feature", "bin"), counts)
        yield _gauge("model_reference_bin_ratio", ("feature", "bin"), ratios)
        yield _counter(
            "inference_score_bin_total", ("bin",), zip(((name,) for name in score.names), score.counts, strict=True)
        )
        yield _gauge(
            "model_reference_score_bin_ratio",
            ("bin",),
            zip(((name,) for name in score.names), score.ratios, strict=True),
        )


Samples = Iterable[tuple[tuple[Any, ...], float]]


def _counter(name: str, labels: Sequence[str], samples: Samples) -> Metric:
    return _filled(CounterMetricFamily(name, METRICS[name], labels=labels), samples)


def _gauge(name: str, labels: Sequence[str], samples: Samples) -> Metric:
    return _filled(GaugeMetricFamily(name, METRICS[name], labels=labels), samples)


def _filled(family: Any, samples: Samples) -> Metric:
    for labels, value in samples:
        family.add_metric([str(label) for label in labels], value)
    result: Metric = family
    return result
