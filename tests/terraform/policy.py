"""`policy.py PLAN.json`: what must hold in every plan of ours, whoever changed what. A plan: `terraform show -json FILE`.

Each rule is a function from a plan to findings; a finding names the object and says what is wrong with it. Exit code 1 with findings.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Values = Any
"""What JSON can hold."""


@dataclass(frozen=True)
class Resource:
    """One object as it will be: what is known of it, what only an apply will tell, and what the code says of it."""

    address: str
    type: str
    known: Values
    unknown: Values
    code: Values

    def at(self, *path: str) -> list[Any]:
        """Every known value at a path; blocks that are repeated give one each."""
        return at(self.known, *path)

    def first(self, *path: str) -> Any:
        return next(iter(self.at(*path)), None)

    def given(self, *path: str) -> bool:
        """Whether the code gives a value there: a provider fills in, too, and that would not be ours."""
        return any(self.at(*path)) or (any(at(self.unknown, *path)) and written(self.code, *path))

    @property
    def module(self) -> str:
        return ".".join(self.address.split(".")[:-2])


@dataclass(frozen=True)
class Plan:
    environment: str
    resources: list[Resource]

    def of(self, *types: str) -> list[Resource]:
        return [each for each in self.resources if each.type in types]


@dataclass(frozen=True)
class Finding:
    address: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.address}: {self.sentence}"


def at(values: Values, *path: str) -> list[Any]:
    if isinstance(values, list):
        return [found for each in values for found in at(each, *path)]
    if not path:
        return [] if values is None else [values]
    return at(values[path[0]], *path[1:]) if isinstance(values, dict) and path[0] in values else []


def written(code: Values, *path: str) -> bool:
    """Whether an expression stands there, or in a block of which a plan does not tell the code, since it is a dynamic one."""
    if isinstance(code, list):
        return any(written(each, *path) for each in code)
    if not path or not isinstance(code, dict) or "references" in code or "constant_value" in code:
        return bool(code)
    return written(code[path[0]], *path[1:]) if path[0] in code else len(path) > 1


def read(document: dict[str, Any]) -> Plan:
    """A plan as Terraform prints it."""
    code = dict(configured(document["configuration"]["root_module"]))
    resources = [
        Resource(
            each["address"],
            each["type"],
            each["change"]["after"],
            each["change"].get("after_unknown"),
            code.get(re.sub(r"\[[^]]*\]", "", each["address"]), {}),
        )
        for each in document["resource_changes"]
        if each["mode"] == "managed" and each["change"]["after"] is not None
    ]
    return Plan(document["variables"]["environment"]["value"], resources)


def configured(module: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Values]]:
    for each in module.get("resources", []):
        yield prefix + each["address"], each.get("expressions", {})
    for name, call in module.get("module_calls", {}).items():
        yield from configured(call["module"], f"{prefix}module.{name}.")


def wide(ranges: list[str]) -> bool:
    """Whether a list of addresses is nobody's in particular: empty, or with one that is larger than a /16."""
    return not ranges or any(int(each.partition("/")[2] or 32) < 16 for each in ranges)


def private_endpoint(plan: Plan) -> Iterator[Finding]:
    """The API server answers inside the network only; in dev it may answer to ranges that are named."""
    opened: list[tuple[Resource, list[str]]] = []
    for each in plan.of("aws_eks_cluster"):
        if each.first("vpc_config", "endpoint_public_access") is not False:
            opened.append((each, each.at("vpc_config", "public_access_cidrs")))
    for each in plan.of("google_container_cluster"):
        if each.first("control_plane_endpoints_config", "ip_endpoints_config", "enabled") is not False:
            opened.append((each, each.at("master_authorized_networks_config", "cidr_blocks", "cidr_block")))
        if each.first("private_cluster_config", "enable_private_nodes") is not True:
            yield Finding(each.address, "the nodes have public addresses")
    for each in plan.of("azurerm_kubernetes_cluster"):
        if each.first("private_cluster_enabled") is not True:
            opened.append((each, each.at("api_server_access_profile", "authorized_ip_ranges")))
    for cluster, ranges in opened:
        if plan.environment != "dev":
            yield Finding(cluster.address, f"the API server of {plan.environment} is public")
        elif wide(ranges):
            yield Finding(cluster.address, "the API server is open to everybody, or to more than a /16")


