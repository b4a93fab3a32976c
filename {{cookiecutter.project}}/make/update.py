"""`make update`: bring this project to another release of the template it came from; the edits of its owners stay.

Only the standard library, so that it works whatever the project's own packages are. Cruft does the work, in an
environment of its own. make/committed.sh has seen before that there is no open change.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

LINK = Path(".cruft.json")
"""Where cruft remembers the template, its folder, the release and the answers."""
COMMIT = re.compile("[0-9a-f]{7,40}")


class Refused(Exception):
    """What the user asked cannot be done; the text says what to do instead."""


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), text=True, capture_output=True, check=False)


def chosen(origin: str, wanted: str) -> str:
    """What to update to: the release, branch or commit that was named, else the newest release."""
    listed = run("git", "ls-remote", "--refs", "--sort=-version:refname", origin)
    if listed.returncode:
        # What git says after it is advice that fits only some cases.
        reason = listed.stderr.strip().partition("\n")[0]
        raise Refused(f"the template {origin} cannot be read ({reason}): name another with FROM=")
    names = [line.partition("\trefs/")[2] for line in listed.stdout.splitlines()]
    releases = [name.removeprefix("tags/") for name in names if name.startswith("tags/")]
    if not wanted and not releases:
        raise Refused(f"the template {origin} has no release: name a branch or commit with TO=")
    if wanted and not {f"tags/{wanted}", f"heads/{wanted}"} & set(names) and not COMMIT.fullmatch(wanted):
        newest = ", ".join(releases[:5]) or "none"
        raise Refused(f"TO={wanted}: {origin} has no such release, branch or commit; its newest releases: {newest}")
    return wanted or releases[0]


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1].strip()


def link(cruft: Path, origin: str, directory: str, made_by: dict[str, Any]) -> None:
    """Write the `.cruft.json` that plain cookiecutter does not write."""
    options = ["--checkout", made_by["version"], "--extra-context", json.dumps(made_by["answers"])]
    if directory:
        options += ["--directory", directory]
    linked = run(cruft, "link", "--no-input", *options, origin)
    check_directory(linked, origin, directory)
    if linked.returncode:
        raise Refused(
            f"{origin} has no release {made_by['version']}, which made this project (pyproject.toml: "
            f"tool.mlops-template.version): {last_line(linked.stderr)}"
        )


def check_directory(done: subprocess.CompletedProcess[str], origin: str, directory: str) -> None:
    """Cruft clones a repository and then looks for the template in one folder of it."""
    if done.returncode and "UnableToFindCookiecutterTemplate" in done.stderr:
        place = f"the folder {directory} of {origin}" if directory else f"the top folder of {origin}"
        raise Refused(f"{place} holds no template: name the folder that does with DIRECTORY=")


def answered(text: str, known: dict[str, str]) -> dict[str, str]:
    """The one answer that shall be another from now on, out of QUESTION=ANSWER."""
    question, is_given, answer = text.partition("=")
    if text and not is_given:
        raise Refused(f"ANSWER={text}: must be a question and its new answer, such as ANSWER=cloud=aws")
    if text and question not in known:
        raise Refused(f"ANSWER={text}: there is no question {question}; there are {', '.join(known)}")
    return {question: answer} if text and known[question] != answer else {}


def update(cruft: Path, origin: str, directory: str, release: str, answers: dict[str, str]) -> list[str] | None:
    """Apply the difference between the two releases, and that of answers; return the files whose conflicts are left to the user.

    None without any difference.
    """
    state = json.loads(LINK.read_text(encoding="utf-8")) | {"template": origin, "directory": directory or None}
    LINK.write_text(json.dumps(state, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    # Cruft refuses to work beside changes, and this one is for its own use.
    run("git", "update-index", "--skip-worktree", LINK)
    new = ["--variables-to-update", json.dumps(answers)] if answers else []
    try:
        updated = run(cruft, "update", "--skip-apply-ask", "--allow-untracked-files", "--checkout", release, *new)
    finally:
        run("git", "update-index", "--no-skip-worktree", LINK)
    check_directory(updated, origin, directory)
    if updated.returncode:
        print(updated.stdout, end="")
        asked = "".join(f" with {question}={answer}" for question, answer in answers.items())
        raise Refused(f"cruft could not update from {origin} to {release}{asked}: {last_line(updated.stderr)}")
    if "already up to date" in updated.stdout:
        return None
    print(updated.stdout, end="")
    rejected = run("git", "ls-files", "--others", "--exclude-standard", "*.rej").stdout.splitlines()
    return run("git", "diff", "--name-only", "--diff-filter=U").stdout.splitlines() + rejected


def main() -> int:
    parser = argparse.ArgumentParser(prog="make update", description=__doc__)
    parser.add_argument("--from", dest="origin", default="", help="address or path of the template")
    parser.add_argument("--directory", default="", help="the template's folder, where it is not the repository's top")
    parser.add_argument("--to", dest="release", default="", help="tag, branch or commit; the newest release when empty")
    parser.add_argument("--answer", default="", metavar="QUESTION=ANSWER", help="another answer than until now")
    parser.add_argument("--cruft", type=Path, required=True, help="the program that does the work")
    options = parser.parse_args()
    made_by = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["mlops-template"]
    before = LINK.read_text(encoding="utf-8") if LINK.exists() else None
    linked = {"template": made_by["origin"], "directory": None} | json.loads(before or "{}")
    try:
        origin, directory = options.origin or linked["template"], options.directory or linked["directory"] or ""
        origin = str(Path(origin).resolve()) if Path(origin).exists() else origin
        answers = answered(options.answer, made_by["answers"] | {"cloud": made_by["answers"].get("cloud", "local")})
        release = chosen(origin, options.release)
        if before is None:
            link(options.cruft, origin, directory, made_by)
        conflicts = update(options.cruft, origin, directory, release, answers)
    except Refused as refusal:
        if before is None:
            LINK.unlink(missing_ok=True)
        else:
            LINK.write_text(before, encoding="utf-8")
        print(f"refused: {refusal}", file=sys.stderr)
        return 1
    if conflicts is None:
        print(f"Nothing to do: this project is already up to date with {release}.")
        return 0
    if conflicts:
        print(f"Resolve by hand, then commit: {', '.join(conflicts)}", file=sys.stderr)
        return 1
    print(f"Updated to {release}. Look at it (git diff HEAD), run make test, then commit.")
    return 0


if __name__ == "__main__":
    # Cookiecutter writes each hook that it runs where temporary files go, and leaves it there.
    with tempfile.TemporaryDirectory(prefix="update-") as folder:
        os.environ["TMPDIR"] = folder
        sys.exit(main())
