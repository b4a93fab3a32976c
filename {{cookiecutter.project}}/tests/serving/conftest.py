from collections.abc import Iterator
from pathlib import Path

import pytest

from .helpers import Running, start, write_bundle, write_settings


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with config/serving.yaml and an empty bundles/."""
    root = tmp_path_factory.mktemp("serving")
    write_settings(root)
    (root / "bundles").mkdir()
    return root


@pytest.fixture(scope="module")
def bundle_id(root: Path) -> str:
    return write_bundle(root / "bundles")


@pytest.fixture(scope="module")
def server(root: Path, bundle_id: str) -> Iterator[Running]:
    """A real server process on a port of its own."""
    running = start(root, bundle_id, PREDICTION_LOG_SECRET="secret")  # noqa: S106 - a test's
    yield running
    running.stop()
