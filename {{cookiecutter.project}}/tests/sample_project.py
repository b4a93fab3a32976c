"""The project as it was generated. Its tests are about its code: they must not fail because its owner brought other data."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def write(root: Path) -> Path:
    """Make a folder a project with the configuration and the data set that every project starts with."""
    shutil.copytree(PROJECT / "tests" / "config", root / "config")
    shutil.copytree(PROJECT / "samples", root / "samples")
    shutil.copy(PROJECT / "pyproject.toml", root)
    return root


@cache
def root() -> Path:
    """One such project for all tests of a process that only read it."""
    folder = Path(tempfile.mkdtemp(prefix="sample-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return write(folder)
