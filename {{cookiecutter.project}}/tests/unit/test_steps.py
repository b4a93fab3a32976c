"""All steps in order on the sample: what a training leaves behind, and what a refused one does not."""

import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from {{ cookiecutter.package }} import bundle, pipeline
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.registry import Registry
from {{ cookiecutter.package }}.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of its own: this one's configuration and sample, nothing trained yet."""
    for folder in ("config", "samples"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def train(root: Path) -> pipeline.Registered:
    return pipeline.run(Settings.load(root), "local", console=Console(quiet=True))


def test_two_trainings_give_the_same_bundle_but_for_its_time(project: Path) -> None:
    manifests = []
    for version in ("1", "2"):
        registered = train(project)
        assert registered.version == version
        folder = sorted((project / "artifacts" / "runs").iterdir())[-1] / "bundle"
        found = bundle.read(folder, registered.bundle_id)
        manifests.append(json.loads((folder / "manifest.json").read_text()))
        assert sorted(file.name for file in folder.iterdir()) == sorted([*bundle.FILES, "manifest.json"])
        assert found.manifest.metrics["auc"] == pytest.approx(0.673, abs=0.01)
    assert {key for key in manifests[0] if manifests[0][key] != manifests[1][key]} <= {"created"}
    plots = {"roc.png", "precision-recall.png", "calibration.png", "scores.png"}
    assert plots <= {file.name for file in (project / "artifacts" / "mlflow").rglob("*.png")}
    challenger = Registry(Settings.load(project).environment("local")).challenger()
    assert challenger is not None
    assert challenger.number == "2"


def test_a_refused_candidate_is_recorded_and_changes_nothing(project: Path) -> None:
    file = project / "config" / "gates.yaml"
    file.write_text(file.read_text().replace("min_auc: 0.6 ", "min_auc: 0.9 "))
    with pytest.raises(Refused, match=r"did not pass its gates: floor: AUC 0\.67"):
        train(project)
    assert not (project / "artifacts" / "store").exists()
    assert Registry(Settings.load(project).environment("local")).challenger() is None
    [verdicts] = (project / "artifacts" / "mlflow").rglob("verdicts.json")
    outcomes = {verdict["gate"]: verdict["outcome"] for verdict in json.loads(verdicts.read_text())["verdicts"]}
    assert outcomes["floor"] == "refused"
    assert list(outcomes.values()).count("refused") == 1


def test_an_unknown_environment_is_refused_before_anything_is_written(project: Path) -> None:
    with pytest.raises(Refused, match=r"environment production: not in config/gates\.yaml: environments"):
        pipeline.run(Settings.load(project), "production")
    assert not (project / "artifacts").exists()
