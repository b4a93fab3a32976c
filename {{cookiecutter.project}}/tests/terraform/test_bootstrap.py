"""A state begins as a file and moves into the place that the bootstrap has made: on an S3 of this machine."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from terraform import backend, bootstrap, calling, verbs
from terraform.place import Place, Refused

BUCKET = "state-of-dev"
SETTINGS = {
    "bucket": BUCKET,
    "key": "project/dev/terraform.tfstate",
    "region": "eu-central-1",
    "use_lockfile": "true",
    "skip_credentials_validation": "true",
    "skip_requesting_account_id": "true",
    "use_path_style": "true",
}
MODULE = """\
variable "region" {
  type = string
}

resource "terraform_data" "bucket" {
  input = var.region
}

output "backend" {
  value = { %s }
}

output "plan_identity" {
  value = "planner"
}

output "apply_identity" {
  value = "applier"
}
"""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an S3 that has the bucket, which here the module does not make."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
    }.items():
        monkeypatch.setenv(name, value)
    client().create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    yield BUCKET
    # Of one process, every server has the same buckets.
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
    server.stop()


def client() -> Any:
    return boto3.client("s3", region_name="eu-central-1")


def keys() -> set[str]:
    return {each["Key"] for each in client().list_objects_v2(Bucket=BUCKET).get("Contents", ())}


@pytest.fixture
def cloud(place: Place) -> Place:
    """An environment of a cloud: its module has its state in S3, and a bootstrap."""
    main = place.module / "main.tf"
    main.write_text(main.read_text().replace('backend "local"', 'backend "s3"'))
    (place.module / "bootstrap").mkdir()
    lines = ", ".join(f'{name} = "{value}"' for name, value in SETTINGS.items())
    (place.module / "bootstrap" / "main.tf").write_text(MODULE % lines)
    place.variables.with_name("dev.bootstrap.tfvars").write_text('region = "eu-central-1"\n')
    place.backend.write_text('# Where the state of dev is.\n# Written by make infra-bootstrap.\nbucket = ""\n')
    return place


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
        "Only if it died: TF_DATA_DIR=$PWD/artifacts/terraform/dev/data terraform -chdir=terraform/cloud force-unlock 6e0d7bd2"
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
    file.write_text('# why\nbucket = "old" # here\nencrypt=true\nretries = 3\nmap = { a = 1 }\n')
    assert backend.read(file) == {"bucket": "old", "encrypt": True, "retries": 3}
    assert backend.filled(backend.read(file))
    backend.write(file, {"bucket": "new", "use_lockfile": "true"})
    assert file.read_text() == '# why\nbucket       = "new"\nuse_lockfile = true\n'
    assert not backend.filled({"bucket": ""})
    assert not backend.filled({})


def test_a_state_beside_the_environments() -> None:
    assert bootstrap._apart({"bucket": "b", "key": "project/dev/terraform.tfstate"}) == {
        "key": "project/dev/bootstrap.tfstate"
    }
    assert bootstrap._apart({"bucket": "b", "prefix": "project/dev"}) == {"prefix": "project/dev-bootstrap"}
