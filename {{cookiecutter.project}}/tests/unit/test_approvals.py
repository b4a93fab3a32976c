from pathlib import Path

import pytest

from {{ cookiecutter.package }} import approvals, lineage
from {{ cookiecutter.package }}.errors import Refused

from .git_helpers import commit, git, isolated, start

BUNDLE = "ab" * 32
FILE = f"governance/approvals/{BUNDLE}.yaml"
TEXT = f"bundle: {BUNDLE}\nreason: errors read, no group is worse off\ndate: 2026-11-24\n"
TRAINER = "Tess Trainer <tess@example.org>"
APPROVER = "Ann Approver <ann@example.org>"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    isolated(monkeypatch)
    commit(start(tmp_path), TRAINER, {"README.md": "a project\n"})
    return tmp_path


def refusal(root: Path, trainer: str = TRAINER) -> str:
    with pytest.raises(Refused) as refused:
        approvals.check(root, BUNDLE, trainer)
    assert str(refused.value).startswith(f"{FILE}: ")
    return str(refused.value).removeprefix(f"{FILE}: ")


def test_another_person_approves(project: Path) -> None:
    commit(project, APPROVER, {FILE: TEXT})
    commit(project, TRAINER, {"README.md": "changed since\n"})
    approval = approvals.check(project, BUNDLE, TRAINER)
    assert (approval.approver, approval.reason) == (APPROVER, "errors read, no group is worse off")
    assert len(approval.commit) == 40


def test_an_account_may_have_trained(project: Path) -> None:
    commit(project, APPROVER, {FILE: TEXT})
    assert approvals.check(project, BUNDLE, "pipeline-runner").approver == APPROVER


@pytest.mark.parametrize("account", ["Ann Approver", "ann@example.org", APPROVER.upper()])
def test_an_account_of_the_approvers_name_is_the_approver(project: Path, account: str) -> None:
    commit(project, APPROVER, {FILE: TEXT})
    assert "another person must approve" in refusal(project, account)


