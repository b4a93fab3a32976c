"""The tutorial, run as it is written: every command block, in the page's order, in one shell."""

import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import PROJECT_VENV, QUESTIONS, ROOT, TOOLS, free_port, git, inherited

PAGE = ROOT / "docs" / "tutorial" / "from-clone-to-prediction.md"
BLOCK = re.compile(r"^```(\w*)( background)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 600
# After `make serve` in its terminal, a person waits until it says that it serves.
READY = (
    "until curl --silent --fail http://127.0.0.1:8080/v2/health/ready > ready.json; do sleep 0.2; done; rm ready.json"
)


def blocks() -> list[tuple[str, bool, str]]:
    """Language, whether it goes on in another terminal, and text of each block."""
    return [(language, bool(background), text) for language, background, text in BLOCK.findall(PAGE.read_text())]


def contract_of_the_tutorial() -> str:
    """The config/data.yaml that the page ends with: of quite other data than the sample's."""
    found = re.search(r"cat > config/data.yaml <<'EOF'\n(.*?)^EOF$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_every_block_is_run() -> None:
    assert {language for language, _, _ in blocks()} == {"sh"}


def script(port: int) -> str:
    """The page as one script. Each command is shown before it runs, so that a failure can be found."""
    lines = ["set -eux"]
    for _, background, text in blocks():
        lines.append(f"({text.strip()}) > ../served.log 2>&1 &\n{READY}" if background else text)
    # What a first set-up takes minutes for is at hand already.
    ready_made = f"cd mlops-template\nmkdir build\nln -s {TOOLS.parent} build/tools\nln -s {PROJECT_VENV} build/venv\n"
    return "\n".join(lines).replace("cd mlops-template\n", ready_made).replace("8080", str(port))


@pytest.mark.skipif(shutil.which("curl") is None, reason="NOT RUN: curl was not found (apt-get install curl)")
@pytest.mark.proof(
    "Whoever follows the tutorial gets from a clone to a prediction, and then to a model of quite other data, by editing one file"
)
def test_every_block_does_what_the_page_says(template: Path, tmp_path: Path) -> None:
    origin, released, port = tmp_path / "origin", QUESTIONS["_version"], free_port()
    git("clone", "--quiet", template, origin, cwd=tmp_path)
    git("tag", released, cwd=origin)
    (tmp_path / "home").mkdir()
    settings = {
        "user.name": "Ada",
        "user.email": "ada@example.org",
        "init.defaultBranch": "main",
        f"url.{origin.as_uri()}.insteadOf": QUESTIONS["_origin"],
    }
    environment = inherited() | {
        "HOME": str(tmp_path / "home"),
        "MAKEFLAGS": f" -- VENV={PROJECT_VENV} PORT={port}",
        "GIT_CONFIG_COUNT": str(len(settings)),
        **{f"GIT_CONFIG_KEY_{number}": key for number, key in enumerate(settings)},
        **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(settings.values())},
    }
    (tmp_path / "work").mkdir()
    with (tmp_path / "said").open("w") as output:
        process = subprocess.Popen(
            ["bash", "-c", script(port)], cwd=tmp_path / "work", env=environment, stdout=output, stderr=output,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            code = process.wait(SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
    said = (tmp_path / "said").read_text()
    assert code == 0, said[-5000:]
    project = tmp_path / "work" / "late-answers"
    scored = (project / "artifacts" / "messages-scored.csv").read_text().splitlines()
    assert len(scored) == 8001
    assert '"model":"late-answers","version":"2"' in said
    assert "asks for dep_hour, which the data has not" in said
    assert "already up to date" in said
    # After the promotion and the rollback that found a server running.
    assert said.count("next: make serve, so that the running server hands over to it") == 2
    history = said[said.rindex("History of laptop") :]
    assert [history.count(word) for word in ("promotion", "rollback")] == [2, 1]
