"""A state begins as a file and moves into the place that the bootstrap has made: on an S3 of this machine."""

import json
from pathlib import Path

import pytest

from terraform import backend, bootstrap, calling, verbs
from terraform.place import Place, Refused

from tests.terraform.refusals import refusal
from tests.terraform.stores import BUCKET, SETTINGS, client, keys


@pytest.mark.proof("The bootstrap's state moves into the place that it has made, and the environment's begins there")
@pytest.mark.usefixtures("needs_terraform", "bucket")
def test_from_nothing(cloud: Place, capsys: pytest.CaptureFixture[str]) -> None:
    bootstrap.bootstrap(cloud, "")
    assert capsys.readouterr().out.splitlines() == [
        "dev (cloud): 1 created",
        "  created terraform_data.bucket",
        "  outputs that change: apply_identity, backend, plan_identity",
        "nothing was made: CONFIRM=dev makes what is listed above",
    ]
    assert keys() == set()
    bootstrap.bootstrap(cloud, "dev")
    assert capsys.readouterr().out.splitlines()[-4:] == [
        "the state of dev is kept where terraform/environments/dev.backend.hcl says: commit that file",
        "for CI:",
        "  apply_identity = applier",
        "  plan_identity = planner",
    ]
    assert keys() == {"project/dev/bootstrap.tfstate"}
    assert list(cloud.work.rglob("*.tfstate*")) == [cloud.work / "bootstrap" / "data" / "terraform.tfstate"]
    assert cloud.backend.read_text().startswith(
        "# Where the state of dev is.\n# Written by make infra-bootstrap.\nbucket"
    )
    bootstrap.bootstrap(cloud, "")
    assert capsys.readouterr().out.splitlines()[0] == "dev (cloud): no object is changed"
    verbs.plan(cloud)
    verbs.apply(cloud)
    assert keys() == {"project/dev/bootstrap.tfstate", "project/dev/terraform.tfstate"}
    assert verbs.outputs(cloud) == {"size": 1}


