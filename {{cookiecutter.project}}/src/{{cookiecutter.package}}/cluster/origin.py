"""Which commit an environment's images were made of, whether the work tree still is that, and what brings others there."""

import re
from pathlib import Path

from .. import advice, lineage
from ..settings import Settings

DIRTY = "-dirty"
SOURCES = (
    "Dockerfile",
    "config",
    "requirements/serving.txt",
    "requirements/tasks.txt",
    "requirements/training.txt",
    "samples",
    "src",
)
"""What images are made of, but for pyproject.toml: of that they read the project's names alone."""

_COMMIT = re.compile(r"  - name: (\S+) # built from ([0-9a-f]{12,64}(?:-dirty)?)\n")


def commits(file: Path) -> dict[str, str]:
    """By an image's name the commit that it was built from, as images/kustomization.yaml says; Git may not know it here."""
    return dict(_COMMIT.findall(file.read_text())) if file.exists() else {}


def outdated(settings: Settings, environment: str) -> str:
    """A note for who applies or runs images that were made of something else than the work tree; empty where Git cannot tell."""
    if (folder := settings.overlay(environment)) is None:
        return ""
    known = commits(folder / "images" / "kustomization.yaml")
    for commit in sorted({known[kind] for kind in ("serving", "pipeline") if kind in known}):
        if changed := _changed(settings.root, commit):
            verb, them = ("differs", "it") if len(changed) == 1 else ("differ", "them")
            remedy = f"make image{advice.option(environment)} takes {them} over"
            if before := _before(settings, environment):
                remedy = f"let {before} try {them}, then copy its images, and commit: {_copy(before, environment)}"
            what = f"{' and '.join(changed)} {verb} from what the images were made of (commit {commit[:8]})"
            return f"note: {what}: {remedy}"
    return ""


def first(settings: Settings, environment: str) -> str:
    """What brings the first images to an environment, as a sentence about their lack goes on."""
    if (before := _before(settings, environment)) is None:
        return f"make image{advice.option(environment)} first"
    return f"first copy those that {before} has tried, and commit: {_copy(before, environment)}"


def uncommitted(root: Path) -> str:
    """A note for who builds of a tree that is no commit; empty where it is one."""
    # Overlays go into no image, and `make image` itself writes into one.
    found = lineage.git(root, "status", "--porcelain", "--", ".", ":!k8s/overlays") or ""
    names = [line[2:].strip() for line in found.splitlines()]
    if not names:
        return ""
    more = ", …" if len(names) > 3 else ""
    return (
        f"note: {', '.join(names[:3])}{more}: not committed, so the images are called {DIRTY} and nobody can build them again: "
        "deploy them to no environment after dev"
    )


def _before(settings: Settings, environment: str) -> str | None:
    """The environment whose images are copied: they are built where the way to prod begins, and nowhere else."""
    before = settings.environment(environment).rule.after
    return before if before is not None and settings.overlay(before) is not None else None


def _copy(before: str, environment: str) -> str:
    return f"cp k8s/overlays/{before}/images/kustomization.yaml k8s/overlays/{environment}/images/"


def _changed(root: Path, commit: str) -> list[str]:
    """The folders and files of the sources that are not as in a commit; none where there is no such commit here, as of a tree that was dirty."""
    if lineage.no_repository(root) is not None:
        return []
    differing = lineage.git(root, "diff", "--name-only", commit, "--", *SOURCES)
    if differing is None:
        return []
    new = lineage.git(root, "ls-files", "--others", "--exclude-standard", "--", *SOURCES) or ""
    tops = {f"{name.partition('/')[0]}/" if "/" in name else name for name in (differing + "\n" + new).splitlines()}
    return sorted(tops - {""})
