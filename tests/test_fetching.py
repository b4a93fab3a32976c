"""Every way to fetch the template gives one and the same project."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import TOOLS, Bake, commit, files, git, run

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


@pytest.fixture(scope="module")
def sources(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as a work tree, a bare repository, a zip and a folder of a larger repository."""
    folder = tmp_path_factory.mktemp("sources")
    git("clone", "--quiet", template, folder / "tree", cwd=folder)
    git("clone", "--quiet", "--bare", template, folder / "bare.git", cwd=folder)
    git("archive", "--prefix=mlops-template-1/", "--output", folder / "template.zip", "HEAD", cwd=template)
    shutil.copytree(template, folder / "mono" / "a" / "b", ignore=shutil.ignore_patterns(".git"))
    git("init", "--quiet", cwd=folder / "mono")
    commit(folder / "mono", "Everything")
    git("clone", "--quiet", "--bare", "mono", "mono.git", cwd=folder)
    (folder / "settings.yaml").write_text(f"cookiecutters_dir: {folder}/cache\nreplay_dir: {folder}/replay\n")
    return folder


@pytest.mark.parametrize("way", WAYS)
def test_one_project(way: str, sources: Path, project: Path, tmp_path: Path) -> None:
    if way == "replay":
        (sources / "replay").mkdir(exist_ok=True)
        seed = [word.format(d=sources, out=tmp_path / "seed") for word in WAYS["local"]]
        run(TOOLS / seed[0], *seed[1:], cwd=sources)
    command = [word.format(d=sources, out=tmp_path) for word in WAYS[way]]
    done = run(TOOLS / command[0], *command[1:], cwd=sources)
    assert done.stdout == ""  # `cruft diff` would show it
    assert files(tmp_path / "flight-delay") == files(project)
    assert (tmp_path / "flight-delay" / ".cruft.json").exists() == way.startswith("cruft")


def test_two_renders_are_equal(bake: Bake, project: Path) -> None:
    assert files(bake()) == files(project)


def test_no_file_needs_to_be_executable(project: Path) -> None:
    """A zip loses that: the Makefile calls every script through its interpreter."""
    assert [path for path in project.rglob("*") if path.is_file() and path.stat().st_mode & 0o111] == []


def test_answers_of_a_cruft_project_are_those_of_its_pyproject(sources: Path, tmp_path: Path) -> None:
    extra = json.dumps({"title": "Late Trains", "license": "MIT"})
    run(TOOLS / "cruft", "create", "--no-input", "--extra-context", extra, f"file://{sources}/bare.git", cwd=tmp_path)
    saved = json.loads((tmp_path / "late-trains" / ".cruft.json").read_text())["context"]["cookiecutter"]
    assert (saved["title"], saved["project"], saved["package"], saved["license"]) == (
        "Late Trains",
        "late-trains",
        "late_trains",
        "MIT",
    )