ENCRYPTED: dict[str, tuple[str, ...]] = {
    "aws_cloudwatch_log_group": ("kms_key_id",),
    "aws_ecr_repository": ("encryption_configuration.kms_key",),
    "aws_eks_cluster": ("encryption_config.provider.key_arn",),
    "aws_launch_template": ("block_device_mappings.ebs.kms_key_id",),
    "aws_s3_bucket_server_side_encryption_configuration": (
        "rule.apply_server_side_encryption_by_default.kms_master_key_id",
    ),
    "azurerm_container_registry": ("encryption.key_vault_key_id",),
    "azurerm_disk_encryption_set": ("key_vault_key_id",),
    "azurerm_kubernetes_cluster": ("key_management_service.key_vault_key_id", "disk_encryption_set_id"),
    "azurerm_storage_account": ("customer_managed_key.key_vault_key_id",),
    "google_artifact_registry_repository": ("kms_key_name",),
    "google_container_cluster": ("database_encryption.key_name",),
    "google_container_node_pool": ("node_config.boot_disk_kms_key",),
    "google_storage_bucket": ("encryption.default_kms_key_name",),
}
"""Where each type names the key that encrypts it."""
ROTATED = {
    "aws_kms_key": "enable_key_rotation",
    "azurerm_key_vault_key": "rotation_policy.automatic.time_after_creation",
    "google_kms_crypto_key": "rotation_period",
}


def own_keys(plan: Plan) -> Iterator[Finding]:
    """What is stored is encrypted with a key of the environment, which is rotated."""
    for each in plan.of(*ENCRYPTED):
        for place in ENCRYPTED[each.type]:
            if not each.given(*place.split(".")):
                yield Finding(each.address, f"is not encrypted with a key of its own ({place})")
    for each in plan.of(*ROTATED):
        if not each.given(*ROTATED[each.type].split(".")):
            yield Finding(each.address, f"the key is never rotated ({ROTATED[each.type]})")
    yield from companions(plan, "aws_s3_bucket_server_side_encryption_configuration", "is not encrypted")


def companions(plan: Plan, companion: str, sentence: str) -> Iterator[Finding]:
    """S3 keeps in an object of its own what other stores have as a field: each bucket has one beside it."""
    for bucket in plan.of("aws_s3_bucket"):
        if not any(each.module == bucket.module for each in plan.of(companion)):
            yield Finding(bucket.address, f"{sentence}: it has no {companion}")


def exact_subjects(plan: Plan) -> Iterator[Finding]:
    """Whoever comes with a token from outside is named to the last letter, with the audience."""
    for each in plan.of("aws_iam_role"):
        for statement in json.loads(each.first("assume_role_policy") or "{}").get("Statement", []):
            if "AssumeRoleWithWebIdentity" in str(statement["Action"]):
                yield from named(each.address, statement.get("Condition", {}))
    for each in plan.of("azurerm_federated_identity_credential"):
        if vague(each.at("subject")) and not at(each.unknown, "subject"):
            yield Finding(each.address, f"the subject is not exact: {each.first('subject')}")
    for each in plan.of("google_service_account_iam_member"):
        if not str(each.first("member") or "principal://").startswith("principal://") or vague(
            each.at("member") or ["x"]
        ):
            yield Finding(each.address, f"the member is not one exact subject: {each.first('member')}")
    for each in plan.of("google_iam_workload_identity_pool_provider"):
        if not re.fullmatch(ONE_OF, str(each.first("attribute_condition"))):
            yield Finding(each.address, f"lets in more than exact subjects: {each.first('attribute_condition')}")


ONE_OF = r'assertion\.sub == "[^*?"]+"( \|\| assertion\.sub == "[^*?"]+")*'
"""What Google compares a subject with: texts, letter by letter."""


