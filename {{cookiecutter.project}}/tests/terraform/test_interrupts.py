"""An apply that is interrupted, or killed, leaves a state from which the next plan goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import pytest

import terraform
from terraform import verbs
from terraform.place import Place
from terraform.stack import objects

pytestmark = pytest.mark.usefixtures("needs_terraform")
PROJECT = Path(terraform.__file__).parents[1]


@contextmanager
def applying(place: Place) -> Iterator[Popen[str]]:
    """`python -m terraform apply`, in the middle of something slow, in a process group of its own as from a terminal."""
    place.variables.write_text("size = 101\n")
    verbs.plan(place)
    path = f"{PROJECT / 'src'}:{PROJECT}"
    with Popen(
        [sys.executable, "-m", "terraform", "apply", "--environment", "dev"],
        cwd=place.root,
        env={**os.environ, "PYTHONPATH": path},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 30
        while not (place.root / "terraform" / "begun").exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process


def below(pid: int) -> list[int]:
    """All processes under this one."""
    listed = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.split()
    parents = dict(zip(map(int, listed[::2]), map(int, listed[1::2]), strict=True))
    found = [child for child, parent in parents.items() if parent == pid]
    return [*found, *(each for child in found for each in below(child))]


def addresses(place: Place) -> set[str]:
    with verbs.opened(place) as stack:
        return {each.address for each in objects(stack.state())}


@pytest.mark.proof("An apply that is interrupted or killed leaves a state from which the next plan goes on")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(number: signal.Signals, place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with applying(place) as process:
        # A terminal tells the whole group, and an impatient person tells it twice.
        os.killpg(process.pid, number)
        time.sleep(0.1)
        os.killpg(process.pid, number)
        out, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert error.startswith("interrupted: Terraform finishes what it has begun, and stops\n")
    assert "Traceback" not in error
    assert error.count("Terraform finishes") == 1
    assert (
        error.splitlines()[-1] == "What was done before stands in the state: make infra-plan ENV=dev shows what is left"
    )
    assert "done (0 s)" in out
    assert not place.saved.plan.exists()
    assert "terraform_data.this" in addresses(place)
    assert "terraform_data.after" not in addresses(place)
    goes_on(place, capsys)


@pytest.mark.proof("An apply that is interrupted or killed leaves a state from which the next plan goes on")
def test_killed(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with applying(place) as process:
        for pid in (process.pid, *below(process.pid)):
            os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert "terraform_data.this" in addresses(place)
    goes_on(place, capsys)


def goes_on(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    verbs.plan(place)
    said = capsys.readouterr().out
    assert "terraform_data.after" in said
    assert "terraform_data.this" not in said
    verbs.apply(place)
    assert addresses(place) == {"terraform_data.after", "terraform_data.slow[0]", "terraform_data.this"}
    capsys.readouterr()
    verbs.plan(place)
    assert capsys.readouterr().out == "dev (cloud): no object is changed\n"


@pytest.mark.parametrize(("ends", "code"), [("raise SystemExit(3)", 3), ("1 / 0", 1), ("pass", 7)])
def test_the_exit_code_is_that_of_the_work(ends: str, code: int, tmp_path: Path) -> None:
    program = (
        f"import sys\nfrom terraform import shield\ndef work():\n    {ends}\n    return 7\nsys.exit(shield.run(work))"
    )
    environment = {**os.environ, "PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert ("ZeroDivisionError" in done.stderr) == (ends == "1 / 0")
