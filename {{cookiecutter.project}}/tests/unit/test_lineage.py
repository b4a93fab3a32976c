"""Where a model comes from: the commit or the reason why none is known, and who trained it."""

import getpass
import os
from pathlib import Path

import pytest

from {{ cookiecutter.package }} import lineage
from {{ cookiecutter.package }}.cluster.training import author
from {{ cookiecutter.package }}.lineage import Source

from .git_helpers import commit, git, isolated, start

ANN = "Ann <ann@example.org>"
STATED = "a" * 40


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    isolated(monkeypatch)
    monkeypatch.delenv("SOURCE_COMMIT", raising=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def committed(project: Path) -> str:
    return commit(start(project), ANN, {"file": "as committed\n", ".gitignore": "/artifacts/\n"})


def null(reason: str) -> Source:
    return Source(None, None, reason)


def test_a_clean_tree(project: Path, committed: str) -> None:
    (project / "artifacts").mkdir()
    (project / "artifacts" / "ignored").write_text("x")
    assert lineage.source(project) == Source(committed, False, None)


@pytest.mark.parametrize("name", ["file", "added"])
def test_a_tree_that_differs(project: Path, committed: str, name: str) -> None:
    (project / name).write_text("not committed\n")
    assert lineage.source(project) == Source(committed, True, None)


def test_no_repository(project: Path) -> None:
    assert lineage.source(project) == null("the project is in no Git repository")


def test_a_repository_around_the_project_is_not_its_own(project: Path) -> None:
    commit(start(project.parent), ANN, {"project/file": "x\n"})
    assert lineage.source(project) == null("the Git repository's top level is not the project's root")


def test_no_commit_yet(project: Path) -> None:
    assert lineage.source(start(project)) == null("the Git repository has no commit yet")


def test_git_is_not_installed(project: Path, committed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))
    assert lineage.source(project) == null("git is not installed")


@pytest.mark.parametrize("language", ["C", "de_DE.UTF-8"])
def test_a_repository_of_another_owner_is_named_with_the_fix(
    project: Path, committed: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", language)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    fix = f"git config --global --add safe.directory {project}"
    assert lineage.source(project) == null(f"Git reads no repository of another owner; run: {fix}")
    configured = project.parent / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configured))
    git(project.parent, *fix.split()[1:])
    assert lineage.source(project) == Source(committed, False, None)


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: only root can give a folder away")
def test_a_repository_that_really_is_anothers(project: Path, committed: str) -> None:
    os.chown(project, 12345, 12345)
    assert "; run: git config --global --add safe.directory" in (lineage.source(project).reason or "")


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        (STATED, Source(STATED, False, None)),
        (f"{STATED}-dirty", Source(STATED, True, None)),
        ("b" * 64, Source("b" * 64, False, None)),
        ("", null("the project is in no Git repository")),
        *(
            (wrong, null(f"SOURCE_COMMIT: {wrong}: must be a whole commit id, with -dirty behind it or without"))
            for wrong in ("main", "a" * 7, f"{STATED}-", f"{STATED}\n", "A" * 40)
        ),
    ],
)
def test_an_image_states_its_commit(project: Path, monkeypatch: pytest.MonkeyPatch, stated: str, found: Source) -> None:
    monkeypatch.setenv("SOURCE_COMMIT", stated)
    assert lineage.source(project) == found


def test_an_image_has_no_git(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))
    monkeypatch.setenv("SOURCE_COMMIT", STATED)
    assert lineage.source(project) == Source(STATED, False, None)


def test_a_repository_knows_better_than_what_is_stated(
    project: Path, committed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_COMMIT", STATED)
    assert lineage.source(project) == Source(committed, False, None)
    monkeypatch.setenv("PATH", str(project))
    assert lineage.source(project) == null("git is not installed")


def test_gits_user_acts(project: Path, committed: str) -> None:
    git(project, "config", "user.name", "Doe, Ann")
    git(project, "config", "user.email", "ann@example.org")
    assert lineage.person(project) == "Doe, Ann <ann@example.org>"


def test_gits_variables_come_first(project: Path, committed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    git(project, "config", "user.name", "Somebody")
    git(project, "config", "user.email", "somebody@example.org")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ann")
    assert lineage.person(project) == "Ann <somebody@example.org>"
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ann@example.org")
    assert lineage.person(project) == ANN


def test_the_mailmap_says_who_that_is(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(start(project), ANN, {".mailmap": f"{ANN} <aa@home.example>\n"})
    monkeypatch.setenv("GIT_AUTHOR_NAME", "A. A.")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "aa@home.example")
    assert lineage.person(project) == ANN
    assert lineage.canonical_person(project, "aa@home.example") == "aa@home.example"


@pytest.mark.parametrize("missing", ["user.name", "user.email", "git"])
def test_without_gits_user_the_account_acts(
    project: Path, committed: str, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name, value in {"user.name": "Ann", "user.email": "ann@example.org"}.items():
        if name != missing:
            git(project, "config", name, value)
    if missing == "git":
        monkeypatch.setenv("PATH", str(project))
    monkeypatch.setenv("LOGNAME", "ann")
    assert lineage.person(project) == "ann"


@pytest.mark.parametrize("error", [KeyError, OSError])
def test_an_account_may_have_a_number_only(
    project: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def unknown() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert lineage.person(project) == f"uid {os.getuid()}"


def test_in_an_image_without_git_the_variables_say_who_acts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ann")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ann@example.org")
    assert lineage.person(project) == "Ann <ann@example.org>"


def test_of_a_training_in_the_cluster_the_trainer_is_who_called() -> None:
    assert author("Doe, Ann <ann@example.org>") == [
        {"name": "GIT_AUTHOR_NAME", "value": "Doe, Ann"},
        {"name": "GIT_AUTHOR_EMAIL", "value": "ann@example.org"},
    ]
    (name, mail) = author("ann")
    assert name["value"] == "ann"
    assert mail["value"].startswith("ann@")
