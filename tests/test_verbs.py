"""A day with a generated project: every verb of a laptop, through make, and again after `make update`.

All tests use one project, in their order.
"""

import csv
import getpass
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import HARD, NEXT, PROJECT_VENV, ROOT, SKELETON, Trained, commit, free_port, inherited, make

ROWS = 33_522  # of the sample

ELSEWHERE = {
    "help": "test_conventions.py",
    "setup": "test_setup.py",
    "clean": "test_setup.py",
    "compile": "test_pipelines.py",
    "lint": "test_choices.py",
    "test": "test_choices.py",
    "test-kill": "test_choices.py",
    "docs": "test_reference.py",
    "cluster": "nowhere, but for its refusals in test_kind.py: kind needs a container engine, and no test has one",
    "image": "e2e/test_0_images.py",
    "platform": "e2e/conftest.py",
    "deploy": "e2e/test_1_first_prediction.py",
    "pipeline-run": "e2e/test_1_first_prediction.py",
    "smoke": "e2e/test_1_first_prediction.py",
    "api-key": "e2e/test_6_security.py",
    "backup": "e2e/test_8_backup.py",
    "restore": "e2e/test_8_backup.py",
    "clean-cluster": "e2e/second.py",
    "infra-bootstrap": "terraform/test_project.py, and the project's own tests/terraform",
    **dict.fromkeys(("infra-plan", "infra-apply", "infra-drift", "infra-destroy"), "test_infrastructure.py"),
    **dict.fromkeys(("infra-kubeconfig", "overlay-values"), "test_infrastructure.py"),
    "requirements": "nowhere: what it writes depends on what the index holds that day",
    # Its environment takes 65 to 71 s to set up from pip's cache (run by hand: the page, the model and a plot answer 200).
    "ui": "nowhere, but for a taken port in test_setup.py",
}
HERE = {"doctor", "gc", "history", "predict", "promote", "rollback", "serve", "status", "train", "update"}


def test_every_verb_is_run_somewhere() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (SKELETON / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony
    assert HERE | ELSEWHERE.keys() == set(phony[1].split())
    for verb, file in ELSEWHERE.items():
        if file.startswith("e2e/"):
            assert f'"{verb}"' in (ROOT / "tests" / file).read_text(encoding="utf-8"), file


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.strip()]


def begun(project: Path) -> list[dict[str, Any]]:
    """The records of promotions and rollbacks, oldest first."""
    found = (
        json.loads(path.read_text(encoding="utf-8"))
        for path in project.glob("artifacts/store/*/promotions/*-begun.json")
    )
    return sorted(found, key=lambda record: str(record["time"]))


@pytest.mark.proof("Every verb works on the first day, and after an update")
def test_train(trained: Trained) -> None:
    gates = [line[:2] for line in words(trained.said)[1:11]]
    names = "contract rows floor champion slices fairness calibration parity size latency"
    assert gates == [[name, "not" if name == "champion" else "passed"] for name in names.split()]
    bundles = [path.name for path in trained.project.glob("artifacts/store/*/bundles/*")]
    assert trained.said.splitlines()[-3:] == [
        f"version 1: bundle {bundles[0]}",
        f"  file://{trained.project}/artifacts/store/flight-delay-laptop/bundles/{bundles[0]}",
        'next: make promote REASON="…"',
    ]
    assert len(bundles) == 1
    assert words(trained.make("status"))[2:] == [
        ["champion", "none"],
        ["challenger", "1", bundles[0][:12], getpass.getuser()],
        ["previous", "none"],
    ]


@pytest.mark.proof("Every verb works on the first day, and after an update")
def test_promote_keeps_the_reason_as_typed(trained: Trained) -> None:
    said = trained.make("promote", f"REASON={HARD}")
    (record,) = begun(trained.project)
    assert said == f"{record['to'][:12]} is now the champion of laptop (version 1)\n"
    assert (record["reason"], record["actor"]) == (HARD, getpass.getuser())
    history = trained.make("history")
    assert f"  {HARD} " in history
    assert "from nothing" in history
    assert words(history)[-1] == ["to", record["to"][:12], "succeeded"]


@pytest.mark.proof("Every verb works on the first day, and after an update")
def test_predict(trained: Trained) -> None:
    output = "artifacts/my scores.csv"
    said = trained.make("predict", "INPUT=samples/flights.parquet", f"OUTPUT={output}")
    with (trained.project / output).open() as file:
        scored = list(csv.DictReader(file))
    flagged = sum(row["decision"] == "true" for row in scored)
    assert said == f"{output}: {ROWS} rows, {flagged} flagged, by bundle {begun(trained.project)[0]['to']}\n"
    assert len(scored) == ROWS
    assert 0.2 < flagged / ROWS < 0.5