# What the standard library's parser of addresses takes apart otherwise, or not at all.
NAMES = ["Doe, John", "Doe, Ann (Risk)", 'Ann "the <bold>" Doe', "Ann: Risk Jr.;", "ann@work", "Ann\tDoe", "Ånn", "-h"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_that_git_takes_is_told_from_others_and_not_from_itself(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", name)
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "doe@example.org")
    approved = commit(project, None, {FILE: TEXT})
    author = git(project, "log", "-1", "--format=%aN <%aE>", approved)
    assert approvals.check(project, BUNDLE, TRAINER).approver == author
    assert "another person must approve" in refusal(project, lineage.person(project))
    for trainer in (f"{name} <doe@example.org>", "Somebody <doe@example.org>", f"{name} <other@example.org>"):
        assert "another person must approve" in refusal(project, trainer)


@pytest.mark.parametrize("author", ["Ann <>", "Doe, Ann <>", "Ann <ann>"])
@pytest.mark.parametrize("trainer", [TRAINER, "tess", "Doe, Tess <>"])
def test_an_approver_without_a_mail_address_could_be_anybody(project: Path, author: str, trainer: str) -> None:
    commit(project, author, {FILE: TEXT})
    assert refusal(project, trainer).startswith(f"approved by {author}, without a mail address that tells who this is")


@pytest.mark.proof("Where an approval is demanded, a second person must have committed it; the record keeps who")
@pytest.mark.parametrize(
    ("author", "mailmap"),
    [
        (TRAINER, ""),
        ("Tess T. <TESS@example.org>", ""),
        ("Tess Trainer <tess@home.example>", ""),
        ("tt <tt@home.example>", "Tess Trainer <tess@example.org> <tt@home.example>\n"),
    ],
    ids=["same", "same mail", "same name", "another mail of .mailmap"],
)
def test_the_trainer_cannot_approve(project: Path, author: str, mailmap: str) -> None:
    commit(project, APPROVER, {".mailmap": mailmap})
    commit(project, author, {FILE: TEXT})
    assert "who trained this bundle: another person must approve" in refusal(project)


def test_the_trainer_may_have_trained_under_another_address(project: Path) -> None:
    commit(project, APPROVER, {".mailmap": "Ann Approver <ann@example.org> <aa@home.example>\n"})
    commit(project, APPROVER, {FILE: TEXT})
    assert "another person must approve" in refusal(project, "A. A. <aa@home.example>")


def test_there_is_none(project: Path) -> None:
    assert refusal(project).startswith("there is no approval of this bundle; governance/approvals/README.md says how")


def test_no_repository(project: Path) -> None:
    (project / FILE).parent.mkdir(parents=True)
    (project / FILE).write_text(TEXT)
    (project / ".git").rename(project / "elsewhere")
    rule = "an approval is a commit, made by somebody else than the trainer"
    assert refusal(project) == f"{rule}, and the project is in no Git repository"


def test_what_an_image_states_about_itself_approves_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(project, APPROVER, {FILE: TEXT})
    (project / ".git").rename(project / "elsewhere")
    monkeypatch.setenv("SOURCE_COMMIT", "a" * 40)
    assert refusal(project).endswith("and the project is in no Git repository")


def test_a_repository_of_another_owner(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(project, APPROVER, {FILE: TEXT})
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    sentence = f"Git reads no repository of another owner; run: git config --global --add safe.directory {project}"
    assert refusal(project).endswith(f", and {sentence}")


@pytest.mark.proof("Where an approval is demanded, a second person must have committed it; the record keeps who")
def test_not_committed(project: Path) -> None:
    (project / FILE).parent.mkdir(parents=True)
    (project / FILE).write_text(TEXT)
    assert refusal(project) == "the approval is not committed: the author of its commit is the approver"
    git(project, "add", FILE)
    assert refusal(project) == "commit this approval as it is: the author of its commit is the approver"


def test_changed_in_the_working_tree(project: Path) -> None:
    commit(project, APPROVER, {FILE: TEXT})
    (project / FILE).write_text(TEXT.replace("errors read", "nothing read"))
    assert refusal(project) == "commit this approval as it is: the author of its commit is the approver"


@pytest.mark.proof("Where an approval is demanded, a second person must have committed it; the record keeps who")
@pytest.mark.parametrize("back", [False, True], ids=["edited", "edited and edited back"])
def test_edited_later(project: Path, back: bool) -> None:
    commit(project, TRAINER, {FILE: TEXT.replace("errors read", "no errors read")})
    commit(project, APPROVER, {FILE: TEXT})
    if back:
        commit(project, APPROVER, {FILE: TEXT.replace("errors read", "no errors read")})
    assert refusal(project) == f"edited after it was given ({3 if back else 2} commits): it approves nothing any more"


def test_edited_in_a_merge(project: Path) -> None:
    commit(project, APPROVER, {FILE: TEXT})
    git(project, "checkout", "--quiet", "-b", "side", "HEAD~1")
    commit(project, TRAINER, {"other": "x\n"})
    git(project, "merge", "--quiet", "--no-commit", "--no-ff", "main")
    commit(project, TRAINER, {FILE: TEXT.replace("errors read", "all good")})
    assert refusal(project).startswith("edited after it was given")


def test_another_bundle(project: Path) -> None:
    commit(project, APPROVER, {FILE: TEXT.replace(BUNDLE, "cd" * 32)})
    assert refusal(project) == f"bundle: {'cd' * 32}: this approves another bundle than the one it is named after"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("reason: errors read, no group is worse off\n", "", "reason: missing: this key is required"),
        ("reason: errors read, no group is worse off", 'reason: ""', "reason: must not be empty"),
        ("2026-11-24", "yesterday", "date: yesterday: "),
        ("date:", "approved_by: Ann\ndate:", "approved_by: Ann: unknown key; remove it or correct its name"),
    ],
)
def test_what_the_file_must_say(project: Path, old: str, new: str, sentence: str) -> None:
    assert old in TEXT
    commit(project, APPROVER, {FILE: TEXT.replace(old, new)})
    assert refusal(project).startswith(sentence)


def test_a_shallow_clone_knows_no_authors(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    commit(project, TRAINER, {FILE: TEXT})
    commit(project, APPROVER, {"README.md": "newer\n"})
    clone = tmp_path_factory.mktemp("clones") / "shallow"
    git(project, "clone", "--quiet", "--depth=1", project.as_uri(), str(clone))
    assert refusal(clone).startswith("this clone lacks the history")
