"""Approvals: a committed file per bundle, whose commit's author is the approver (governance/approvals/README.md)."""

from datetime import date
from pathlib import Path

from pydantic import Field

from . import lineage
from .errors import Refused
from .records import Approval
from .strict import Strict, parse, read_yaml

FOLDER = "governance/approvals"
# At the ends of a name Git drops these from a commit; the trainer's name was not in one.
_DROPPED = " \t.,:;\"'\\"


class ApprovalFile(Strict):
    """governance/approvals/<bundle id>.yaml"""

    bundle: str = Field(pattern="^[0-9a-f]{64}$")
    reason: str = Field(min_length=1)
    date: date


def check(root: Path, bundle_id: str, trainer: str) -> Approval:
    """Give the approval of a bundle; Refused when there is none by another person than the trainer."""
    file = f"{FOLDER}/{bundle_id}.yaml"
    if not (root / file).is_file():
        raise Refused(f"{file}: there is no approval of this bundle; {FOLDER}/README.md says how to give one")
    _check_repository(root, file)
    approval = parse(ApprovalFile, read_yaml(root / file, file), file)
    if approval.bundle != bundle_id:
        raise Refused(f"{file}: bundle: {approval.bundle}: this approves another bundle than the one it is named after")
    commit, approver, committed = _only_commit(root, file)
    _check_other_person(file, approver, lineage.canonical_person(root, trainer))
    return Approval(approver=approver, commit=commit, date=committed, reason=approval.reason)


def _check_repository(root: Path, file: str) -> None:
    if reason := lineage.no_repository(root):
        raise Refused(f"{file}: an approval is a commit, made by somebody else than the trainer, and {reason}")
    if lineage.git(root, "rev-parse", "--is-shallow-repository") == "true":
        raise Refused(f"{file}: this clone lacks the history that tells who approved; run: git fetch --unshallow")


def _only_commit(root: Path, file: str) -> tuple[str, str, str]:
    if lineage.git(root, "ls-files", "--error-unmatch", "--", file) is None:
        raise Refused(f"{file}: the approval is not committed: the author of its commit is the approver")
    # Full history: the default would leave out an edit that a merge took back.
    log = lineage.git(root, "log", "--use-mailmap", "--full-history", "--format=%H %aI %aN <%aE>", "--", file)
    commits = log.split("\n") if log else []
    if not commits or lineage.git(root, "status", "--porcelain", "--", file):
        raise Refused(f"{file}: commit this approval as it is: the author of its commit is the approver")
    if len(commits) > 1:
        raise Refused(f"{file}: edited after it was given ({len(commits)} commits): it approves nothing any more")
    commit, committed, approver = commits[0].split(" ", 2)
    return commit, approver, committed


def _check_other_person(file: str, approver: str, trainer: str) -> None:
    """Two identities are one person when the mail or the name is the same, after `.mailmap`.

    The trainer may be an account without a mail address; an approver must have one, since two that have none could be
    anybody, and the same.
    """
    if "@" not in lineage.name_and_mail(approver)[1]:
        raise Refused(
            f"{file}: approved by {approver}, without a mail address that tells who this is: git config user.email, "
            "then git commit --amend --reset-author"
        )
    if _known_as(approver) & _known_as(trainer):
        raise Refused(f"{file}: approved by {approver}, who trained this bundle: another person must approve")


def _known_as(person: str) -> set[str]:
    parts = (part.casefold().strip(_DROPPED) for part in (person, *lineage.name_and_mail(person)))
    return {part for part in parts if part}
