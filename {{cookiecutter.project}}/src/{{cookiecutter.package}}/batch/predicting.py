"""Read, check, score and write one part of a table after the other."""

import os
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import advice, scoring, staging
from .. import bundle as bundles
from ..contract import Contract
from ..errors import Refused
from ..features import input_names
from ..registry import Version, champion_of, state
from ..settings import Settings
from .columns import Inputs, Wrong, inputs
from .files import check_paths, created, opened
from .progress import Report, progress

SCORE, DECISION, BUNDLE = "score", "decision", "bundle_id"


@dataclass(frozen=True)
class Predicted:
    """What was done."""

    rows: int
    flagged: int
    bundle_id: str


def predict(settings: Settings, environment: str, source: str, output: str) -> Predicted:
    """Score a Parquet or CSV file with an environment's champion, in the order of its rows, and show how far it is.

    The output holds the key and time columns that the input has, score, decision and bundle id. It appears whole, or not at all.
    """
    check_paths(source, output)
    champion = _champion(settings, environment)
    if champion is None:
        raise Refused(f"environment {environment} has no champion yet: {advice.first_model(settings, environment)}")
    folder = settings.artifacts / "champions" / champion.bundle_id
    bundle = bundles.fetch(champion.uri, folder, champion.bundle_id)
    with progress("predict") as report:
        return predict_with(bundle, source, output, settings.serving.batch.rows, report)


def predict_with(
    bundle: bundles.Bundle, source: str, output: str, part_rows: int, report: Report | None = None
) -> Predicted:
    """Score a file with a bundle, so many rows at once."""
    check_paths(source, output)
    scorer, seen = Scorer(bundle, source), Seen()
    with opened(Path(source), source, part_rows) as table:
        kept = scorer.kept(table.names)
        few = [name for name in scorer.contract.features if scorer.contract.columns[name].type == "category"]
        parts = table.parts(list(dict.fromkeys([*kept, *scorer.contract.features])), few)
        first = next(parts, None)
        if first is None:
            raise Refused(f"{source}: there is a header but no row; give a table with rows")
        with created(Path(output), output, scorer.schema(first[0], kept)) as writer:
            for scored, done in _in_order(scorer, chain([first], parts)):
                writer.write_batch(scorer.output(scored, kept))
                seen.add(scored)
                if report is not None:
                    report(done, seen.rows)
            scorer.check_shares(seen)
    return Predicted(seen.rows, seen.flagged, bundle.id)


class Known(msgspec.Struct, frozen=True):
    """The registry's last answer, and what the registry looked like then."""

    state: str
    champion: Version


def _champion(settings: Settings, name: str) -> Version | None:
    """Ask the registry, in a process of its own, since MLflow holds its memory to the end; not again while it has not changed."""
    environment, file = settings.environment(name), settings.artifacts / "champions" / f"{name}.json"
    now = state(environment)  # before it is asked: what changes meanwhile is seen the next time
    known = _read(file)
    if known is not None and known.state == now:
        return known.champion
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        asked = process.submit(champion_of, environment)
        import onnxruntime  # noqa: F401 - while we wait

        champion = asked.result()
    if champion is not None and now is not None:
        staging.write(file, msgspec.json.encode(Known(now, champion)))
    return champion


def _read(file: Path) -> Known | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Known)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


@dataclass(frozen=True)
class Scored:
    """A part of the input with its scores, and how many cells of each feature were missing or unknown."""

    part: pa.RecordBatch
    scores: NDArray[np.float64]
    decisions: NDArray[np.bool_]
    missing: Counter[str]
    unknown: Counter[str]


@dataclass
class Seen:
    """The sums over all parts so far."""

    rows: int = 0
    flagged: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def add(self, scored: Scored) -> None:
        self.rows += scored.part.num_rows
        self.flagged += int(np.count_nonzero(scored.decisions))
        self.missing += scored.missing
        self.unknown += scored.unknown


