"""Where a model comes from: the commit, and the person who trains or promotes."""

import getpass
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """The commit and whether the tree differs from it; or neither, with the reason."""

    commit: str | None
    dirty: bool | None
    reason: str | None


_STATED = re.compile("([0-9a-f]{40}|[0-9a-f]{64})(-dirty)?")


def source(root: Path) -> Source:
    """Say which commit the project is at: that of its own repository, else, in an image, what SOURCE_COMMIT states."""
    if (reason := no_repository(root)) is None:
        commit = git(root, "rev-parse", "--verify", "--quiet", "HEAD")
        if commit is None:
            return Source(None, None, "the Git repository has no commit yet")
        return Source(commit, bool(git(root, "status", "--porcelain")), None)
    stated = os.environ.get("SOURCE_COMMIT")
    if not stated or (root / ".git").exists():
        return Source(None, None, reason)
    if (found := _STATED.fullmatch(stated)) is None:
        return Source(
            None, None, f"SOURCE_COMMIT: {stated}: must be a whole commit id, with -dirty behind it or without"
        )
    return Source(found[1], found[2] is not None, None)


def no_repository(root: Path) -> str | None:
    """Say why the project's root is not the top of a repository that Git reads; None when it is."""
    try:
        done = _run(root, "rev-parse", "--show-toplevel")
    except FileNotFoundError:
        return "git is not installed"
    if done.returncode != 0:
        # Whatever its language, Git names the command that helps.
        fix = next((line.strip() for line in done.stderr.splitlines() if "safe.directory" in line), None)
        return f"Git reads no repository of another owner; run: {fix}" if fix else "the project is in no Git repository"
    if Path(done.stdout.strip()).resolve() != root.resolve():
        return "the Git repository's top level is not the project's root"
    return None


def person(root: Path) -> str:
    """Name who acts: Git's user (as `.mailmap` writes it), else the account."""
    name = os.environ.get("GIT_AUTHOR_NAME") or git(root, "config", "user.name")
    mail = os.environ.get("GIT_AUTHOR_EMAIL") or git(root, "config", "user.email")
    if not name or not mail:
        return account()
    return canonical_person(root, f"{name} <{mail}>")


def canonical_person(root: Path, identity: str) -> str:
    """Write `name <mail>` the way `.mailmap` does; anything else stays as it is."""
    name, mail = name_and_mail(identity)
    if not mail:
        return identity
    return git(root, "check-mailmap", f"{name} <{mail}>") or identity


def name_and_mail(identity: str) -> tuple[str, str]:
    """Part `name <mail>` as Git writes it; an account's name has no mail address.

    This is no address of RFC 5322, where a comma or a quote would part it: to Git they are letters like others. Angles
    inside a name it drops.
    """
    if not identity.endswith(">"):
        return identity, ""
    name, _, mail = identity.rpartition("<")
    return re.sub("[<>]", "", name).strip(), re.sub("[<>]", "", mail).strip()


def account() -> str:
    """Name the account that runs this; a container may have a number only."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def git(root: Path, *arguments: str) -> str | None:
    """Give what a git command prints; None when it fails (no repository, no such object, not set), or there is no git."""
    try:
        done = _run(root, *arguments)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    # Git writes UTF-8 whatever the locale is; a name in an old commit may be in anything.
    return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
