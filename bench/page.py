"""docs/reference/performance.md as text. Pure: what was measured comes in, Markdown goes out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from .rows import Figure, Samples, figures, ratios, show

HEAD = """\
# Performance

Written by `make bench`; do not edit. Both sides of a comparison run interleaved, repetition by repetition, on a machine
that is otherwise idle, and the bound is held against the median. Server and load generator have a core each, and only
the server's process tree counts. Every server is one process with one thread for the model, and before the first
repetition each is shown to give the model's scores for the same rows.

Measured with release {release} on {day}: {machine}.

| what | must reach | median | min … max | what differs |
|---|---|---|---|---|
"""
SERVERS = """
## The servers

| server | CPU per request, 64 connections | requests/s | median latency, 1 connection | memory (PSS) |
|---|---|---|---|---|
"""
OTHERS = """
## More of the same runs

| what | median | min … max |
|---|---|---|
"""
CLUSTER = """
## In a cluster

The same server, bundle and row, one connection: as a process beside the load generator, and as pods behind a Service of a
cluster on the same machine, asked through its NodePort. Measured by `make test-cluster`, interleaved, both pods running.

| what | bare process | Service and pod | min … max |
|---|---|---|---|
"""
VERSIONS = """
## Versions

| environment | packages |
|---|---|
"""
UNITS = {"cpu": ("µs", 1e6), "rate": ("/s", 1), "latency": ("µs", 1e6), "memory": ("MB", 1)}


@dataclass(frozen=True)
class Facts:
    """When, where and of what the figures are."""

    release: str
    day: str
    machine: str


@dataclass
class Measured:
    """What the measurements gave: samples of the rows, the servers' own figures, and what explains a row."""

    samples: Samples = field(default_factory=dict)
    servers: Mapping[str, Samples] = field(default_factory=dict)
    others: dict[str, tuple[Sequence[float], str]] = field(default_factory=dict)
    versions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    cluster: Samples = field(default_factory=dict)
    """Median latencies in microseconds by side, repetition by repetition; empty where no cluster was measured."""

    def add_pipeline(self, found: Samples) -> None:
        """The compiled pipeline, and what kfp adds to the steps."""
        self.samples["pipeline"] = found["compiled"]
        self.others["the same steps without kfp"] = (found["direct"], "s")
        added = [whole - steps for whole, steps in zip(found["compiled"], found["direct"], strict=True)]
        self.others["kfp's share of the pipeline run"] = (added, "s")

    def add_serving(self, found: Mapping[str, Samples]) -> None:
        """CPU ratios, latency ratio and memory; the clients of the same server are told apart by the protocol."""
        self.servers = found
        ours, tensors = found["ours"], found["ours, Open Inference Protocol"]
        joblib, fastapi, bare = (
            found["FastAPI + pydantic + joblib"],
            found["FastAPI + pydantic + ONNX"],
            found["ours, bare"],
        )
        self.samples |= {
            "joblib": ratios(joblib["cpu"], ours["cpu"]),
            "mlserver": ratios(found["MLServer + ONNX"]["cpu"], tensors["cpu"]),
            "fastapi-bare": ratios(fastapi["cpu"], bare["cpu"]),
            "fastapi-full": ratios(fastapi["cpu"], ours["cpu"]),
            "latency": ratios(joblib["latency"], ours["latency"]),
            "features": ratios(ours["cpu"], bare["cpu"]),
            "memory": ours["memory"],
        }

    def add_batch(self, found: Samples) -> None:
        """Ratios of both sides, and their own figures."""
        self.samples["batch-rate"] = ratios(found["our rate"], found["their rate"])
        self.samples["batch-memory"] = ratios(found["our memory"], found["their memory"])
        for side, name in (("our", "`predict`"), ("their", "pandas + scikit-learn")):
            self.others[f"batch scoring, {name}"] = (found[f"{side} rate"], "rows/s")
            self.others[f"batch scoring, {name}: peak memory"] = (found[f"{side} memory"], "MB")


def render(found: Measured, facts: Facts) -> str:
    """The whole page."""
    return "".join(
        (
            HEAD.format(release=facts.release, day=facts.day, machine=facts.machine),
            _lines(_figure(figure) for figure in figures(found.samples)),
            SERVERS,
            _lines(_server(name, samples) for name, samples in found.servers.items()),
            OTHERS,
            _lines(
                f"| {name} | {show(median(each), unit)} | {_spread(each, unit)} |"
                for name, (each, unit) in found.others.items()
            ),
            *_cluster(found.cluster),
            VERSIONS,
            _lines(f"| {name} | {_packages(packages)} |" for name, packages in found.versions.items()),
        )
    )


def _figure(figure: Figure) -> str:
    row, unit = figure.row, figure.row.bound.unit
    reached = show(figure.median, unit) + ("" if figure.met else " **missed**")
    return f"| {row.what} | {row.bound} | {reached} | {_spread(figure.samples, unit)} | {row.differs} |"


def _server(name: str, samples: Samples) -> str:
    cells = (show(median(samples[key]) * factor, unit) for key, (unit, factor) in UNITS.items())
    return f"| {name} | {' | '.join(cells)} |"


def _cluster(samples: Samples) -> Iterator[str]:
    if not samples:
        return
    bare, pods = samples["bare"], samples["pods"]
    added = ratios(pods, bare)
    yield CLUSTER
    yield f"| median latency | {show(median(bare), 'µs')} | {show(median(pods), 'µs')} | {_spread(pods, 'µs')} |\n"
    yield f"| ratio | 1 | {show(median(added), '×')} | {_spread(added, '×')} |\n"


def _spread(samples: Sequence[float], unit: str) -> str:
    return f"{show(min(samples), unit)} … {show(max(samples), unit)}"


def _packages(packages: Mapping[str, str]) -> str:
    return ", ".join(f"{package} {version}" for package, version in packages.items())


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
