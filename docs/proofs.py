"""The table of proofs in README.md: what the tests that are marked `proof("claim")` have shown, by the evidence of their last run.

A claim has a row because a test is marked with it, and a result because that test ran: nobody writes the table.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EVIDENCE = ROOT / "build" / "evidence"
"""Written by `make test` (template.json, and project-*.json by the projects that it generates), by `make test-cluster` and by `make test-terraform`."""
README = ROOT / "README.md"
TABLE = re.compile(r"(?<=<!-- proofs: written by `make docs` -->\n).*?(?=<!-- end of proofs -->)", re.DOTALL)
ROW = re.compile(r"^\| (?P<claim>.+?) \| (?P<tests>`.+?`) \| .+? \|$", re.MULTILINE)
PROJECT = "project: "
"""Before the name of a test that every generated project has."""
TESTS = ("tests", "tests/e2e", "tests/terraform")
TESTS_OF_A_PROJECT = (
    "tests/unit",
    "tests/pipelines",
    "tests/serving",
    "tests/cluster",
    "tests/terraform",
    "tests/kill",
)


@dataclass(frozen=True)
class Test:
    """One marked test: its parametrised cases are one."""

    claim: str
    name: str


def marked(folder: Path, python: Path, scratch: Path, *tests: str) -> set[Test]:
    """The marked tests that pytest collects in a folder."""
    command = [
        python,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--collect-only",
        f"--evidence={scratch}",
        *tests,
    ]
    environment = {"PYTHONPATH": "src", "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return {Test(found["claim"], name(found["id"])) for found in read(scratch)["tests"]}


def collected(project: Path, python: Path, scratch: Path) -> set[Test]:
    """All marked tests: the template's, and those of a generated project."""
    # Each for itself: of a folder and one inside it pytest takes the outer only, in which `norecursedirs` leaves the inner out.
    here = {test for folder in TESTS for test in marked(ROOT, Path(sys.executable), scratch / "template.json", folder)}
    there = marked(project, python, scratch / "project.json", *TESTS_OF_A_PROJECT)
    return here | {Test(test.claim, PROJECT + test.name) for test in there}


def name(case: str) -> str:
    return case.partition("[")[0].removeprefix("tests/")


def read(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


@dataclass(frozen=True)
class Case:
    """One case of a marked test in the last run."""

    outcome: str
    commit: str


def outcomes() -> dict[str, list[Case]]:
    """The cases of each marked test in the last runs."""
    found: dict[str, dict[str, Case]] = {}
    for file in sorted(EVIDENCE.glob("*.json")):
        run, prefix = read(file), PROJECT if file.name.startswith("project-") else ""
        for test in run["tests"]:
            # Every project has the same tests; of those here some run in two ways of `make`, and are one case.
            case = f"{file.name} {test['id']}" if prefix else test["id"]
            cases = found.setdefault(prefix + name(test["id"]), {})
            if case not in cases or test["outcome"] != "not run":
                cases[case] = Case(test["outcome"], commit(run))
    return {each: list(cases.values()) for each, cases in found.items()}


def commit(run: dict[str, Any]) -> str:
    return f"{run['commit'][:10]}{' with changes' if run['dirty'] else ''}" if run["commit"] else "none"


def result(cases: Iterable[str]) -> str:
    """One word for a claim, and how many cases were behind it."""
    found = list(cases)
    if "failed" in found:
        return "failed"
    if not found or "not run" in found:
        return "not run"
    return f"passed ({len(found)})"


def table(tests: set[Test]) -> str:
    """Markdown: claim, tests, result with the number of cases, commit."""
    found = outcomes()
    lines = ["| claim | proven by | result | commit |\n", "|---|---|---|---|\n"]
    for claim in sorted({test.claim for test in tests}):
        names = sorted(test.name for test in tests if test.claim == claim)
        cases = [case for each in names for case in found.get(each, [Case("not run", "")])]
        said = result(case.outcome for case in cases)
        commits = ", ".join(sorted({case.commit for case in cases})) if said != "not run" else ""
        shown = "<br>".join(f"`{each}`" for each in names)
        lines.append(f"| {claim} | {shown} | {said} | {commits} |\n")
    return "".join(lines)


def write(tests: set[Test]) -> None:
    """Put the table into README.md."""
    text = README.read_text(encoding="utf-8")
    README.write_text(TABLE.sub(lambda _: table(tests), text), encoding="utf-8")


def shown() -> set[Test]:
    """The claims and tests that README.md names now."""
    found = TABLE.search(README.read_text(encoding="utf-8"))
    rows = ROW.finditer(found[0]) if found else []
    return {Test(row["claim"], name_) for row in rows for name_ in re.findall(r"`(.+?)`", row["tests"])}
