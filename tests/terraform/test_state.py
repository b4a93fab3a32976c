"""Where states are kept: locked, moved there, and unlocked by hand; and what an apply leaves that was interrupted."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import inherited

from .emulators import Backend
from .stacks import NEWEST, OLDEST, Terraform, settings, terraform

# Three things one after the other; making the second takes as long as SECONDS says.
MAIN = """
resource "terraform_data" "first" {
  input = "first"
}

resource "terraform_data" "second" {
  input = terraform_data.first.output
  provisioner "local-exec" {
    command = "touch begun; exec sleep $SECONDS_OF_SECOND"
  }
}

resource "terraform_data" "third" {
  input = terraform_data.second.output
}
"""
AT_ONCE, LONG = {"SECONDS_OF_SECOND": "0"}, {"SECONDS_OF_SECOND": "600"}
FIRST, SECOND, THIRD = (f"terraform_data.{name}" for name in ("first", "second", "third"))


@pytest.fixture(params=["s3", "gcs", "azurerm"])
def backend(request: pytest.FixtureRequest, store: Callable[[str], Backend]) -> Backend:
    return store(request.param)


@pytest.fixture(params=[OLDEST, NEWEST])
def version(request: pytest.FixtureRequest) -> Terraform:
    return terraform(request.param)


def stack(folder: Path, kind: str = "local") -> Path:
    """A root that needs no provider."""
    folder.mkdir(exist_ok=True)
    (folder / "main.tf").write_text(MAIN, encoding="utf-8")
    (folder / "versions.tf").write_text(f'terraform {{\n  backend "{kind}" {{}}\n}}\n', encoding="utf-8")
    return folder


class Remote:
    """Terraform in a folder whose state is in an emulator, under a key of its own."""

    def __init__(self, version: Terraform, backend: Backend, folder: Path) -> None:
        self.version, self.backend, self.folder = version, backend, folder
        mine = f"{folder.parent.name}-{version.name}"
        field = "prefix" if backend.kind == "gcs" else "key"
        self.own = Backend(backend.kind, backend.settings | {field: mine}, backend.environment)

    def __call__(self, *words: str | Path, check: bool = True, **environment: str) -> str:
        done = self.version(self.folder, *words, check=check, **(self.backend.environment | AT_ONCE | environment))
        return done.stdout + done.stderr

    def init(self, *words: str) -> str:
        return self("init", f"-backend-config={self.own.write(self.folder)}", *words)


@pytest.fixture
def remote(version: Terraform, backend: Backend, tmp_path: Path) -> Remote:
    return Remote(version, backend, stack(tmp_path / "writer", backend.kind))


@contextmanager
def applying(terraform: Terraform, folder: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """An apply that has made the first thing and is at the second."""
    begun = folder / "begun"
    begun.unlink(missing_ok=True)
    process = subprocess.Popen(
        [terraform.command, "apply", "-auto-approve"],
        cwd=folder,
        env=inherited(**settings(), **LONG, **environment),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 60
        while not begun.exists():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < end, "the apply has not come to the second thing"
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def interrupted(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """What an apply says that gets a signal, as its child does that Ctrl-C in a terminal reaches too."""
    child = subprocess.run(["pgrep", "-P", str(process.pid)], text=True, capture_output=True, check=True).stdout.split()
    process.send_signal(number)
    for each in child:
        subprocess.run(["kill", "-KILL", each], check=False)
    return process.communicate(timeout=60)[0]


def planned(text: str) -> tuple[int, ...]:
    """How many things a plan adds, changes and destroys."""
    found = re.search(r"Plan: (\d+) to add, (\d+) to change, (\d+) to destroy", text)
    assert found or "No changes." in text, text
    return tuple(map(int, found.groups())) if found else (0, 0, 0)


def made(state: str) -> dict[str, Any]:
    """What is in a state, and whether it is known to be spoilt."""
    resources = json.loads(state)["resources"]
    return {f"{each['type']}.{each['name']}": each["instances"][0].get("status", "good") for each in resources}


@pytest.mark.proof(
    "The state is kept on S3, Google's and Azure's object stores, as emulators: made, read again, destroyed"
)
def test_a_life(remote: Remote) -> None:
    remote.init()
    assert "3 added" in remote("apply", "-auto-approve")
    assert planned(remote("plan")) == (0, 0, 0)
    assert list(made(remote("state", "pull"))) == [FIRST, SECOND, THIRD]
    assert not (remote.folder / "terraform.tfstate").exists()
    assert "3 destroyed" in remote("destroy", "-auto-approve")


@pytest.mark.proof(
    "While one writes a state, a second writer is refused, on S3, Google's and Azure's object stores, as emulators"
)
def test_a_second_writer_is_refused(remote: Remote, tmp_path: Path) -> None:
    remote.init()
    second = Remote(remote.version, remote.backend, stack(tmp_path / "second", remote.backend.kind))
    second.own = remote.own
    second.init()
    with applying(remote.version, remote.folder, **remote.backend.environment) as first:
        said = second("apply", "-auto-approve", check=False)
        assert "Error acquiring the state lock" in said
        assert re.search(r"ID: +\S+", said)
        assert not (second.folder / "begun").exists()
        interrupted(first, signal.SIGINT)
    assert planned(second("plan")) != (0, 0, 0), "the lock is gone with its writer"


@pytest.mark.proof(
    "A state moves from the disk to S3, Google's and Azure's object stores, as emulators, and nothing is made again"
)
def test_migration(remote: Remote) -> None:
    stack(remote.folder)
    remote("init")
    remote("apply", "-auto-approve")
    before = json.loads((remote.folder / "terraform.tfstate").read_text())["resources"]
    stack(remote.folder, remote.backend.kind)
    assert "Backend" in remote("plan", check=False), "the move is never silent"
    remote.init("-migrate-state", "-force-copy")
    assert json.loads(remote("state", "pull"))["resources"] == before
    assert planned(remote("plan")) == (0, 0, 0)


@pytest.mark.proof(
    "The lock of a writer that was killed is removed as the how-to says, and the next plan goes on, on all three stores"
)
def test_a_stale_lock(version: Terraform, backend: Backend, tmp_path: Path) -> None:
    remote = Remote(version, backend, stack(tmp_path / "writer", backend.kind))
    remote.init()
    # Before: what a killed writer has made in its last 20 seconds Terraform has not written to a store yet.
    remote("apply", "-auto-approve", f"-target={FIRST}")
    with applying(version, remote.folder, **backend.environment) as process:
        interrupted(process, signal.SIGKILL)
    said = remote("plan", check=False)
    assert "Error acquiring the state lock" in said
    (lock,) = re.findall(r"ID: +(\S+)", said)
    assert "unlock" in remote("force-unlock", "-force", lock)
    assert planned(remote("plan")) == (2, 0, 0)
    assert "2 added" in remote("apply", "-auto-approve")


@pytest.mark.proof("A killed apply loses what it has not written to a store yet, and the next plan goes on")
def test_what_a_kill_loses(version: Terraform, store: Callable[[str], Backend], tmp_path: Path) -> None:
    remote = Remote(version, store("s3"), stack(tmp_path / "writer", "s3"))
    remote.init()
    with applying(version, remote.folder, **remote.backend.environment) as process:
        interrupted(process, signal.SIGKILL)
    (lock,) = re.findall(r"ID: +(\S+)", remote("plan", check=False))
    remote("force-unlock", "-force", lock)
    assert planned(remote("plan")) == (3, 0, 0), "the first was made, and nobody knows"
    assert "3 added" in remote("apply", "-auto-approve")


@pytest.mark.proof(
    "An apply that is interrupted (SIGINT) or killed (SIGKILL) leaves a state from which the next plan goes on"
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_an_interrupted_apply(number: signal.Signals, version: Terraform, tmp_path: Path) -> None:
    folder = stack(tmp_path / "stack")
    version(folder, "init")
    with applying(version, folder) as process:
        said = interrupted(process, number)
    assert process.returncode not in (0, None)
    assert ("Interrupt" in said) == (number == signal.SIGINT)
    left = made(version(folder, "state", "pull").stdout)
    # The second was begun and not ended: the state says so, and the next apply makes it anew.
    assert left.pop(FIRST) == "good"
    assert left == ({SECOND: "tainted"} if number == signal.SIGINT else {})
    assert (
        "Apply complete! Resources: 2 added" in version(folder, "apply", "-auto-approve", check=True, **AT_ONCE).stdout
    )
    assert planned(version(folder, "plan").stdout) == (0, 0, 0)
