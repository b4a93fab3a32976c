"""Bundles and settings for the tests of what happens after training; no model is needed for that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from {{ cookiecutter.package }} import bundle, records, staging
from {{ cookiecutter.package }}.registry import CHALLENGER, Registry
from {{ cookiecutter.package }}.settings import Environment, Settings
from {{ cookiecutter.package }}.store import Store

import sample_project

TRAINER = "Tess Trainer <tess@example.org>"

FILES = {
    "model.onnx": b"not really a model",
    "contract.json": b"{}\n",
    "reference.json": b"{}\n",
    "card.md": b"# Card\n",
    "sbom.json": b"{}\n",
}


def fields(**changes: Any) -> dict[str, Any]:
    """What a manifest holds besides what `bundle.write` fills in."""
    return {
        "name": "model",
        "created": "2026-11-24T00:00:00+00:00",
        "source": {"commit": None, "dirty": None, "reason": "a test"},
        "data_hash": "sha256:0",
        "contract_hash": "sha256:0",
        "task": "binary",
        "threshold": 0.5,
        "framework": {"name": "scikit-learn", "versions": {"scikit-learn": "1.9.0"}},
        "metrics": {"auc": 0.7},
        "verdicts": [{"gate": "floor", "outcome": "passed", "value": 0.7, "threshold": 0.6, "reason": "above"}],
        "parity": {},
        "golden": {"request": {"x": 1}, "score": 0.5, "decision": True},
        "trainer": TRAINER,
        **changes,
    }


def make_bundle(folder: Path, **changes: Any) -> str:
    """Write a bundle that differs from others by these fields, and give its id."""
    return bundle.write(folder, fields(**changes), FILES)


def settings_at(root: Path) -> Settings:
    """The project's settings, with all working files under another root."""
    return replace(Settings.load(sample_project.root()), root=root)


def entered(settings: Settings, environment_name: str, folder: Path, name: str) -> str:
    """Do what a training does at its end."""
    environment = settings.environment(environment_name)
    bundle_id = make_bundle(folder, name=name)
    registry = Registry(environment)
    uri = bundle.publish(folder, Store.open(environment.store_uri))
    registry.set_alias(CHALLENGER, registry.register(uri, bundle_id, TRAINER))
    return bundle_id


def begun(environment: Environment, to_id: str, age: timedelta, place: str) -> None:
    """Leave what a promotion leaves whose process dies after `begun`."""
    time, store = (datetime.now(UTC) - age).isoformat(), Store.open(environment.store_uri)
    record = records.Begun(1, time, "promotion", environment.name, "Somebody", place, "x", None, to_id, (), None, None)
    records.begin(store, records.read(store), record)


def users_files(folder: Path) -> dict[Path, str]:
    """Write what a user may have beside a file that a verb writes, all of it like our leftovers at first sight."""
    entry = "0" * 32
    places = (".staging/notes", f".staging/{entry}", f"{staging.STAGING}/notes", f"below/{staging.STAGING}/{entry}")
    files = {folder / place: f"of the user: {place}" for place in places}
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return files


def outcomes(environment: Environment) -> list[tuple[str, str]]:
    attempts = records.read(Store.open(environment.store_uri))
    return [(attempt.begun.kind, attempt.ended.outcome if attempt.ended else "open") for attempt in attempts]
