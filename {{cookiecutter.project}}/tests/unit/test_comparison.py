import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from {{ cookiecutter.package }} import pipeline, promotion, records
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.registry import Registry
from {{ cookiecutter.package }}.settings import Settings
from {{ cookiecutter.package }}.store import Store

import sample_project

from .store_helpers import settings_at


def train(settings: Settings, iterations: int) -> str:
    """Train in `dev` with this many trees and give the bundle's id."""
    model = settings.training.model.model_copy(update={"max_iterations": iterations})
    training = settings.training.model_copy(update={"model": model})
    return pipeline.run(replace(settings, training=training), "dev", console=Console(quiet=True)).bundle_id


def test_a_bundle_must_not_be_worse_than_the_champion_of_where_it_goes(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    source = settings.contract.source
    (tmp_path / source).parent.mkdir(parents=True)
    shutil.copyfile(sample_project.root() / source, tmp_path / source)
    good = train(settings, 60)
    promotion.promote(settings, "staging", "the first", good)
    lenient = {
        "champion": settings.gates.champion.model_copy(update={"max_auc_loss": 1.0}),
        "floor": settings.gates.floor.model_copy(update={"min_auc": 0.5, "min_brier_skill": -1.0}),
        "calibration": settings.gates.calibration.model_copy(update={"max_error": 1.0}),
        "fairness": settings.gates.fairness.model_copy(update={"max_equal_opportunity_difference": 1.0}),
    }
    worse = train(replace(settings, gates=settings.gates.model_copy(update=lenient)), 1)

    with pytest.raises(Refused, match=f"{worse[:12]} did not pass the gates of staging: champion: AUC -0"):
        promotion.promote(settings, "staging", "the second", worse)

    staging = settings.environment("staging")
    champion = Registry(staging).champion()
    assert champion is not None
    assert champion.bundle_id == good
    (attempt,) = records.read(Store.open(staging.store_uri))
    verdicts = [verdict for verdict in attempt.begun.verdicts if verdict["gate"] == "champion"]
    assert [verdict["outcome"] for verdict in verdicts] == ["not applicable"]

    again = train(settings, 61)
    promotion.promote(settings, "staging", "as good", again)
    verdicts = [
        each for each in records.read(Store.open(staging.store_uri))[-1].begun.verdicts if each["gate"] == "champion"
    ]
    assert [verdict["outcome"] for verdict in verdicts] == ["passed"]
    assert verdicts[0]["reason"].startswith("AUC ")
