"""Every way to fetch the template gives one and the same project."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import TOOLS, Bake, files, run

COOKIECUTTER = ["cookiecutter", "--config-file", "{d}/settings.yaml", "--no-input", "-o", "{out}"]
CRUFT = ["cruft", "create", "--config-file", "{d}/settings.yaml", "--no-input", "--output-dir", "{out}"]
WAYS = {
    "local": [*COOKIECUTTER, "{d}/tree"],
    "local-relative": [*COOKIECUTTER, "./tree"],
    "git": [*COOKIECUTTER, "file://{d}/bare.git"],
    "git-checkout": [*COOKIECUTTER, "-c", "main", "file://{d}/bare.git"],
    "git-without-links": [*COOKIECUTTER, "file://{d}/bare.git"],
    "git-directory": [*COOKIECUTTER, "--directory", "a/b", "file://{d}/mono.git"],
    "zip": [*COOKIECUTTER, "{d}/template.zip"],
    "replay": ["cookiecutter", "--config-file", "{d}/settings.yaml", "--replay", "-o", "{out}", "{d}/tree"],
    "cruft": [*CRUFT, "file://{d}/bare.git"],
    "cruft-relative": [*CRUFT, "./tree"],
    "cruft-checkout": [*CRUFT, "-c", "main", "file://{d}/bare.git"],
    "cruft-directory": [*CRUFT, "--directory", "a/b", "file://{d}/mono.git"],
}


# As Git is set up where links cannot be made: it writes their text into files.
NO_LINKS: dict[str, Any] = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.symlinks", "GIT_CONFIG_VALUE_0": "false"}
LOST = (
    "k8s/base: this copy of the template holds a text where it should hold a symbolic link: take the template's address in place "
    "of a copy, or clone it with git clone -c core.symlinks=true"
)


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
    return run(TOOLS / words[0], *words[1:], cwd=sources, **(NO_LINKS if way == "git-without-links" else {}))


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


@pytest.mark.parametrize("way", ["local", "zip", "git-without-links", "cruft"])
def test_a_link_inside_of_a_project_is_made_again(way: str, sources: Path, bake: Bake, tmp_path: Path) -> None:
    """Cookiecutter copies what it leads to, and from an archive its text: both would be a second file to keep equal."""
    fetch(way, sources, tmp_path, cloud="aws")
    link = tmp_path / "flight-delay" / "terraform" / "aws" / "bootstrap" / "stack_variables.tf"
    assert link.readlink() == Path("../variables.tf")
    assert files(tmp_path / "flight-delay") == files(bake(cloud="aws"))


@pytest.mark.parametrize("way", ["local", "git-without-links"])
def test_where_no_link_can_be_made_is_a_copy(way: str, sources: Path, tmp_path: Path) -> None:
    refuses = "import os\n\n\ndef symlink(*given, **more):\n    raise OSError('not here')\n\n\nos.symlink = symlink\n"
    (tmp_path / "sitecustomize.py").write_text(refuses, encoding="utf-8")
    words = [word.format(d=sources, out=tmp_path) for word in WAYS[way]]
    links = NO_LINKS if way == "git-without-links" else {}
    run(TOOLS / words[0], *words[1:], "cloud=aws", cwd=sources, PYTHONPATH=str(tmp_path), **links)
    root = tmp_path / "flight-delay" / "terraform" / "aws"
    assert not (root / "bootstrap" / "stack_variables.tf").is_symlink()
    assert (root / "bootstrap" / "stack_variables.tf").read_bytes() == (root / "variables.tf").read_bytes()


@pytest.mark.parametrize("words", [[*CRUFT, "file://{d}/bare.git"], [*COOKIECUTTER, "./copy"]], ids=["cruft", "copy"])
def test_lost_links_that_cannot_be_mended_are_refused(words: list[str], sources: Path, tmp_path: Path) -> None:
    """Neither says where the template is: cruft never does, and a relative path is one from another folder."""
    run("git", "clone", "--quiet", sources / "bare.git", tmp_path / "copy", cwd=tmp_path, **NO_LINKS)
    program, *rest = [word.format(d=sources, out=tmp_path / "out") for word in words]
    done = run(TOOLS / program, *rest, cwd=tmp_path, check=False, **NO_LINKS)
    assert done.returncode == 1
    assert f"refused: {LOST}\n" in done.stderr
    assert files(tmp_path / "out") == {}


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
