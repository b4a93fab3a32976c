"""Bundles and settings for the tests of what happens after training; no model is needed for that."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from {{ cookiecutter.package }} import bundle, records
from {{ cookiecutter.package }}.registry import CHALLENGER, Registry
from {{ cookiecutter.package }}.settings import Environment, Settings
from {{ cookiecutter.package }}.store import Store

PROJECT = Path(__file__).parents[2]
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
    return replace(Settings.load(PROJECT), root=root)


def entered(settings: Settings, environment_name: str, folder: Path, name: str) -> str:
    """Do what a training does at its end."""
    environment = settings.environment(environment_name)
    bundle_id = make_bundle(folder, name=name)
    registry = Registry(environment)
    uri = bundle.publish(folder, Store.open(environment.store_uri))
    registry.set_alias(CHALLENGER, registry.register(uri, bundle_id, TRAINER))
    return bundle_id


def outcomes(environment: Environment) -> list[tuple[str, str]]:
    attempts = records.read(Store.open(environment.store_uri))
    return [(attempt.begun.kind, attempt.ended.outcome if attempt.ended else "open") for attempt in attempts]
