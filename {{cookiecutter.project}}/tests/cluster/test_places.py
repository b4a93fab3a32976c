"""Which environments are on this machine, and which are in a cluster."""

from pathlib import Path

import pytest

from {{ cookiecutter.package }} import advice, places
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.settings import Settings

import sample_project


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A project in which `dev` alone is in a cluster."""
    root = sample_project.write(tmp_path)
    (root / "k8s" / "overlays" / "dev").mkdir(parents=True)
    return Settings.load(root)


def test_an_environment_with_an_overlay_is_in_a_cluster(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARTIFACT_URI", raising=False)
    places.require_here(settings, "laptop", "…")
    with pytest.raises(Refused, match=r"environment dev is in a cluster \(k8s/overlays/dev\): do it there"):
        places.require_here(settings, "dev", "do it there")
    assert advice.training(settings, "dev") == "make pipeline-run ENV=dev"
    assert advice.training(settings, "laptop") == "make train"


def test_where_variables_say_where_everything_is_nothing_is_left_to_reach(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTIFACT_URI", "s3://models")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")
    with places.reached(settings, "dev") as place:
        assert isinstance(place, places.Here)


def test_an_unknown_environment_is_refused_by_name(settings: Settings) -> None:
    with (
        pytest.raises(Refused, match="environment nowhere: not in config"),
        places.reached(settings, "nowhere"),
    ):
        pass
