"""Every way to fetch the template gives one and the same project."""

import json
import subprocess
from pathlib import Path

import pytest
from conftest import TOOLS, Bake, files, run

COOKIECUTTER = ["cookiecutter", "--config-file", "{d}/settings.yaml", "--no-input", "-o", "{out}"]
CRUFT = ["cruft", "create", "--config-file", "{d}/settings.yaml", "--no-input", "--output-dir", "{out}"]
WAYS = {
    "local": [*COOKIECUTTER, "{d}/tree"],
    "local-relative": [*COOKIECUTTER, "./tree"],
    "git": [*COOKIECUTTER, "file://{d}/bare.git"],
    "git-checkout": [*COOKIECUTTER, "-c", "main", "file://{d}/bare.git"],
    "git-directory": [*COOKIECUTTER, "--directory", "a/b", "file://{d}/mono.git"],
    "zip": [*COOKIECUTTER, "{d}/template.zip"],
    "replay": ["cookiecutter", "--config-file", "{d}/settings.yaml", "--replay", "-o", "{out}", "{d}/tree"],
    "cruft": [*CRUFT, "file://{d}/bare.git"],
    "cruft-relative": [*CRUFT, "./tree"],
    "cruft-checkout": [*CRUFT, "-c", "main", "file://{d}/bare.git"],
    "cruft-directory": [*CRUFT, "--directory", "a/b", "file://{d}/mono.git"],
}


def fetch(way: str, sources: Path, out: Path, **answers: str) -> subprocess.CompletedProcess[str]:
    """Generate a project in `out` in this way."""
    words = [word.format(d=sources, out=out) for word in WAYS[way]]
    if way == "replay":
        (sources / "replay").mkdir(exist_ok=True)
        fetch("local", sources, out / "seed", **answers)
    elif way.startswith("cruft"):
        words[-1:-1] = ["--extra-context", json.dumps(answers)]
    else:
        words += [f"{question}={answer}" for question, answer in answers.items()]
    return run(TOOLS / words[0], *words[1:], cwd=sources)


@pytest.mark.proof("However the template is fetched, the project is the same, byte for byte")
@pytest.mark.parametrize("way", WAYS)
def test_one_project(way: str, sources: Path, project: Path, tmp_path: Path) -> None:
    done = fetch(way, sources, tmp_path)
    assert done.stdout == ""  # `cruft diff` would show it
    assert files(tmp_path / "flight-delay") == files(project)
    assert (tmp_path / "flight-delay" / ".cruft.json").exists() == way.startswith("cruft")


@pytest.mark.proof("However the template is fetched, the project is the same, byte for byte")
def test_two_renders_are_equal(bake: Bake, project: Path) -> None:
    assert files(bake()) == files(project)


def test_no_file_needs_to_be_executable(project: Path) -> None:
    """A zip loses that: the Makefile calls every script through its interpreter."""
    assert [path for path in project.rglob("*") if path.is_file() and path.stat().st_mode & 0o111] == []


def test_answers_of_a_cruft_project_are_those_of_its_pyproject(sources: Path, tmp_path: Path) -> None:
    fetch("cruft", sources, tmp_path, title="Late Trains", license="MIT")
    saved = json.loads((tmp_path / "late-trains" / ".cruft.json").read_text())["context"]["cookiecutter"]
    assert (saved["title"], saved["project"], saved["package"], saved["license"]) == (
        "Late Trains",
        "late-trains",
        "late_trains",
        "MIT",
    )
