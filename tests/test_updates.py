"""`make update` takes over a later release and keeps what the owners changed, however the project was made."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import QUESTIONS, TOOLS, commit, files, git, make, run

ANSWERS = {"title": "Late Trains", "description": 'Says "late" \\ or not {} %}.', "license": "MIT"}
RELEASED = QUESTIONS["_version"]
NEXT = "9.0.0"


@pytest.fixture(scope="module")
def releases(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template with two releases: this one, and one that changes, adds and removes a file."""
    clone = tmp_path_factory.mktemp("releases") / "mlops-template"
    git("clone", "--quiet", template, clone, cwd=template)
    git("tag", RELEASED, cwd=clone)
    skeleton = clone / "{{cookiecutter.project}}"
    (skeleton / "README.md").write_text((skeleton / "README.md").read_text() + "\nAdded by the next release.\n")
    (skeleton / "docs").mkdir(exist_ok=True)
    (skeleton / "docs" / "new.md").write_text("# New in the next release\n")
    (skeleton / ".editorconfig").unlink()
    questions = clone / "cookiecutter.json"
    questions.write_text(questions.read_text().replace(f'"_version": "{RELEASED}"', f'"_version": "{NEXT}"'))
    commit(clone, "Next release")
    git("tag", NEXT, cwd=clone)
    git("archive", "--prefix=mlops-template-1/", "--output", clone.parent / "template.zip", RELEASED, cwd=clone)
    return clone


def made(way: str, releases: Path, folder: Path) -> Path:
    """A committed project of the first release."""
    settings = folder / "settings.yaml"
    settings.write_text(f"cookiecutters_dir: {folder}/cache\nreplay_dir: {folder}/replay\n")
    words = [f"{question}={answer}" for question, answer in ANSWERS.items()]
    plain: list[str | Path] = [TOOLS / "cookiecutter", "--no-input", "--config-file", settings, "-o", folder]
    cruft: list[str | Path] = [
        TOOLS / "cruft",
        "create",
        "--no-input",
        "--config-file",
        settings,
        "--output-dir",
        folder,
        "-c",
        RELEASED,
    ]
    commands: dict[str, list[str | Path]] = {
        "cookiecutter": [*plain, "-c", RELEASED, f"git+file://{releases}", *words],
        "zip": [*plain, releases.parent / "template.zip", *words],
        "cruft": [*cruft, "--extra-context", json.dumps(ANSWERS), releases],
    }
    run(*commands[way], cwd=folder)
    project = folder / "late-trains"
    git("init", "--quiet", cwd=project)
    commit(project, "Start")
    return project


@pytest.mark.parametrize("way", ["cookiecutter", "zip", "cruft"])
def test_update_keeps_the_edits(way: str, releases: Path, tmp_path: Path) -> None:
    project = made(way, releases, tmp_path)
    readme = project / "README.md"
    readme.write_text(readme.read_text().replace("## Start\n", "## Start\n\nOurs.\n"))
    (project / "src" / "late_trains" / "ours.py").write_text("OURS = 1\n")
    (project / "CODEOWNERS").write_text("* @us\n")
    commit(project, "Ours")
    before = files(project)

    done = make(project, "update", f"FROM={releases}", f"TO={NEXT}")

    assert f"Updated to {NEXT}." in done.stdout
    after = files(project)
    assert set(after) - set(before) == {"docs/new.md"}
    assert set(before) - set(after) == {".editorconfig"}
    changed = {name for name in set(before) & set(after) if before[name] != after[name]}
    assert changed == {"README.md", "pyproject.toml"}
    assert "\nOurs.\n" in readme.read_text()
    assert readme.read_text().endswith("\nAdded by the next release.\n")
    assert (project / "pyproject.toml").read_text() == before["pyproject.toml"].decode().replace(
        f'version = "{RELEASED}"\n\n[tool.mlops-template.answers]',
        f'version = "{NEXT}"\n\n[tool.mlops-template.answers]',
    )
    assert json.loads((project / ".cruft.json").read_text())["checkout"] == NEXT
    commit(project, "Update")
    assert "already up to date" in make(project, "update", f"FROM={releases}").stdout


def test_conflict_is_left_to_the_user(releases: Path, tmp_path: Path) -> None:
    project = made("cookiecutter", releases, tmp_path)
    with (project / "README.md").open("a") as readme:
        readme.write("\nOurs at the same place.\n")
    commit(project, "Ours")
    done = make(project, "update", f"FROM={releases}", f"TO={NEXT}", check=False)
    assert done.returncode == 2
    assert "Resolve by hand, then commit: README.md\n" in done.stderr
    text = (project / "README.md").read_text()
    assert "Ours at the same place." in text
    assert "Added by the next release." in text


def test_refused(releases: Path, tmp_path: Path) -> None:
    project = made("cookiecutter", releases, tmp_path)
    kept = files(project)

    def refusal(*words: str) -> str:
        done = make(project, "update", *words, check=False)
        assert done.returncode == 2
        assert not (project / ".cruft.json").exists()
        (sentence,) = (line for line in done.stderr.splitlines() if line.startswith("refused: "))
        return sentence.removeprefix("refused: ")

    assert refusal("FROM=/nowhere/at all", f"TO={NEXT}").startswith(
        f"/nowhere/at all has no release {RELEASED}, which made"
    )
    assert refusal(f"FROM={releases}", "TO=7.7.7").startswith(f"cruft could not update from {releases} to 7.7.7: ")
    assert files(project) == kept
    (project / "README.md").write_text("changed\n")
    assert refusal(f"FROM={releases}") == "1 open changes (README.md): commit or stash them first, then make update"
    shutil.rmtree(project / ".git")
    assert refusal(f"FROM={releases}") == (
        "this folder is no Git repository, so an update could not be reviewed or undone: "
        'git init && git add --all && git commit --message "Start", then make update'
    )
    assert (project / "README.md").read_text() == "changed\n"
