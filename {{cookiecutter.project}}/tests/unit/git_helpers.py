"""Repositories of a test's own, whatever Git is told on this machine."""

import os
import subprocess
from pathlib import Path

import pytest


def isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing but the test decide who commits and what Git trusts."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@x", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout.strip()


def start(root: Path) -> Path:
    """Make a folder a repository without a commit."""
    git(root, "init", "--quiet", "--initial-branch=main")
    return root


def commit(root: Path, author: str | None, files: dict[str, str]) -> str:
    """Commit these files, and whatever else has changed, as this author or Git's own; returns the commit's id."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "change", *(["--author", author] if author else []))
    return git(root, "rev-parse", "HEAD")
