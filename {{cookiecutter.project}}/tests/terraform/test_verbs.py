"""A day with an environment's infrastructure, on the Terraform of this machine; and what is refused before Terraform is asked."""

import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from subprocess import DEVNULL, Popen

import pytest

from terraform import calling, verbs
from terraform.place import Place, find
from terraform.stack import Object

from tests.terraform.refusals import refusal

Said = Callable[[], list[str]]
DONE = "done in 0 s"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return lambda: capsys.readouterr().out.splitlines()


def applied(place: Place, said: Said) -> None:
    verbs.plan(place)
    verbs.apply(place)
    said()


def files(place: Place) -> set[str]:
    return {path.relative_to(place.work).as_posix() for path in place.work.rglob("*") if path.is_file()}


@pytest.mark.proof("What is planned is applied, the plan after it is empty, and destroying leaves nothing")
@pytest.mark.usefixtures("needs_terraform")
def test_a_day(place: Place, said: Said) -> None:
    verbs.plan(place)
    assert said() == [
        "dev (cloud): 2 created",
        "  created terraform_data.after",
        "  created terraform_data.this",
        "  outputs that change: size",
        "saved; make infra-apply ENV=dev applies exactly this",
    ]
    assert {"plan.tfplan", "plan.json", "origin.json"} < files(place)
    verbs.apply(place)
    steps = said()
    assert steps[-2:] == [DONE, "dev is as planned; next: make overlay-values ENV=dev"]
    assert "create terraform_data.this …" in steps
    assert files(place) == {"data/terraform.tfstate"}
    verbs.plan(place)
    assert said() == ["dev (cloud): no object is changed"]
    assert files(place) == {"data/terraform.tfstate"}
    assert verbs.outputs(place) == {"size": 1}
    place.variables.write_text("size = 2\n")
    verbs.plan(place)
    assert said()[:2] == ["dev (cloud): 1 changed", "  changed terraform_data.this: input, output"]
    verbs.apply(place)
    said()
    assert refusal(verbs.destroy, place, "") == "nothing was destroyed: CONFIRM=dev destroys what is listed above"
    assert said()[0] == "dev (cloud): 2 DESTROYED"
    assert verbs.outputs(place) == {"size": 2}
    verbs.destroy(place, "dev")
    assert said()[-2:] == [DONE, "dev is destroyed"]
    assert (
        refusal(verbs.outputs, place) == "dev was not made yet: make infra-plan ENV=dev, then make infra-apply ENV=dev"
    )
    verbs.destroy(place, "dev")
    assert said() == ["dev: nothing is there"]
    assert files(place) == {"data/terraform.tfstate"}


