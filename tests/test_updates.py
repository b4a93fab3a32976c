"""`make update` takes over a later release and keeps what the owners changed, however the project was made."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import NEXT, RELEASED, Bake, commit, files, git, make, run
from test_fetching import WAYS, fetch

ANSWERS = {"title": "Late Trains", "description": 'Says "late" \\ or not {} %}.', "license": "MIT"}


def made(way: str, sources: Path, folder: Path) -> Path:
    """A committed project of the first release."""
    fetch(way, sources, folder, **ANSWERS)
    project = folder / "late-trains"
    git("init", "--quiet", cwd=project)
    commit(project, "Start")
    return project


def place(way: str, sources: Path) -> list[str]:
    """How `make update` is told where the template is; what cruft made knows it."""
    if way.startswith("cruft"):
        return []
    if way == "git-directory":
        return [f"FROM=file://{sources}/mono.git", "DIRECTORY=a/b"]
    return [f"FROM=file://{sources}/bare.git"]


@pytest.mark.proof("`make update` brings a later release and keeps every edit, however the project was made")
@pytest.mark.parametrize("way", WAYS)
def test_update_keeps_the_edits(way: str, sources: Path, tmp_path: Path) -> None:
    project = made(way, sources, tmp_path)
    readme = project / "README.md"
    readme.write_text(readme.read_text().replace("## Start\n", "## Start\n\nOurs.\n"))
    (project / "src" / "late_trains" / "ours.py").write_text("OURS = 1\n")
    (project / "CODEOWNERS").write_text("* @us\n")
    commit(project, "Ours")
    before = files(project)

    done = make(project, "update", *place(way, sources))

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


@pytest.mark.parametrize("way", ["git", "git-directory"])
def test_an_updated_project_knows_where_the_template_is(way: str, sources: Path, tmp_path: Path) -> None:
    project = made(way, sources, tmp_path)
    make(project, "update", *place(way, sources))
    commit(project, "Update")
    assert "already up to date" in make(project, "update").stdout


def test_a_project_that_cruft_made_can_move_to_another_copy(sources: Path, tmp_path: Path) -> None:
    project = made("cruft", sources, tmp_path)
    assert make(project, "update", f"FROM={sources}/tree", "TO=7.7.7", check=False).returncode == 2
    assert git("status", "--porcelain", cwd=project) == ""
    make(project, "update", f"FROM={sources}/tree")
    assert json.loads((project / ".cruft.json").read_text())["template"] == f"{sources}/tree"
    changed = git("diff", "HEAD", "--name-only", cwd=project).split()
    assert changed == [".cruft.json", ".editorconfig", "README.md", "docs/new.md", "pyproject.toml"]


def test_a_folder_without_template_is_refused(sources: Path, tmp_path: Path) -> None:
    project = made("git-directory", sources, tmp_path)
    origin = f"file://{sources}/mono.git"
    for words, where in (([], "the top folder of"), (["DIRECTORY=a"], "the folder a of")):
        done = make(project, "update", f"FROM={origin}", *words, check=False)
        sentence = f"refused: {where} {origin} holds no template: name the folder that does with DIRECTORY=\n"
        assert done.stderr.startswith(sentence)
        assert git("status", "--porcelain", cwd=project) == ""


def test_a_branch_can_be_named(sources: Path, tmp_path: Path) -> None:
    project = made("git", sources, tmp_path)
    done = make(project, "update", *place("git", sources), "TO=main")
    assert done.stdout == "Nothing to do: this project is already up to date with main.\n"


def test_an_update_leaves_no_temporary_file(sources: Path, tmp_path: Path) -> None:
    """Cookiecutter writes each hook, with the project's answers in it, where temporary files go, and leaves it there."""
    project = made("git", sources, tmp_path)
    (tmp_path / "temporary").mkdir()
    assert "Updated to" in make(project, "update", *place("git", sources), TMPDIR=str(tmp_path / "temporary")).stdout
    assert list((tmp_path / "temporary").iterdir()) == []


def test_conflict_is_left_to_the_user(sources: Path, tmp_path: Path) -> None:
    project = made("git", sources, tmp_path)
    with (project / "README.md").open("a") as readme:
        readme.write("\nOurs at the same place.\n")
    commit(project, "Ours")
    done = make(project, "update", *place("git", sources), f"TO={NEXT}", check=False)
    assert done.returncode == 2
    assert "Resolve by hand, then commit: README.md\n" in done.stderr
    text = (project / "README.md").read_text()
    assert "Ours at the same place." in text
    assert "Added by the next release." in text