def ask(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


@contextmanager
def serving(trained: Trained, port: int) -> Iterator[Callable[[], str]]:
    """`make serve` until Ctrl-C; what it has said by now."""
    log = trained.project / "artifacts" / "said.log"
    command = ["make", f"VENV={PROJECT_VENV}", "serve", f"PORT={port}"]
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=trained.project,
            env=inherited(**trained.environment),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield log.read_text
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=30)


def await_ready(url: str, said: Callable[[], str]) -> None:
    deadline = time.monotonic() + 60
    while True:
        with suppress(OSError):
            ask(f"{url}/v2/health/ready")
            return
        assert time.monotonic() < deadline, said()
        time.sleep(0.1)


@pytest.mark.proof("Every verb works on the first day, and after an update")
def test_serve(trained: Trained) -> None:
    champion = begun(trained.project)[0]["to"]
    (manifest,) = trained.project.glob(f"artifacts/store/*/bundles/{champion}/manifest.json")
    golden = json.loads(manifest.read_text())["golden"]
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with serving(trained, port) as said:
        await_ready(url, said)
        answer = ask(f"{url}/v1/predict", {"rows": [golden["request"]]})
        status = words(trained.make("status"))
    assert answer["bundle"] == champion
    assert [(each["score"], each["decision"]) for each in answer["predictions"]] == [
        (pytest.approx(golden["score"], abs=1e-6), golden["decision"])
    ]
    assert status[-1] == ["make", "serve", "(port", f"{port})", champion[:12]]
    assert said().startswith(f"serving version 1 (bundle {champion[:12]}) at {url} ")
    with pytest.raises(urllib.error.URLError):
        ask(f"{url}/v2/health/ready")


@pytest.mark.proof("Every verb works on the first day, and after an update")
def test_the_day_after_an_update(trained: Trained, sources: Path) -> None:
    said = trained.make("update", f"FROM={sources}/bare.git")
    assert said.endswith(f"Updated to {NEXT}. Look at it (git diff HEAD), run make test, then commit.\n")
    commit(trained.project, "Update")
    said = trained.make("train")
    assert [line[:2] for line in words(said) if line[0] == "champion"] == [["champion", "passed"]]
    assert "\nversion 2: bundle " in said
    first = begun(trained.project)[0]["to"]
    trained.make("promote", "REASON=newer")
    second = begun(trained.project)[1]["to"]
    assert second != first

    def aliases() -> list[list[str]]:
        return [line[:3] for line in words(trained.make("status"))[2:]]

    assert aliases() == [
        ["champion", "2", second[:12]],
        ["challenger", "2", second[:12]],
        ["previous", "1", first[:12]],
    ]
    assert trained.make("rollback", "REASON=worse") == f"{first[:12]} is now the champion of laptop (version 1)\n"
    assert aliases()[0] == ["champion", "1", first[:12]]
    assert [(record["kind"], record["reason"]) for record in begun(trained.project)] == [
        ("promotion", HARD),
        ("promotion", "newer"),
        ("rollback", "worse"),
    ]


@pytest.mark.proof("Every verb works on the first day, and after an update")
def test_gc(trained: Trained) -> None:
    (store,) = trained.project.glob("artifacts/store/*")
    left = store / "bundles" / ("0" * 64)
    left.mkdir()
    (left / "manifest.json").write_text("{}")
    os.utime(left / "manifest.json", (1_000_000_000, 1_000_000_000))
    line = f"{left.name}  2001-09-09 01:46 UTC  "
    summary = f"1 bundles in file://{store} are named by no version and no record\n"
    assert trained.make("gc") == f"{line}kept\n{summary}"
    assert trained.make("gc", "DELETE=1") == f"{line}deleted\n{summary}"
    assert not (left / "manifest.json").exists()
    assert len(list(store.glob("bundles/*/manifest.json"))) == 2


def test_doctor(trained: Trained) -> None:
    done = make(trained.project, "doctor", check=False, **trained.environment)
    found = {line[5:].partition(":")[0]: line for line in done.stdout.splitlines()}
    names = "Python venv git make disk artifacts environment repository configuration ports champion"
    assert list(found) == names.split()
    del found["ports"]  # another program of this machine may have them
    assert [line for line in found.values() if not line.startswith(" ok  ")] == []
    assert "with uncommitted changes" not in found["repository"]
