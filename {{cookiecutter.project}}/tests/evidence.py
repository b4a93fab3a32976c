"""What was proven: the outcome of each test that is marked `proof("claim")`, as JSON, for those who ask (`--evidence=FILE`)."""

import json
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

CLAIM = "proof"
NOT_RUN = "not run"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--evidence", type=Path, metavar="FILE", help="write what the marked tests have proven")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{CLAIM}(claim): the test proves this to a reader of the README")
    file = config.getoption("--evidence")
    if file and not hasattr(config, "workerinput"):  # of several processes, the one that hears of all tests
        config.pluginmanager.register(Evidence(file, config.rootpath))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Reports travel between processes, markers do not."""
    for item in items:
        if marker := item.get_closest_marker(CLAIM):
            item.user_properties.append((CLAIM, marker.args[0]))


class Evidence:
    """Collects the outcomes of one run and writes them at its end."""

    def __init__(self, file: Path, root: Path) -> None:
        self.file, self.root = file, root
        self.tests: dict[str, dict[str, Any]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            self._add(item.nodeid, item.user_properties)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = self._add(report.nodeid, report.user_properties)
        if test is None:
            return
        test["seconds"] = round(test["seconds"] + report.duration, 2)
        if report.when == "call":
            test["counted"] = [value for name, value in report.user_properties if name == "counted"]
        if report.failed:
            test["outcome"] = "failed"
        elif report.when == "call" and report.passed:
            test["outcome"] = "passed"

    def pytest_sessionfinish(self) -> None:
        commit = self._git("rev-parse", "HEAD")
        document = {
            "format": 1,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": commit,
            "dirty": bool(self._git("status", "--porcelain")) if commit else None,
            "tests": sorted(self.tests.values(), key=lambda test: str(test["id"])),
        }
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")

    def _add(self, name: str, properties: Iterable[tuple[str, object]]) -> dict[str, Any] | None:
        claim = dict(properties).get(CLAIM)
        if claim is None:
            return None
        return self.tests.setdefault(
            name, {"id": name, "claim": claim, "outcome": NOT_RUN, "seconds": 0.0, "counted": []}
        )

    def _git(self, *words: str) -> str | None:
        try:
            done = subprocess.run(["git", *words], cwd=self.root, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None
