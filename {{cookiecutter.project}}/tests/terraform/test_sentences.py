"""What Terraform says when a user can mend it, and the sentence that is made of it. The texts are Terraform's and its backends' own."""

from dataclasses import replace

import pytest

from terraform.place import Names
from terraform.sentences import INSTALL, NOT_READ, SIGN_INS, lost, sentence, shown, sign_in
from terraform.stack import Diagnostic, StackError

NAMES = Names(
    "dev",
    "terraform/aws",
    "terraform/environments/dev.tfvars",
    "terraform/environments/dev.backend.hcl",
    "aws",
    "terraform/aws",
    "artifacts/terraform/dev/data",
    "~/.kube/config",
)
BACKEND, VARIABLES = NAMES.backend, NAMES.variables
LOCK = """\
Error acquiring the state lock: Error message: operation error S3: PutObject, https response error StatusCode: 412, PreconditionFailed
Lock Info:
  ID:        6e0d7bd2-57d5-1dd0-c28a-6f2c8f1c5c1a
  Path:      state/dev/terraform.tfstate
  Operation: OperationTypeApply
  Who:       ada@build-7
  Version:   1.11.4
  Created:   2026-11-26 12:45:49.877 +0000 UTC
  Info:

Terraform acquires a state lock to protect the state from being written
"""
NO_CREDENTIALS = f"no credentials for the account of dev were found: {sign_in('aws')}"
EXPIRED = f"the credentials for the account of dev are not valid any more: {sign_in('aws')}"

WRITTEN = "put back what make infra-bootstrap ENV=dev wrote there; where it has not run yet, leave the values blank, and it writes them"