@pytest.mark.proof("No secret is in what the verbs for infrastructure print, log or leave behind")
@pytest.mark.usefixtures("needs_terraform")
def test_a_secret_is_in_no_file_for_others_and_in_no_line(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    verbs.plan(place)
    holding = [path for path in place.root.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert [path.name for path in holding] == ["variables.tf"]  # Terraform's own plan is packed
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.work.glob("*.*")} == {0o600}
    verbs.apply(place)
    assert refusal(verbs.destroy, place, "")
    assert "hunter2" not in "".join(capfd.readouterr())


@pytest.mark.proof(
    "Only the saved plan is applied, and only to the commit, the values and the state that it was made for"
)
@pytest.mark.usefixtures("needs_terraform")
def test_only_the_saved_plan_is_applied(place: Place, said: Said, tmp_path: Path) -> None:
    assert refusal(verbs.apply, place) == "no plan is saved: make infra-plan ENV=dev, and look at it"
    verbs.plan(place)
    place.variables.write_text("size = 2\n")
    assert refusal(verbs.apply, place) == (
        "terraform/environments/dev.tfvars changed since the plan was saved: make infra-plan ENV=dev, and look at it"
    )
    assert not (tmp_path / "dev.tfstate").exists()
    verbs.plan(place)
    of_another = replace(place, commit="a" * 40)
    assert refusal(verbs.apply, of_another).startswith("the saved plan is of commit (none), and this is aaaaaaaaaaaa")
    # Somebody else applies meanwhile, from another folder.
    applied(replace(place, artifacts=tmp_path / "elsewhere"), said)
    assert refusal(verbs.apply, place) == (
        "stale plan: the state of dev was changed after the plan was saved: make infra-plan ENV=dev again, and look at it"
    )


@pytest.mark.usefixtures("needs_terraform")
def test_a_wrong_value_is_refused_and_nothing_is_left(place: Place) -> None:
    place.variables.write_text("size = 0\n")
    assert refusal(verbs.plan, place) == "terraform/environments/dev.tfvars: size: must be more than 0."
    place.variables.write_text("")
    assert refusal(verbs.plan, place) == (
        "terraform/environments/dev.tfvars: size: missing: it has no default; terraform/cloud/variables.tf says what it is"
    )
    assert files(place) == {"data/terraform.tfstate"}


@pytest.mark.proof("Drift fails, and drift.json says whether it is drift or an error")
@pytest.mark.usefixtures("needs_terraform")
def test_drift(place: Place, said: Said) -> None:
    report = place.work / "drift.json"
    applied(place, said)
    verbs.drift(place)
    assert said() == ["dev: no drift"]
    assert json.loads(report.read_text())["result"] == "none"
    place.variables.write_text("size = 2\n")
    assert refusal(verbs.drift, place) == (
        "drift: dev is not what the code says (artifacts/terraform/dev/drift.json): make infra-plan ENV=dev"
    )
    found = json.loads(report.read_text())
    assert (found["result"], found["environment"], found["outputs"]) == ("drift", "dev", ["size"])
    assert found["changes"] == [{"address": "terraform_data.this", "what": "changed"}]
    assert said()[1] == "  changed terraform_data.this: input, output"
    place.variables.write_text("size = 0\n")
    sentence = "terraform/environments/dev.tfvars: size: must be more than 0."
    assert refusal(verbs.drift, place) == (
        f"error: whether dev drifted is not known (artifacts/terraform/dev/drift.json): {sentence}"
    )
    found = json.loads(report.read_text())
    assert (found["result"], found["error"]) == ("error", sentence)
    assert files(place) == {"data/terraform.tfstate", "drift.json"}


@pytest.mark.proof("Nothing is destroyed while deletion protection is on, in the values or in the state")
@pytest.mark.usefixtures("needs_terraform")
def test_what_is_protected_is_not_destroyed(place: Place, said: Said) -> None:
    prod = replace(place, environment="prod")
    prod.variables.write_text("size = 1\ndeletion_protection = true\n")
    applied(prod, said)
    first = "set deletion_protection = false in terraform/environments/prod.tfvars, then make infra-plan, make infra-apply, and this again"
    assert refusal(verbs.destroy, prod, "prod") == (
        f"terraform/environments/prod.tfvars: deletion_protection is on in prod: {first}"
    )
    prod.variables.write_text("size = 1\ndeletion_protection = false\n")
    assert refusal(verbs.destroy, prod, "prod") == (
        f"deletion protection is on in the state of prod (terraform_data.this): {first}"
    )
    applied(prod, said)
    said()
    assert refusal(verbs.destroy, prod, "dev") == (
        "CONFIRM=dev is not the environment prod: nothing was done. CONFIRM=prod confirms it, and ENV=dev would be another one"
    )
    assert said() == []
    verbs.destroy(prod, "prod")
    assert said()[-1] == "prod is destroyed"


@pytest.mark.usefixtures("needs_terraform")
def test_environments_do_not_mix(place: Place, said: Said, tmp_path: Path) -> None:
    prod = replace(place, environment="prod")
    applied(place, said)
    verbs.plan(prod)
    assert said()[0] == "prod (cloud): 2 created"
    place.variables.write_text("size = 3\n")
    applied(place, said)
    verbs.apply(prod)
    assert (verbs.outputs(place), verbs.outputs(prod)) == ({"size": 3}, {"size": 1})
    assert {path.name for path in tmp_path.glob("*.tfstate")} == {"dev.tfstate", "prod.tfstate"}
    assert not (place.module / ".terraform").exists()


@pytest.mark.usefixtures("needs_terraform")
def test_a_state_does_not_move_by_itself(place: Place, said: Said, tmp_path: Path) -> None:
    applied(place, said)
    place.backend.write_text(f'path = "{tmp_path}/other.tfstate"\n')
    assert refusal(verbs.plan, place).startswith(
        "terraform/environments/dev.backend.hcl: it names another place than before"
    )


@pytest.mark.usefixtures("needs_terraform")
def test_who_holds_the_lock_is_said(place: Place, said: Said, held: Path) -> None:
    sentence = refusal(verbs.plan, place)
    assert sentence.startswith("the state of dev is locked by ")
    assert "OperationTypeApply" in sentence
    assert "terraform -chdir=terraform/cloud force-unlock " in sentence


@pytest.fixture
def held(place: Place, said: Said, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Another Terraform that is at work on the state of dev."""
    applied(place, said)
    other = place.variables.with_name("other.tfvars")
    other.write_text("size = 101\n")
    command = ["terraform", "apply", "-auto-approve", f"-var-file={other}"]
    where = {"TF_DATA_DIR": str(place.work / "data")}
    monkeypatch.setattr(calling, "LOCK_SECONDS", 0)
    with Popen(command, cwd=place.module, env={**os.environ, **where}, stdout=DEVNULL, stderr=DEVNULL) as busy:
        begun = place.root / "terraform" / "begun"
        while not begun.exists():
            assert busy.poll() is None
            time.sleep(0.02)
        yield begun


def test_an_environment_that_is_not_there_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJECT_ROOT", str(place.root))
    assert refusal(find, "local") == (
        "environment local: terraform/environments/local.tfvars is missing; use one of dev, prod, or write it"
    )
    assert refusal(find, "laptop") == "ENV: say which environment: ENV=dev or prod"
    place.variables.with_name("staging.tfvars").touch()
    assert refusal(find, "laptop") == "ENV: say which environment: ENV=dev, prod or staging"
    assert find("dev").environment == "dev"


@pytest.mark.parametrize("text", ["", "# Written by make infra-bootstrap.\n", 'bucket = ""\n'])
def test_a_state_without_a_place_is_refused(text: str, place: Place) -> None:
    place.backend.write_text(text)
    assert refusal(verbs.plan, place) == (
        "terraform/environments/dev.backend.hcl does not say where the state is yet: make infra-bootstrap ENV=dev writes it"
    )


def test_storage_and_what_it_needs_are_not_destroyed() -> None:
    others = [
        "x.group",
        'module.network.nat.this["a"]',
        "module.network.net.this",
        "module.pool[0].a.b[1]",
        "module.storage_too.a.b",
    ]
    bucket = Object("module.storage.bucket.this", frozenset({"x.group", "module.network.net.this"}))
    here = [*map(Object, others), bucket, Object("module.storage.key.this")]
    assert verbs.destroyed(here) == ("module.network.nat.this", "module.pool.a.b", "module.storage_too.a.b")
    assert verbs.destroyed([Object("terraform_data.this"), Object("module.network.a.b")]) == ()


@pytest.mark.proof("Destroying leaves the models: the storage, what it needs, and nothing else")
@pytest.mark.usefixtures("needs_terraform")
def test_the_models_stay(place: Place, said: Said) -> None:
    main = place.module / "main.tf"
    (place.module / "storage").mkdir()
    kept = 'resource "terraform_data" "bucket" {\n  input = var.key\n}\nvariable "key" {}\n'
    (place.module / "storage" / "main.tf").write_text(kept)
    module = 'module "storage" {\n  source = "./storage"\n  key = terraform_data.key.id\n}\nresource "terraform_data" "key" {}\n'
    main.write_text(main.read_text() + module)
    applied(place, said)
    verbs.destroy(place, "dev")
    lines = said()
    assert lines[0] == "dev (cloud): 2 DESTROYED"
    assert [line for line in lines if line.startswith("  stays")] == [
        "  stays module.storage.terraform_data.bucket",
        "  stays terraform_data.key",
    ]
    assert lines[-1] == "dev is destroyed, but for the 2 objects that stay"
    verbs.destroy(place, "dev")
    assert said() == ["dev: nothing is there but the 2 objects that stay"]
    assert refusal(verbs.outputs, place) == (
        "dev has no cluster: it was destroyed but for what stays, or never made whole: make infra-plan ENV=dev, then make infra-apply ENV=dev"
    )


def test_kubeconfig_runs_what_the_cloud_says(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def command(text: str) -> None:
        monkeypatch.setattr(verbs, "outputs", lambda place, *needed: {"kubeconfig_command": text})

    command("echo 'one word' && echo two")
    verbs.kubeconfig(place)
    assert "one word\ntwo\n" in capfd.readouterr().out
    command("no-such-program x")
    assert refusal(verbs.kubeconfig, place) == "no-such-program was not found: install it, and run the command above"
    command("false && echo three")
    assert refusal(verbs.kubeconfig, place) == "false failed; what it said stands above"
    assert "\nthree\n" not in capfd.readouterr().out
    command("false")
    assert refusal(verbs.kubeconfig, replace(place, cloud="aws")).startswith(
        "false failed; what it said stands above. If it found no credentials: sign in (aws sso login"
    )
