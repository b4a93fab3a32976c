"""A state that could not be written, and a Terraform that was killed: what is said, and what is refused until it is mended. On an S3 of this machine."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from terraform import calling, verbs
from terraform.place import Place

from tests.terraform.refusals import refusal
from tests.terraform.stores import BUCKET, client, keys, served

pytestmark = pytest.mark.usefixtures("needs_terraform")
KEY = "project/dev/terraform.tfstate"


def meanwhile(place: Place, work: Callable[[], None]) -> threading.Thread:
    """Do it once the slow part of an apply has begun."""

    def wait() -> None:
        deadline = time.monotonic() + 30
        while not (place.root / "terraform" / "begun").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        work()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.proof("A state that cannot be written is named with the way to push it, and until then no verb goes on")
def test_a_store_that_is_gone_at_the_end_of_an_apply(
    remote: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    remote.variables.write_text("size = 101\n")
    remote.backend.write_text(remote.backend.read_text() + "max_retries = 1\n")
    kept = remote.work / "errored.tfstate"
    with served() as (address, server), monkeypatch.context() as at_second:
        at_second.setenv("AWS_ENDPOINT_URL_S3", address)
        verbs.plan(remote)
        thread = meanwhile(remote, server.stop)
        said = refusal(verbs.apply, remote)
        thread.join()
    push = (
        "TF_DATA_DIR=$PWD/artifacts/terraform/dev/data terraform -chdir=terraform/cloud state push "
        "$PWD/artifacts/terraform/dev/errored.tfstate && rm artifacts/terraform/dev/errored.tfstate"
    )
    first, second = said.splitlines()
    assert first.startswith("the account of dev was not reached (")
    assert second.startswith(
        "artifacts/terraform/dev/errored.tfstate: this file is the state of an apply that could not write it"
    )
    assert push in second
    assert "stands in the state" not in said
    assert not (remote.module / "errored.tfstate").exists()
    assert kept.stat().st_mode & 0o777 == 0o600
    for verb in (verbs.plan, verbs.apply, verbs.drift, verbs.outputs, verbs.kubeconfig):
        assert push in refusal(verb, remote), verb
    assert push in refusal(verbs.destroy, remote, "dev")
    # The store is back; the lock that nobody could take away is still in it.
    client().delete_object(Bucket=BUCKET, Key=f"{KEY}.tflock")
    subprocess.run(push, shell=True, cwd=remote.root, check=True, capture_output=True)  # noqa: S602 what the sentence says
    assert keys() == {KEY}
    assert not kept.exists()
    capsys.readouterr()
    verbs.plan(remote)
    assert capsys.readouterr().out.splitlines()[0] == "dev (cloud): no object is changed"


def test_a_state_that_terraform_left_where_it_works(remote: Place) -> None:
    left = remote.module / "errored.tfstate"
    left.write_text("{}")
    said = refusal(verbs.plan, remote)
    assert said.startswith("terraform/cloud/errored.tfstate: this file is the state of an apply")
    assert said.endswith("Any environment may have left it: put the right one for dev")


def kill_terraform(place: Place) -> None:
    """The one that works in this environment's module."""
    listed = subprocess.run(["ps", "-axo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        pid, parent, args = line.split(None, 2)
        if parent == str(os.getpid()) and " apply " in args:
            os.kill(int(pid), signal.SIGKILL)


@pytest.mark.proof("A Terraform that was killed may have left things that no state has, and that is said")
def test_killed_with_a_state_far_away(remote: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "LOCK_SECONDS", 0)
    remote.variables.write_text("size = 101\n")
    verbs.plan(remote)
    thread = meanwhile(remote, lambda: kill_terraform(remote))
    said = refusal(verbs.apply, remote)
    thread.join()
    first, second = said.splitlines()
    assert first == "terraform apply was killed (SIGKILL)"
    assert second.startswith(
        "What it made in its last moments may be in no state: look in the account for what is called "
    )
    assert second.endswith("; make infra-plan ENV=dev shows what is left")
    assert "stands in the state" not in said
    # Nothing was written, and the lock still lies there: that nothing is there is not known.
    assert keys() == {f"{KEY}.tflock"}
    said = refusal(verbs.destroy, remote, "dev")
    assert said.startswith("the state of dev is locked by ")
    assert said.endswith("what it made in its last moments may be in no state: look in the account")


def test_nothing_is_there_when_nobody_holds_the_lock(remote: Place, capsys: pytest.CaptureFixture[str]) -> None:
    verbs.destroy(remote, "dev")
    assert capsys.readouterr().out == "dev: nothing is there\n"
    assert keys() == set()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('kms_key_id = "abc"', "terraform/environments/dev.backend.hcl: Invalid KMS Key ID"),
        ('odd = "a', "terraform/environments/dev.backend.hcl:8: Invalid multi-line string"),
        ("use_path_style", "terraform/environments/dev.backend.hcl:"),
        ('bukkit "b" {}', "terraform/environments/dev.backend.hcl:"),
    ],
)
def test_whatever_is_wrong_with_the_backends_file_is_a_sentence_that_names_it(
    line: str, said: str, remote: Place
) -> None:
    remote.backend.write_text(remote.backend.read_text() + line + "\n")
    found = refusal(verbs.plan, remote)
    assert found.startswith(said)
    assert not any(sign in found for sign in ("\x1b", "│", "//", str(remote.root)))


def test_a_wrong_line_of_the_values_is_named(remote: Place) -> None:
    remote.variables.write_text("size = 1\nsize = [\n")
    assert refusal(verbs.plan, remote).startswith("terraform/environments/dev.tfvars:")


def test_a_terraform_that_is_too_old(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "old" / "terraform"
    program.parent.mkdir()
    version = json.dumps({"terraform_version": "1.6.6"})
    program.write_text(
        f"#!/bin/sh\nif [ \"$1\" = version ]; then echo '{version}'; exit 0; fi\n"
        "printf '\\033[31m│\\033[0m  -upgrade  Install the latest\\n' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    assert shutil.which("terraform") == str(program)
    assert refusal(verbs.plan, place).startswith("terraform 1.6.6 cannot be used: install 1.11 or later")