CASES = {
    "no terraform": ("plan", "terraform: command not found", f"terraform was not found: {INSTALL}"),
    "older than -json": (
        "init",
        "flag provided but not defined: -json\nUsage: terraform init",
        f"terraform 1.5.7 cannot be used: {INSTALL}",
    ),
    "older than required": (
        "init",
        "Unsupported Terraform Core version: This configuration does not support Terraform version 1.5.7.",
        f"terraform 1.5.7 cannot be used: {INSTALL}",
    ),
    "locked": (
        "plan",
        LOCK,
        "the state of dev is locked by ada@build-7 since 2026-11-26 12:45:49.877 +0000 UTC (OperationTypeApply): wait until that has "
        "ended. Only if it died: TF_DATA_DIR=$PWD/artifacts/terraform/dev/data terraform -chdir=terraform/aws force-unlock "
        "6e0d7bd2-57d5-1dd0-c28a-6f2c8f1c5c1a; what it made in its last moments may be in no state: look in the account",
    ),
    "stale": (
        "apply",
        "Saved plan is stale: The given plan file can no longer be applied because the state was changed by another operation",
        "stale plan: the state of dev was changed after the plan was saved: make infra-plan ENV=dev again, and look at it",
    ),
    "no credentials on AWS": (
        "init",
        "No valid credential sources found: Please see https://developer.hashicorp.com/terraform/language/backend/s3\n\n"
        "Error: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata",
        NO_CREDENTIALS,
    ),
    "no credentials on Google Cloud": (
        "init",
        "storage.NewClient() failed: dialing: google: could not find default credentials. See https://cloud.google.com/docs",
        NO_CREDENTIALS,
    ),
    "no credentials on Azure": (
        "init",
        "unable to build authorizer for Storage API: could not configure AzureCli Authorizer: could not parse Azure CLI version",
        NO_CREDENTIALS,
    ),
    "expired on AWS": (
        "init",
        "validating provider credentials: operation error STS: GetCallerIdentity, StatusCode: 403, api error ExpiredToken: The security "
        "token included in the request is expired",
        EXPIRED,
    ),
    "expired on Google Cloud": (
        "plan",
        'Get "https://storage.googleapis.com": oauth2: "invalid_grant" "reauth related error (invalid_rapt)"',
        EXPIRED,
    ),
    "expired on Azure": ("plan", "AADSTS700082: The refresh token has expired due to inactivity.", EXPIRED),
    "forbidden": (
        "apply",
        "creating EKS Cluster: operation error EKS: CreateCluster, api error AccessDeniedException: User is not authorized",
        "the identity that you use may not do this in the account of dev (AccessDeniedException: User is not authorized): plan as the "
        "plan identity that bootstrap/ made, apply and destroy as the apply identity; who bootstraps needs the rights that docs/how-to "
        "names for your cloud",
    ),
    "no right to a blob": (
        "init",
        "unexpected status 403 (403 This request is not authorized to perform this operation using this permission.) with "
        "AuthorizationPermissionMismatch: This request is not authorized",
        "the identity that you use may not do this in the account of dev (AuthorizationPermissionMismatch: This request is not "
        "authorized): plan as the plan identity that bootstrap/ made, apply and destroy as the apply identity; who bootstraps needs "
        "the rights that docs/how-to names for your cloud",
    ),
    "no provider": (
        "init",
        "Failed to query available provider packages: Could not retrieve the list of available versions for provider hashicorp/aws: "
        'could not connect to registry.terraform.io: Get "https://registry.terraform.io": dial tcp: connect: connection refused',
        "the provider hashicorp/aws could not be had: see that registry.terraform.io is reached, or give Terraform a mirror of it "
        "(docs/how-to/work-air-gapped.md)",
    ),
    "other providers than locked": (
        "init",
        "Failed to install provider: Error while installing hashicorp/aws v6.69.1: the current package for registry.terraform.io/"
        "hashicorp/aws 6.69.1 doesn't match any of the checksums previously recorded in the dependency lock file",
        "terraform/aws/.terraform.lock.hcl: these are not the providers that it names: if you chose others, write it again (terraform "
        "-chdir=terraform/aws providers lock -platform=linux_amd64 -platform=darwin_arm64) and commit it",
    ),
    "another backend than before": (
        "init",
        "Backend configuration changed: A change in the backend configuration has been detected",
        f"{BACKEND}: it names another place than before, and the state is still there: put back what it said, or move the state "
        "(docs/how-to of your cloud)",
    ),
    "no bucket": (
        "init",
        'Failed to get existing workspaces: Unable to list objects in S3 bucket "b": api error NoSuchBucket: gone',
        f"{BACKEND}: there is no such place for the state (NoSuchBucket): make infra-bootstrap ENV=dev makes it, and writes this file",
    ),
    "no network": (
        "init",
        'validating provider credentials: Post "https://sts.eu-central-1.amazonaws.com/": dial tcp: lookup sts.eu-central-1.amazonaws.com '
        "on 10.0.0.53:53: no such host",
        "the account of dev was not reached (dial tcp: lookup sts.eu-central-1.amazonaws.com on 10.0.0.53:53: no such host): check the "
        "network and the proxy (HTTPS_PROXY)",
    ),
    "wrong key in the backend's file": (
        "init",
        'Invalid backend configuration argument: The backend configuration argument "bukkit" given on the command line is not expected',
        f'{BACKEND}: Invalid backend configuration argument: The backend configuration argument "bukkit" given on the command line is '
        f"not expected: {WRITTEN}",
    ),
    "no key in the backend's file": (
        "init",
        '"key": required field is not set',
        f'{BACKEND}: "key": required field is not set: {WRITTEN}',
    ),
    "destroy what must not be": (
        "plan",
        "Instance cannot be destroyed: Resource module.storage.aws_s3_bucket.this has lifecycle.prevent_destroy set, but the plan calls",
        "module.storage.aws_s3_bucket.this refuses to be destroyed (prevent_destroy): it holds what cannot be made again. Nothing was "
        "changed: where it would only move, put back the name or the region that the files of values had",
    ),
    "interrupted": ("apply", "execution halted", "dev: interrupted"),
    "something new": ("plan", "one\n\ntwo\nthree\nfour\n", "terraform plan ended with 1: two three four"),
    "no word at all": ("plan", "", "terraform plan ended with 1: without a word"),
}


@pytest.mark.proof("What a user can mend of a failed verb for infrastructure is one sentence with the remedy")
@pytest.mark.parametrize("case", CASES)
def test_a_failure_is_a_sentence_with_the_remedy(case: str) -> None:
    command, said, expected = CASES[case]
    assert sentence(StackError(command, 1, said), NAMES, "1.5.7" if "1.5.7" in expected else "1.11.4") == expected


def test_a_terraform_that_is_too_old_is_named_whatever_it_says() -> None:
    assert sentence(StackError("init", 1, "  -upgrade   Install the latest"), NAMES, "1.6.6") == (
        f"terraform 1.6.6 cannot be used: {INSTALL}"
    )
    assert "cannot be used" not in sentence(StackError("init", 1, "…"), NAMES, "1.11.0")
    assert "cannot be used" not in sentence(StackError("init", 1, "…"), NAMES, "")


@pytest.mark.parametrize("cloud", SIGN_INS)
def test_only_the_clouds_own_way_to_sign_in_is_named(cloud: str) -> None:
    said = sentence(StackError("init", 1, "no EC2 IMDS role found"), replace(NAMES, cloud=cloud))
    assert [name for name, way in SIGN_INS.items() if way in said] == [cloud]


