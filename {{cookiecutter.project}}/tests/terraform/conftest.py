"""A project with a root module of the tests' own, which needs no provider, and programs that stand for Terraform."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from terraform import backend
from terraform.place import Place

from tests.terraform.stores import BUCKET, SETTINGS, client, reset, served

MODULE = """\
terraform {
  required_version = ">= 1.11, < 2.0"
  backend "local" {}
}

resource "terraform_data" "this" {
  input = { size = var.size, password = var.password, deletion_protection = var.deletion_protection }
}

resource "terraform_data" "slow" {
  count = var.size > 100 ? 1 : 0
  provisioner "local-exec" {
    command = "trap '' INT; touch ${path.root}/../begun; sleep 2"
  }
}

resource "terraform_data" "after" {
  depends_on = [terraform_data.slow]
}

output "size" {
  value = var.size
}
"""
VARIABLES = """\
variable "size" {
  type = number
  validation {
    condition     = var.size > 0
    error_message = "size: must be more than 0."
  }
}

variable "budget" {
  type    = object({ amount = number, emails = list(string) })
  default = { amount = 1, emails = ["ada@example.org"] }
  validation {
    condition     = var.budget.amount > 0
    error_message = "budget: amount: ${var.budget.amount}: must be more than 0."
  }
  validation {
    condition     = alltrue([for email in var.budget.emails : email != ""])
    error_message = "budget: emails: must be addresses."
  }
}

variable "deletion_protection" {
  type    = bool
  default = false
}

variable "password" {
  type      = string
  sensitive = true
  default   = "hunter2"
}
"""
BOOTSTRAP = """\
variable "state_name" {
  type = string
}

resource "terraform_data" "bucket" {
  input = var.state_name
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
def place(tmp_path: Path) -> Place:
    """The environment `dev` of a project; so that two can be told apart, it also has `prod`."""
    root = tmp_path / "project"
    (root / "terraform" / "cloud").mkdir(parents=True)
    (root / "terraform" / "cloud" / "main.tf").write_text(MODULE)
    (root / "terraform" / "cloud" / "variables.tf").write_text(VARIABLES)
    environments = root / "terraform" / "environments"
    environments.mkdir()
    for name in ("dev", "prod"):
        (environments / f"{name}.tfvars").write_text("size = 1\n")
        (environments / f"{name}.backend.hcl").write_text(f'path = "{tmp_path}/{name}.tfstate"\n')
    answers = {"cloud": "cloud"}
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in answers.items())
    (root / "pyproject.toml").write_text(f"[tool.mlops-template.answers]\n{lines}")
    return Place(root, root / "artifacts", "cloud", "dev")


@pytest.fixture
def needs_terraform() -> None:
    """Skip where there is none."""
    if shutil.which("terraform") is None:
        pytest.skip("NOT RUN: terraform was not found (https://developer.hashicorp.com/terraform/install)")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an S3 that has the bucket."""
    with served() as (address, _):
        for name, value in {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_S3": address,
        }.items():
            monkeypatch.setenv(name, value)
        client().create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield address
        reset(address)


@pytest.fixture
def remote(place: Place, bucket: str) -> Place:
    """An environment whose state is in that S3."""
    main = place.module / "main.tf"
    main.write_text(main.read_text().replace('backend "local"', 'backend "s3"'))
    place.backend.write_text("")
    backend.write(place.backend, SETTINGS)
    return place


@pytest.fixture
def cloud(place: Place) -> Place:
    """An environment of a cloud: its module has its state in S3, and a bootstrap."""
    main = place.module / "main.tf"
    main.write_text(main.read_text().replace('backend "local"', 'backend "s3"'))
    (place.module / "bootstrap").mkdir()
    lines = ", ".join(f'{name} = "{value}"' for name, value in SETTINGS.items())
    (place.module / "bootstrap" / "main.tf").write_text(BOOTSTRAP % lines)
    (place.module / "bootstrap" / "stack_variables.tf").symlink_to("../variables.tf")
    place.variables.with_name("dev.bootstrap.tfvars").write_text('state_name = "mine"\n')
    place.backend.write_text('# Where the state of dev is.\n# Written by make infra-bootstrap.\nbucket = ""\n')
    return place


Program = Callable[..., Path]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Put a `terraform` first on the PATH that notes how it is called, says what it is told to, and ends with a code."""

    def make(code: int = 0, *, out: str = "", error: str = "") -> Path:
        folder, calls = tmp_path / "bin", tmp_path / "calls.jsonl"
        folder.mkdir(exist_ok=True)
        (folder / "terraform").write_text(
            f"#!{sys.executable}\nimport json, os, sys\n"
            f"open({str(calls)!r}, 'a').write(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]) + '\\n')\n"
            f"sys.stdout.write({out!r}); sys.stderr.write({error!r}); sys.exit({code})\n"
        )
        (folder / "terraform").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        return calls

    return make