def _in_order(scorer: "Scorer", parts: Iterator[tuple[pa.RecordBatch, float]]) -> Iterator[tuple[Scored, float]]:
    """Score parts at the same time, one on each processor, and give them back in their order.

    Threads of ours around a session of one thread: ONNX Runtime's own gained nothing on trees.
    """
    workers, row = _processors(), 0
    with ThreadPoolExecutor(workers) as pool:
        under_way: deque[tuple[Future[Scored], float]] = deque()
        try:
            for part, done in parts:
                under_way.append((pool.submit(scorer.score, part, row), done))
                row += part.num_rows
                if len(under_way) > workers:
                    scored, share = under_way.popleft()
                    yield scored.result(), share
            for scored, share in under_way:
                yield scored.result(), share
        finally:
            pool.shutdown(cancel_futures=True)


def _processors() -> int:
    """How many this process may use; where the system cannot tell, how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Scorer:
    """One bundle's model, asked about one file; several threads may ask at once."""

    def __init__(self, bundle: bundles.Bundle, file: str) -> None:
        self.contract = Contract.from_json((bundle.folder / "contract.json").read_bytes())
        self._file, self._id, self._threshold = file, bundle.id, bundle.manifest.threshold
        self._session = scoring.session(bundle.folder / "model.onnx")

    def kept(self, names: tuple[str, ...]) -> list[str]:
        """The columns of the input that the output repeats; Refused where the input lacks a feature."""
        for name in self.contract.features:
            if name not in names:
                raise Refused(f"{self._file}: column {name}: missing; the file has {', '.join(names)}")
        kept = [name for name in (self.contract.key_column, self.contract.time_column) if name in names]
        for name in (SCORE, DECISION, BUNDLE):
            if name in kept:
                raise Refused(
                    f"{self._file}: column {name}: the output has one of this name; rename the key or time column"
                )
        return [name for name in kept if name is not None]

    def schema(self, part: pa.RecordBatch, kept: list[str]) -> pa.Schema:
        """The output's columns."""
        added = [(SCORE, pa.float64()), (DECISION, pa.bool_()), (BUNDLE, pa.dictionary(pa.int8(), pa.string()))]
        return pa.schema(
            [*(part.schema.field(name).remove_metadata() for name in kept), *(pa.field(*each) for each in added)]
        )

    def score(self, part: pa.RecordBatch, row: int) -> Scored:
        """Check and score a part that begins at this row of the file (from 0)."""
        missing: Counter[str] = Counter()
        unknown: Counter[str] = Counter()
        matrix = np.empty((part.num_rows, len(input_names(self.contract))), dtype=np.float32)
        position = 0
        for name in self.contract.features:
            found = self._inputs(name, part.column(name), row)
            missing[name], unknown[name] = found.missing, found.unknown
            for values in found.values:
                matrix[:, position] = values
                position += 1
        scores = scoring.scores(self._session, matrix)
        return Scored(part, scores, scores >= self._threshold, missing, unknown)

    def output(self, scored: Scored, kept: list[str]) -> pa.RecordBatch:
        """The output's rows for a part of the input."""
        rows = len(scored.scores)
        ids = pa.DictionaryArray.from_arrays(np.zeros(rows, dtype=np.int8), [self._id])
        columns = [
            *(scored.part.column(name) for name in kept),
            pa.array(scored.scores),
            pa.array(scored.decisions),
            ids,
        ]
        return pa.record_batch(columns, schema=self.schema(scored.part, kept))

    def check_shares(self, seen: Seen) -> None:
        """Refuse a table in which more is missing or unknown than the contract allows; one row alone is never too many."""
        for counts, key, words in ((seen.missing, "missing", "are missing"), (seen.unknown, "unknown", "are unknown")):
            for name, count in counts.items():
                allowed = getattr(self.contract.columns[name], key)
                if count > max(1, allowed * seen.rows):
                    share = f"{count} of {seen.rows} rows ({count / seen.rows:.3g}) {words}, {allowed:g} may be"
                    raise Refused(f"{self._file}: column {name}: {share} (the model's contract: columns.{name}.{key})")

    def _inputs(self, name: str, cells: pa.Array, start: int) -> Inputs:
        column = self.contract.columns[name]
        try:
            return inputs(column, cells, self.contract.zone)
        except Wrong as wrong:
            value = cells[wrong.row].as_py()
            place = f"{self._file}: column {name}: row {start + wrong.row + 1}"
            shown = "missing" if value is None else column.shown(value)
            raise Refused(f"{place}: {shown}: {wrong.rule} (the model's contract)") from None