def named(address: str, conditions: dict[str, Any]) -> Iterator[Finding]:
    """What is wrong with the conditions of an AWS trust policy."""
    exact = {name.rpartition(":")[2]: value for name, value in conditions.get("StringEquals", {}).items()}
    for claim in ("sub", "aud"):
        values = exact.get(claim, [])
        if vague([values] if isinstance(values, str) else values):
            yield Finding(address, f"the token's {claim} is not exact: {conditions}")


def vague(names: list[str]) -> bool:
    return not names or any(not name or re.search(r"[*?]", name) for name in names)


LOCKED = {"azurerm_kubernetes_cluster": ("cluster",), "azurerm_storage_account": ("storage", "state")}
"""What Azure deletes unless it is locked, and what its lock is called, in the stack or in the bootstrap."""


def kept_in_prod(plan: Plan) -> Iterator[Finding]:
    """The cluster of prod refuses to be deleted; a bucket does everywhere while something is in it.

    Azure's store does not: it has a lock where the cluster has one. Images may go: they can be built again.
    """
    if plan.environment == "prod":
        for each in plan.of("aws_eks_cluster", "google_container_cluster"):
            if each.first("deletion_protection") is not True:
                yield Finding(each.address, "prod can be deleted: deletion_protection is off")
        locks = [
            each.address for each in plan.of("azurerm_management_lock") if each.first("lock_level") == "CanNotDelete"
        ]
        for kind, names in LOCKED.items():
            if not any(f'azurerm_management_lock.this["{name}"]' in locks for name in names):
                for each in plan.of(kind):
                    yield Finding(each.address, "prod can be deleted: no azurerm_management_lock holds it")
    for each in plan.of("aws_s3_bucket", "google_storage_bucket"):
        if each.first("force_destroy"):
            yield Finding(each.address, "is deleted with all that is in it")


CLOSED: dict[str, dict[str, object]] = {
    "aws_s3_bucket_public_access_block": dict.fromkeys(
        ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"), True
    ),
    "azurerm_container_registry": {"admin_enabled": False, "anonymous_pull_enabled": False},
    "azurerm_storage_account": {"allow_nested_items_to_be_public": False, "shared_access_key_enabled": False},
    "azurerm_storage_container": {"container_access_type": "private"},
    "google_storage_bucket": {"public_access_prevention": "enforced", "uniform_bucket_level_access": True},
}
EVERYBODY = ("allUsers", "allAuthenticatedUsers")


def private_stores(plan: Plan) -> Iterator[Finding]:
    """Nobody reads artifacts or images without an identity."""
    for each in plan.of(*CLOSED):
        for name, value in CLOSED[each.type].items():
            if each.first(name) != value:
                yield Finding(each.address, f"may be public: {name} is {each.first(name)}, not {value}")
    yield from companions(plan, "aws_s3_bucket_public_access_block", "may be public")
    for each in plan.of("aws_s3_bucket_policy"):
        for statement in json.loads(each.first("policy") or "{}").get("Statement", []):
            if statement["Effect"] == "Allow" and "*" in [statement["Principal"], *at(statement["Principal"], "AWS")]:
                yield Finding(each.address, "is public: a statement allows every principal")
    for each in plan.resources:
        if re.search(r"_iam_(member|binding)$", each.type) and {*each.at("member"), *each.at("members")} & {*EVERYBODY}:
            yield Finding(each.address, "is everybody's")


RULES: tuple[Callable[[Plan], Iterator[Finding]], ...] = (
    private_endpoint,
    own_keys,
    exact_subjects,
    kept_in_prod,
    private_stores,
)


def findings(document: dict[str, Any]) -> list[Finding]:
    """What is wrong with a plan."""
    plan = read(document)
    return [found for rule in RULES for found in rule(plan)]


def main(file: str) -> int:
    found = findings(json.loads(Path(file).read_text(encoding="utf-8")))
    for each in found:
        print(each)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
