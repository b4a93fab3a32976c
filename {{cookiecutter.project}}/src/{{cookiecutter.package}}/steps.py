"""The steps of a training, in order. Each reads files and writes files; every runtime calls these functions and no others."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from . import bundle as bundles
from . import (
    card,
    data,
    evaluation,
    features,
    gates,
    golden,
    leaks,
    lineage,
    plots,
    reference,
    reports,
    sbom,
    scoring,
    staging,
)
from . import export as exporting
from . import training as fitting
from .errors import Refused
from .registry import CHALLENGER, Registry, champion_bundle
from .reports import Evaluated, Exported, Judged, Trained, Validated, Verdict
from .settings import Settings
from .store import Store
from .validation import check

TRAINED, EXPORTED, EVALUATED, JUDGED = "trained.json", "exported.json", "evaluated.json", "judged.json"
_FILES = b"files"


def load(settings: Settings, output: str, source: str = "") -> str:
    """Read the source (default: the contract's) into one Parquet file; returns the hash of its content."""
    dataset = data.load(settings.contract, source or settings.contract.source, settings.root)
    _write(Path(output), dataset)
    return data.content_hash(dataset.frame)


def validate(settings: Settings, dataset: str, report: str) -> None:
    """Check every row against the data contract; Refused names the first that breaks it."""
    found = _read(Path(dataset))
    check(settings.contract, found)
    labels = data.label(settings.contract, found.frame)
    validated = Validated(
        rows=len(found.frame),
        label_coverage=float(labels.notna().mean()),
        single_feature_auc=leaks.single_feature_auc(settings.contract, found.frame),
    )
    reports.write(Path(report), validated)


def split(settings: Settings, dataset: str, training: str, evaluation_rows: str) -> None:
    """Part the labelled rows by time, never at random."""
    contract, frame = settings.contract, _read(Path(dataset)).frame
    start = data.boundary(contract, frame, settings.training.split.evaluation)
    labelled = frame[data.label(contract, frame).notna()]
    parts = {
        "before": (data.between(contract, labelled, None, start), training),
        "from": (data.between(contract, labelled, start, None), evaluation_rows),
    }
    for when, (part, output) in parts.items():
        found = data.label(contract, part)
        if found.nunique() < 2:
            only = "no row" if part.empty else f"only the label {'positive' if found.iloc[0] else 'negative'}"
            raise Refused(
                f"{contract.source}: column {contract.label_column}: {only} {when} {start.isoformat()}: a model needs both "
                "labels on both sides of the split; give more rows, or change config/training.yaml: split.evaluation"
            )
        _write(Path(output), data.Dataset(part, ()))


def train(settings: Settings, training: str, model: str) -> None:
    """Fit the model and say what to."""
    contract, frame = settings.contract, _read(Path(training)).frame
    fitting.save(fitting.fit(contract, settings.training, frame), Path(model))
    times = frame[contract.time_column]
    trained = Trained(
        rows=len(frame),
        positive_rows=int(data.label(contract, frame).sum()),
        first=times.min().isoformat(),
        last=times.max().isoformat(),
    )
    reports.write(Path(model) / TRAINED, trained)


def evaluate(settings: Settings, environment: str, model: str, evaluation_rows: str, report: str) -> None:
    """Measure the model on later rows, and the environment's champion on the same; numbers and plots."""
    contract, frame, folder = settings.contract, _read(Path(evaluation_rows)).frame, Path(report)
    scores = fitting.scores(contract, fitting.load(Path(model)), frame)
    rate = reports.read(Path(model) / TRAINED, Trained).positive_rate
    with staging.scratch(settings.artifacts) as scratch:
        champion = champion_bundle(settings.environment(environment), scratch / "champion")
        reason = scoring.incomparable(champion, contract) if champion else None
        compared = (champion.id, scoring.bundle_scores(champion, frame)) if champion and not reason else None
    evaluated = evaluation.evaluate(contract, settings.training, frame, scores, rate, compared)
    if reason:
        evaluated = msgspec.structs.replace(evaluated, no_champion=reason)
    reports.write(folder / EVALUATED, evaluated)
    labels = data.label(contract, frame).to_numpy()
    plots.write(folder, labels, scores, evaluated.threshold, settings.training.evaluation.calibration_bins)


def export(settings: Settings, model: str, evaluation_rows: str, output: str) -> None:
    """Convert the model to ONNX and compare the two; how far they agree is for the gates to judge."""
    contract, frame, folder = settings.contract, _read(Path(evaluation_rows)).frame, Path(output)
    fitted = fitting.load(Path(model))
    content = exporting.convert(contract, fitted)
    session = scoring.session(content)
    matrix = features.encode(contract, data.arrays(contract, frame))
    exported = Exported(
        parity=exporting.parity(contract, fitted, session, frame, settings.training.costs.threshold),
        bytes=len(content),
        milliseconds=exporting.milliseconds(session, matrix),
    )
    reports.write(folder / EXPORTED, exported)
    (folder / "model.onnx").write_bytes(content)


def judge(
    settings: Settings, environment: str, validated: str, model: str, report: str, exported: str, judged: str
) -> bool:
    """Ask every gate and record all verdicts, whatever they say; True when none refuses."""
    evaluated = reports.read(Path(report) / EVALUATED, Evaluated)
    verdicts = gates.judge(
        settings.gates,
        reports.read(Path(validated), Validated),
        reports.read(Path(model) / TRAINED, Trained),
        evaluated,
        reports.read(Path(exported) / EXPORTED, Exported),
    )
    passed = not any(verdict.outcome == "refused" for verdict in verdicts)
    with staging.scratch(settings.artifacts) as scratch:
        shutil.copytree(report, scratch / "run")
        reports.write(scratch / "run" / "verdicts.json", Judged(verdicts, ""))
        run_id = Registry(settings.environment(environment)).log_run(
            params={**settings.training.model.model_dump(), "seed": settings.training.seed},
            metrics=evaluated.metrics,
            artifacts=scratch / "run",
            tags={"gates": "passed" if passed else "refused"}
            | {f"gate.{verdict.gate}": f"{verdict.outcome}: {verdict.reason}" for verdict in verdicts},
        )
    reports.write(Path(judged) / JUDGED, Judged(verdicts, run_id))
    return passed


def bundle(
    settings: Settings,
    data_hash: str,
    training: str,
    evaluation_rows: str,
    model: str,
    report: str,
    exported: str,
    judged: str,
    output: str,
) -> str:
    """Write everything that serving needs and an auditor asks for into one folder; returns the bundle's id."""
    contract = settings.contract
    verdicts = reports.read(Path(judged) / JUDGED, Judged).verdicts
    trained = reports.read(Path(model) / TRAINED, Trained)
    evaluated = reports.read(Path(report) / EVALUATED, Evaluated)
    content = (Path(exported) / "model.onnx").read_bytes()
    later = _read(Path(evaluation_rows)).frame
    earlier = _read(Path(training)).frame
    known = {name: float(later[name].isin(earlier[name].dropna()).mean()) for name in contract.with_role("entity")}
    columns = data.arrays(contract, earlier)
    # Scores of rows that the model was not fitted to: those of its own rows are more certain than live ones ever are.
    matrix = features.encode(contract, data.arrays(contract, later))
    scores = scoring.scores(scoring.session(content), matrix)
    profile = reference.build(contract, columns, scores, settings.monitoring.reference.bins)
    manifest = {
        "name": settings.project,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": vars(lineage.source(settings.root)),
        "data_hash": data_hash,
        "contract_hash": contract.hash(),
        "task": contract.task,
        "threshold": evaluated.threshold,
        "framework": {"name": "scikit-learn", "versions": fitting.versions()},
        "metrics": evaluated.metrics,
        "verdicts": [msgspec.to_builtins(_without_clock(verdict)) for verdict in verdicts],
        "parity": msgspec.to_builtins(reports.read(Path(exported) / EXPORTED, Exported).parity),
        "golden": golden.make(contract, content, later, evaluated.threshold),
        "trainer": lineage.person(settings.root),
    }
    files = {
        "model.onnx": content,
        "contract.json": contract.to_json(),
        "reference.json": bundles.canonical(profile),
        "card.md": card.write(settings, trained, evaluated, verdicts, known).encode(),
        "sbom.json": sbom.build(settings.project),
    }
    return bundles.write(Path(output), manifest, files)


def publish(settings: Settings, environment: str, bundle_folder: str) -> str:
    """Put the bundle into the environment's object store; returns its address."""
    return bundles.publish(Path(bundle_folder), Store.open(settings.environment(environment).store_uri))


def register(settings: Settings, environment: str, uri: str, bundle_folder: str, judged: str) -> str:
    """Make the published bundle a version of the environment's model and its challenger; returns the version's number."""
    written = bundles.read(Path(bundle_folder))
    registry = Registry(settings.environment(environment))
    run_id = reports.read(Path(judged) / JUDGED, Judged).run_id
    version = registry.register(uri, written.id, written.manifest.trainer, run_id)
    registry.set_alias(CHALLENGER, version)
    return version.number


def _without_clock(verdict: Verdict) -> Verdict:
    """A verdict as the bundle keeps it: a measured time would make two equal trainings differ."""
    if verdict.gate != "latency":
        return verdict
    return msgspec.structs.replace(verdict, value=None, reason="the measured time stays in the run")


def _write(path: Path, dataset: data.Dataset) -> None:
    """Parquet that remembers which rows came from which file, so that later messages can say so."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(dataset.frame, preserve_index=False)
    kept = {**(table.schema.metadata or {}), _FILES: json.dumps(dataset.files).encode()}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(kept), path)


def _read(path: Path) -> data.Dataset:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    files = json.loads((table.schema.metadata or {})[_FILES])
    return data.Dataset(table.to_pandas(), tuple((name, rows) for name, rows in files))