@pytest.mark.proof(
    "The answer to where the clusters are can be changed later: the project is then what that answer gives, edits kept"
)
@pytest.mark.parametrize("way", ["git", "cruft"])
def test_another_cloud(way: str, sources: Path, tmp_path: Path, bake: Bake) -> None:
    project = made(way, sources, tmp_path)
    values = project / "terraform" / "environments" / "prod.tfvars"
    values.write_text(values.read_text().replace("= 9", "= 20"))
    commit(project, "Ours")
    for cloud in ("aws", "azure", "local"):
        done = make(project, "update", *place(way, sources), f"TO={RELEASED}", f"ANSWER=cloud={cloud}")
        assert f"Updated to {RELEASED}." in done.stdout
        commit(project, cloud)
        fresh = files(bake(**ANSWERS, cloud=cloud))
        own = "terraform/environments/prod.tfvars"
        assert "= 20" in files(project)[own].decode()
        fresh[own] = fresh[own].replace(b"= 9", b"= 20")
        assert files(project) == fresh
    assert make(project, "update", f"TO={RELEASED}", "ANSWER=cloud=local").stdout.startswith("Nothing to do: ")


def test_an_answer_that_there_is_not(sources: Path, tmp_path: Path) -> None:
    project = made("git", sources, tmp_path)

    def refusal(answer: str) -> str:
        done = make(project, "update", *place("git", sources), f"TO={RELEASED}", f"ANSWER={answer}", check=False)
        (sentence,) = (line for line in done.stderr.splitlines() if line.startswith("refused: "))
        assert git("status", "--porcelain", cwd=project) == ""
        return sentence.removeprefix("refused: ")

    assert refusal("aws") == "ANSWER=aws: must be a question and its new answer, such as ANSWER=cloud=aws"
    assert refusal("clod=aws").startswith(
        "ANSWER=clod=aws: there is no question clod; there are title, project, package"
    )
    said = refusal("cloud=oracle")
    assert said.startswith("cruft could not update from")
    assert said.endswith(f" to {RELEASED} with cloud=oracle: ['local', 'aws', 'gcp', 'azure'].")


def test_refused(sources: Path, tmp_path: Path) -> None:
    project = made("git", sources, tmp_path)
    kept, (origin,) = files(project), place("git", sources)
    address, other = origin.removeprefix("FROM="), tmp_path / "other"
    git("init", "--quiet", other, cwd=tmp_path)
    git("commit", "--quiet", "--allow-empty", "--message", "Other", cwd=other)
    git("tag", "3.0.0", cwd=other)

    def refusal(*words: str) -> str:
        done = make(project, "update", *words, check=False)
        assert done.returncode == 2
        assert not (project / ".cruft.json").exists()
        (sentence,) = (line for line in done.stderr.splitlines() if line.startswith("refused: "))
        return sentence.removeprefix("refused: ")

    assert refusal("FROM=/nowhere/at all").startswith(
        "the template /nowhere/at all cannot be read (fatal: '/nowhere/at all'"
    )
    assert refusal(f"FROM={other}").startswith(f"{other} has no release {RELEASED}, which made this project")
    assert refusal(origin, "TO=7.7.7") == (
        f"TO=7.7.7: {address} has no such release, branch or commit; its newest releases: {NEXT}, {RELEASED}"
    )
    nowhere = "0" * 40
    assert refusal(origin, f"TO={nowhere}").startswith(f"cruft could not update from {address} to {nowhere}: ")
    assert files(project) == kept
    (project / "README.md").write_text("changed\n")
    assert refusal(origin) == "1 open change (README.md): commit or stash them first, then make update"
    for name in ("LICENSE", "Makefile", "README.md", "pyproject.toml"):
        (project / name).write_text((project / name).read_text() + "\n")
    assert refusal(origin) == (
        "4 open changes (LICENSE, Makefile, README.md, …): commit or stash them first, then make update"
    )
    shutil.rmtree(project / ".git")
    assert refusal(origin) == (
        "this folder is no Git repository, so an update could not be reviewed or undone: "
        'git init && git add --all && git commit --message "Start", then make update'
    )
    assert (project / "README.md").read_text() == "changed\n\n"


def test_what_cannot_be_updated_is_refused_before_anything_is_installed(sources: Path, tmp_path: Path) -> None:
    project = made("git", sources, tmp_path)
    (project / "README.md").write_text("changed\n")
    done = run("make", "update", cwd=project, check=False)
    assert done.stderr.startswith("refused: 1 open change (README.md)")
    assert not (project / ".venv-update").exists()
