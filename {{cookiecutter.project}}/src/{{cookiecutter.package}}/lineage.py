"""Where a model comes from: the commit, and the person who trains or promotes."""

import getpass
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """The commit and whether the tree differs from it; or neither, with the reason."""

    commit: str | None
    dirty: bool | None
    reason: str | None


def source(root: Path) -> Source:
    """Say which commit the project is at. A commit counts only when the repository is the project's own."""
    try:
        top = git(root, "rev-parse", "--show-toplevel")
    except FileNotFoundError:
        return Source(None, None, "git is not installed")
    if top is None:
        return Source(None, None, "the project is in no Git repository")
    if Path(top).resolve() != root.resolve():
        return Source(None, None, "the Git repository's top level is not the project's root")
    commit = git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if commit is None:
        return Source(None, None, "the Git repository has no commit yet")
    return Source(commit, bool(git(root, "status", "--porcelain")), None)


def person(root: Path) -> str:
    """Name who acts: Git's user (as `.mailmap` writes it), else the account."""
    try:
        name = os.environ.get("GIT_AUTHOR_NAME") or git(root, "config", "user.name")
        mail = os.environ.get("GIT_AUTHOR_EMAIL") or git(root, "config", "user.email")
    except FileNotFoundError:
        return account()
    if not name or not mail:
        return account()
    return canonical_person(root, f"{name} <{mail}>")


def canonical_person(root: Path, identity: str) -> str:
    """Write `name <mail>` the way `.mailmap` does; anything else stays as it is."""
    if not identity.endswith(">"):
        return identity
    return git(root, "check-mailmap", identity) or identity


def account() -> str:
    """Name the account that runs this; a container may have a number only."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def git(root: Path, *arguments: str) -> str | None:
    """Give what a git command prints; None when it fails (no repository, no such object, not set)."""
    done = subprocess.run(
        ["git", "--no-optional-locks", "-C", str(root), *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None