def test_a_kubeconfig_that_is_none_is_named() -> None:
    said = (
        'Error in function call: Call to function "yamldecode" failed: on line 1, column 1: missing start of document.'
    )
    assert sentence(StackError("plan", 1, said), NAMES) == (
        "~/.kube/config: this is no kubeconfig (on line 1, column 1: missing start of document.): terraform/environments/dev.tfvars names "
        f"it, as kubeconfig. {NOT_READ}"
    )
    wrong = Diagnostic("Resource precondition failed", "kubeconfig: there is no file a: set the path.", "x")
    assert shown(wrong, NAMES) == f"{VARIABLES}: kubeconfig: there is no file a: set the path. {NOT_READ}"


def test_a_file_is_called_as_a_person_would_call_it() -> None:
    def of(file: str) -> str:
        return shown(Diagnostic("Wrong", "so", file=file, line=3), NAMES)

    assert of("/home/ada/churn/terraform/environments/dev.tfvars") == f"{VARIABLES}:3: Wrong: so"
    assert of("../environments/dev.backend.hcl") == f"{BACKEND}:3: Wrong: so"
    assert of("modules/network/main.tf") == "terraform/aws/modules/network/main.tf:3: Wrong: so"
    setting = Diagnostic("Invalid KMS Key ID", "so", file="versions.tf", line=3, of_backend=True)
    assert shown(setting, NAMES) == f"{BACKEND}: Invalid KMS Key ID: so"
    said = 'Error: Invalid ARN\n\n  on backend.tf.json line 1, in terraform.backend.s3:\n   1: {"s3": {}}\n\nMust be\nan ARN\n'
    assert sentence(StackError("init", 1, said), NAMES) == f"{BACKEND}: Invalid ARN: Must be an ARN"


def test_who_was_killed_is_said() -> None:
    assert sentence(StackError("apply", -9, ""), NAMES) == "terraform apply was killed (SIGKILL)"


def test_a_state_that_was_left_is_pushed() -> None:
    file = "artifacts/terraform/dev/errored.tfstate"
    assert (
        "TF_DATA_DIR=$PWD/artifacts/terraform/dev/data terraform -chdir=terraform/aws state push "
        f"$PWD/{file} && rm {file}"
    ) in lost(file, NAMES)
    assert "Any environment may have left it" not in lost(file, NAMES)
    assert "Any environment may have left it" in lost("terraform/aws/errored.tfstate", NAMES)


def test_every_wrong_value_is_named_once() -> None:
    def wrong(detail: str) -> Diagnostic:
        return Diagnostic("Invalid value for variable", detail, file="variables.tf", line=3)

    message = "budget: emails: at least one mail address.\n\nThis was checked by the validation rule at variables.tf:164,3-13."
    warning = Diagnostic("Deprecated", "soon", error=False)
    found = (wrong(message), wrong(message), wrong("region: must be one."), warning)
    assert sentence(StackError("plan", 1, "…", found), NAMES) == (
        f"{VARIABLES}: budget: emails: at least one mail address.\n{VARIABLES}: region: must be one."
    )


def test_a_missing_value_is_named() -> None:
    detail = 'The root module input variable "context" is not set, and has no default value.'
    missing = Diagnostic("No value for required variable", detail)
    assert sentence(StackError("plan", 1, "", (missing,)), NAMES) == (
        f"{VARIABLES}: context: missing: it has no default; terraform/aws/variables.tf says what it is"
    )
    unread = Diagnostic(
        "Variables not allowed", "Variables may not be used here.", file="environments/dev.tfvars", line=3
    )
    assert sentence(StackError("plan", 1, "", (missing, unread)), NAMES) == (
        f"{VARIABLES}:3: a text stands in quotes, and a value here can name no other"
    )


def test_a_value_of_the_wrong_type_is_named_where_it_stands() -> None:
    for said in (
        "declared at variables.tf:24,1-18: a number is required.",
        "defined at ../x.tf:2,1-9: a number is required.",
    ):
        detail = f"The given value is not suitable for var.size {said}"
        wrong = Diagnostic("Invalid value for input variable", detail, file="../environments/dev.tfvars", line=3)
        assert shown(wrong, NAMES) == f"{VARIABLES}:3: size: a number is required."


def test_anything_else_is_said_with_its_place() -> None:
    assert shown(Diagnostic("Invalid thing", "no\n good", file="main.tf", line=3), NAMES) == (
        "terraform/aws/main.tf:3: Invalid thing: no good"
    )
    assert shown(Diagnostic("Wrong", "so", "module.a.b", "main.tf", 3), NAMES) == "module.a.b: Wrong: so"