@pytest.mark.usefixtures("needs_terraform", "bucket")
def test_a_state_that_did_not_move_yet_moves_the_next_time(cloud: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(backend, "write", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            bootstrap.bootstrap(cloud, "dev")
    assert (cloud.work / "bootstrap" / "bootstrap" / "terraform.tfstate").exists()
    assert keys() == set()
    bootstrap.bootstrap(cloud, "dev")
    state = json.load(client().get_object(Bucket=BUCKET, Key="project/dev/bootstrap.tfstate")["Body"])
    assert [each["name"] for each in state["resources"]] == ["bucket"]


def lines(cloud: Place) -> dict[str, bytes]:
    """What is in the project and in the bucket."""
    files = {path.name: path.read_bytes() for path in cloud.variables.parent.iterdir()}
    return files | {key: client().get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys()}


@pytest.mark.proof("A bootstrap that could not move its state says where that is, and without CONFIRM nothing changes")
@pytest.mark.usefixtures("needs_terraform", "bucket")
def test_a_move_that_failed(cloud: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.backend.write_text(cloud.backend.read_text() + "max_retries = 1 # mine\n")
    state = cloud.work / "bootstrap" / "bootstrap" / "terraform.tfstate"
    with monkeypatch.context() as signed_out:
        signed_out.delenv("AWS_ACCESS_KEY_ID")
        signed_out.delenv("AWS_SECRET_ACCESS_KEY")
        said = refusal(bootstrap.bootstrap, cloud, "dev").splitlines()
    assert said[0].startswith("no credentials for the account of dev were found: sign in")
    assert said[1] == (
        "All that was made until now is there. Its state is the file artifacts/terraform/dev/bootstrap/bootstrap/terraform.tfstate, "
        "and nowhere else: make infra-bootstrap ENV=dev CONFIRM=dev moves it"
    )
    before, held = lines(cloud), state.read_bytes()
    capsys.readouterr()
    bootstrap.bootstrap(cloud, "")
    assert capsys.readouterr().out.splitlines() == [
        "dev (cloud): no object is changed",
        "Its state is the file artifacts/terraform/dev/bootstrap/bootstrap/terraform.tfstate, and nowhere else: CONFIRM=dev moves it",
    ]
    assert (lines(cloud), state.read_bytes()) == (before, held)
    cloud.backend.write_text(cloud.backend.read_text() + "skip_region_validation = true # mine too\n")
    bootstrap.bootstrap(cloud, "dev")
    assert keys() == {"project/dev/bootstrap.tfstate"}
    assert not state.exists()
    before = lines(cloud)
    assert before["dev.backend.hcl"].endswith(b"skip_region_validation = true # mine too\n")
    assert b"max_retries = 1 # mine\n" in before["dev.backend.hcl"]
    bootstrap.bootstrap(cloud, "")
    bootstrap.bootstrap(cloud, "dev")
    assert lines(cloud) == before


@pytest.mark.usefixtures("needs_terraform", "bucket")
def test_a_backend_file_that_says_something_else_is_not_overwritten(cloud: Place) -> None:
    cloud.backend.write_text('bucket = ""\nkey = "mine.tfstate"\n')
    assert refusal(bootstrap.bootstrap, cloud, "dev").splitlines() == [
        'terraform/environments/dev.backend.hcl: key: is "mine.tfstate", and was made as "project/dev/terraform.tfstate": leave what was made, '
        "or blank",
        "All was made. Its state is the file artifacts/terraform/dev/bootstrap/bootstrap/terraform.tfstate, and nowhere else: then "
        "make infra-bootstrap ENV=dev CONFIRM=dev moves it",
    ]
    assert cloud.backend.read_text() == 'bucket = ""\nkey = "mine.tfstate"\n'
    cloud.backend.write_text('bucket = ""\nkey = ""\n')
    bootstrap.bootstrap(cloud, "dev")
    assert keys() == {"project/dev/bootstrap.tfstate"}


@pytest.mark.usefixtures("needs_terraform", "bucket")
def test_a_state_that_did_not_move_yet_overwrites_no_other(cloud: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(backend, "write", lambda *arguments: ["key: stop here"])
        assert "stop here" in refusal(bootstrap.bootstrap, cloud, "dev")
    theirs = "project/prod/bootstrap.tfstate"
    client().put_object(Bucket=BUCKET, Key=theirs, Body=b"{}")
    backend.write(cloud.backend, SETTINGS | {"key": "project/prod/terraform.tfstate"})
    assert 'key: is "project/prod/terraform.tfstate", and was made as' in refusal(bootstrap.bootstrap, cloud, "dev")
    assert client().get_object(Bucket=BUCKET, Key=theirs)["Body"].read() == b"{}"


@pytest.mark.usefixtures("needs_terraform", "bucket")
def test_a_wrong_line_of_the_backend_file_is_named_when_the_state_moves(cloud: Place) -> None:
    cloud.backend.write_text('bucket = ""\nkms_key_id = "abc"\n')
    first, second = refusal(bootstrap.bootstrap, cloud, "dev").splitlines()
    assert first.startswith("terraform/environments/dev.backend.hcl: ")
    assert "KMS Key ID" in first
    assert not any(sign in first for sign in ("\x1b", "│", "backend.tf.json"))
    assert second.startswith("All that was made until now is there.")


@pytest.mark.usefixtures("needs_terraform", "bucket")
def test_a_backend_file_of_which_half_is_there(cloud: Place) -> None:
    cloud.backend.write_text(f'bucket = "{BUCKET}"\n')
    for confirm in ("", "dev"):
        assert refusal(bootstrap.bootstrap, cloud, confirm) == (
            "terraform/environments/dev.backend.hcl: key: missing: put back what make infra-bootstrap wrote there; where it has not run yet, "
            'leave the values blank (""), and it writes them'
        )
    assert refusal(verbs.plan, cloud).startswith("terraform/environments/dev.backend.hcl: ")
    assert keys() == set()


@pytest.mark.usefixtures("needs_terraform", "bucket")
def test_a_bootstrap_that_is_confirmed_by_another_name(cloud: Place) -> None:
    assert refusal(bootstrap.bootstrap, cloud, "prod").startswith(
        "CONFIRM=prod is not the environment dev: nothing was done"
    )
    assert not (cloud.work / "bootstrap").exists()


@pytest.mark.usefixtures("needs_terraform", "bucket")
def test_a_second_writer_is_told_who_the_first_is(cloud: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "LOCK_SECONDS", 0)
    backend.write(cloud.backend, SETTINGS)
    lock = {
        "ID": "6e0d7bd2",
        "Operation": "OperationTypeApply",
        "Who": "ada@build-7",
        "Version": "1.11.4",
        "Created": "2026-11-26T12:45:49Z",
    }
    client().put_object(Bucket=BUCKET, Key="project/dev/terraform.tfstate.tflock", Body=json.dumps(lock).encode())
    with pytest.raises(Refused) as refused:
        verbs.plan(cloud)
    assert str(refused.value) == (
        "the state of dev is locked by ada@build-7 since 2026-11-26 12:45:49 +0000 UTC (OperationTypeApply): wait until that has ended. "
        "Only if it died: TF_DATA_DIR=$PWD/artifacts/terraform/dev/data terraform -chdir=terraform/cloud force-unlock 6e0d7bd2; "
        "what it made in its last moments may be in no state: look in the account"
    )


@pytest.mark.usefixtures("needs_terraform", "bucket")
def test_a_bucket_that_is_not_there(cloud: Place) -> None:
    backend.write(cloud.backend, SETTINGS | {"bucket": "another-bucket"})
    with pytest.raises(
        Refused, match=r"^terraform/environments/dev\.backend\.hcl: there is no such place for the state \("
    ):
        verbs.plan(cloud)


def test_what_needs_no_bootstrap_says_so(place: Place) -> None:
    with pytest.raises(Refused) as refused:
        bootstrap.bootstrap(place, "dev")
    assert str(refused.value) == (
        "cloud: a cluster that is there already needs no bootstrap: the state of dev is a file, and "
        "terraform/environments/dev.backend.hcl says which"
    )


def test_the_lines_of_a_backend_file(tmp_path: Path) -> None:
    file = tmp_path / "dev.backend.hcl"
    assert backend.read(file) == {}
    mine = '# why\nencrypt=true\nretries = 3\nmap = { a = 1 }\nodd = "\\q"\n'
    file.write_text(mine + 'bucket = "old" # here\n')
    assert backend.read(file) == {"bucket": "old", "encrypt": True, "retries": 3, "odd": "\\q"}
    assert backend.filled(backend.read(file))
    made = {"bucket": "new", "use_lockfile": "true", "encrypt": "true"}
    assert backend.write(file, made) == ['bucket: is "old", and was made as "new"']
    assert file.read_text() == mine + 'bucket = "old" # here\n'
    file.write_text(mine + 'bucket = ""\n')
    assert backend.write(file, made) == []
    assert file.read_text() == mine + 'bucket       = "new"\nuse_lockfile = true\n'
    assert backend.write(file, made) == []
    file.write_bytes(b"\xff\xfe")
    assert backend.read(file) == {}
    assert backend.read(tmp_path) == {}
    assert not backend.filled({"bucket": ""})
    assert not backend.filled({})


def test_a_state_beside_the_environments() -> None:
    assert bootstrap._apart({"bucket": "b", "key": "project/dev/terraform.tfstate"}) == {
        "key": "project/dev/bootstrap.tfstate"
    }
    assert bootstrap._apart({"bucket": "b", "prefix": "project/dev"}) == {"prefix": "project/dev-bootstrap"}
