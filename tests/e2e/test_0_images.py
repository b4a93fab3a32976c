"""The images: built from the project by its own verb, small, and each with the list of what is in it."""

import json
from typing import Any

import pytest

from .conftest import World, record

LARGEST = {"serving": 200_000_000, "pipeline": 1_000_000_000}
"""Bytes over the base."""


@pytest.fixture(scope="module")
def made(world: World) -> dict[str, Any]:
    """What `make image` has written down."""
    found: dict[str, Any] = json.loads((world.project / "artifacts/images/images.json").read_text())
    return found


def packages(world: World, image: str) -> set[str]:
    document = json.loads((world.project / f"artifacts/images/{image}.sbom.json").read_text())
    return {component["purl"].partition("@")[0] for component in document["components"]}


@pytest.mark.proof("The images add at most 200 MB (serving) and 1 GB (pipeline) to their base, and list their software")
@pytest.mark.parametrize("image", LARGEST)
def test_what_we_add_to_the_base_is_small(image: str, made: dict[str, Any]) -> None:
    record("images", **{f"{image}_added_bytes": made[image]["added_bytes"]})
    assert made[image]["base"] == "python:3.13-slim-trixie"
    assert 50_000_000 < made[image]["added_bytes"] <= LARGEST[image]


@pytest.mark.proof("The images add at most 200 MB (serving) and 1 GB (pipeline) to their base, and list their software")
def test_the_lists_of_software_are_those_of_the_images(world: World) -> None:
    serving, pipeline = packages(world, "serving"), packages(world, "pipeline")
    assert {"pkg:deb/debian/libc6", "pkg:generic/python", "pkg:pypi/onnxruntime"} <= serving
    assert not serving & {f"pkg:pypi/{name}" for name in ("kfp", "mlflow-skinny", "pandas", "pip", "scikit-learn")}
    assert {"pkg:pypi/kfp", "pkg:pypi/mlflow-skinny", "pkg:pypi/pandas"} <= pipeline
    assert not pipeline & {f"pkg:pypi/{name}" for name in ("kfp-server-api", "kubernetes", "pip")}
