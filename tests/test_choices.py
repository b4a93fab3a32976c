"""Every choice gives exactly its files; every accepted name gives a project that passes its own checks and tests."""

import os
from pathlib import Path

import pytest
from conftest import QUESTIONS, ROOT, Bake, files, make
from test_questions import HOSTILE

GOLDEN = ROOT / "tests" / "golden"

LICENSES = {
    "Apache-2.0": "Apache License\n                           Version 2.0, January 2004\n",
    "MIT": "MIT License\n\nCopyright (c) ML Platform Team\n\nPermission is hereby granted",
    "Proprietary": "Copyright (c) ML Platform Team. All rights reserved.\n\nNo part of this repository",
}

# Import sorting and line wrapping depend on the names.
NAMES = {
    "default": {},
    "one letter": {"project": "a"},
    "greatest lengths": {"project": "p" * 40, "package": "p" * 30},
    "first of all": {"project": "aaa"},
    "last of all": {"project": "zzz"},
    "hostile text": HOSTILE,
}


@pytest.mark.parametrize("license_", QUESTIONS["license"])
def test_files(license_: str, bake: Bake, request: pytest.FixtureRequest) -> None:
    listed = "".join(f"{name}\n" for name in files(bake(license=license_)))
    golden = GOLDEN / f"files-{license_}.txt"
    if request.config.getoption("--golden"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(listed)
    assert listed == golden.read_text()


@pytest.mark.parametrize("license_", QUESTIONS["license"])
def test_license(license_: str, bake: Bake) -> None:
    text = (bake(license=license_) / "LICENSE").read_text(encoding="utf-8")
    assert text.lstrip().startswith(LICENSES[license_])
    others = [start for name, start in LICENSES.items() if name != license_]
    assert not any(start.split("\n")[0] in text for start in others if not start.startswith("Copyright"))
    assert "{{" not in text
    assert "#%" not in text


@pytest.mark.parametrize("names", NAMES)
def test_lint(names: str, bake: Bake, tmp_path_factory: pytest.TempPathFactory) -> None:
    # The types of the dependencies are read once for all names.
    cache = tmp_path_factory.getbasetemp() / "mypy"
    make(bake(**NAMES[names]), "lint", MYPY_CACHE_DIR=str(cache))


@pytest.mark.xdist_group("own tests")  # each uses two processors itself
@pytest.mark.parametrize("names", ["default", "hostile text"])
def test_own_tests(names: str, bake: Bake, tmp_path: Path) -> None:
    """The project's own tests, outside the template's tree; their warnings are errors."""
    project = bake(**NAMES[names])
    (tmp_path / "home").mkdir()
    done = make(
        project, "test", HOME=str(tmp_path / "home"), TMPDIR=str(tmp_path), PYENV_ROOT=os.environ.get("PYENV_ROOT", "")
    )
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
