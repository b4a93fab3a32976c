"""Changes of the code that a policy must see: at least five for each cloud, each a text that stands once in a copy of terraform/<cloud>."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """A text change, with the object that the policy must name for it, by the start of its address."""

    cloud: str
    name: str
    file: str
    before: str
    after: str
    address: str

    def __str__(self) -> str:
        return f"{self.cloud}: {self.name}"

    @property
    def kind(self) -> str:
        """The root in which it is seen."""
        return "bootstrap" if self.file.startswith("bootstrap/") else ""


ENDPOINT, KEY, SUBJECT, DELETION, BUCKET = (
    "an open endpoint",
    "no key",
    "a subject widened",
    "no deletion protection in prod",
    "a public bucket",
)
CLUSTER, STORAGE = "modules/cluster/main.tf", "modules/storage/main.tf"

MUTATIONS = (
    Mutation(
        "aws",
        ENDPOINT,
        CLUSTER,
        "endpoint_public_access  = length(var.this.authorized_cidrs) > 0",
        "endpoint_public_access  = true",
        "module.cluster.aws_eks_cluster.this",
    ),
    Mutation(
        "aws",
        KEY,
        STORAGE,
        "      kms_master_key_id = aws_kms_key.this.arn\n",
        "",
        "module.storage.aws_s3_bucket_server_side_encryption_configuration.this",
    ),
    Mutation(
        "aws",
        SUBJECT,
        "bootstrap/main.tf",
        '"${local.issuer}:sub" = each.value',
        '"${local.issuer}:sub" = ["repo:acme*"]',
        'aws_iam_role.this["apply"]',
    ),
    Mutation(
        "aws",
        DELETION,
        CLUSTER,
        "= var.this.deletion_protection",
        "= false",
        "module.cluster.aws_eks_cluster.this",
    ),
    Mutation(
        "aws",
        BUCKET,
        STORAGE,
        "  block_public_policy     = true\n",
        "  block_public_policy     = false\n",
        "module.storage.aws_s3_bucket_public_access_block.this",
    ),
    Mutation(
        "gcp",
        ENDPOINT,
        CLUSTER,
        "ip_endpoints_config { enabled = !local.private }",
        "ip_endpoints_config { enabled = true }",
        "module.cluster.google_container_cluster.this",
    ),
    Mutation(
        "gcp",
        KEY,
        "modules/registry/main.tf",
        "  kms_key_name  = var.this.kms_key_id\n",
        "",
        "module.registry.google_artifact_registry_repository.this",
    ),
    Mutation(
        "gcp",
        SUBJECT,
        "bootstrap/main.tf",
        "assertion.sub == ${jsonencode(subject)}",
        "assertion.sub.startsWith(${jsonencode(subject)})",
        "google_iam_workload_identity_pool_provider.this",
    ),
    Mutation(
        "gcp",
        DELETION,
        CLUSTER,
        "= var.this.deletion_protection",
        "= false",
        "module.cluster.google_container_cluster.this",
    ),
    Mutation(
        "gcp",
        BUCKET,
        STORAGE,
        '  public_access_prevention    = "enforced"\n',
        '  public_access_prevention    = "inherited"\n',
        "module.storage.google_storage_bucket.this",
    ),
    Mutation(
        "azure",
        ENDPOINT,
        CLUSTER,
        "= local.private\n",
        "= false\n",
        "module.cluster.azurerm_kubernetes_cluster.this",
    ),
    Mutation(
        "azure",
        KEY,
        STORAGE,
        """  customer_managed_key {
    key_vault_key_id          = azurerm_key_vault_key.this.versionless_id
    user_assigned_identity_id = var.this.identities["encryption"].id
  }
""",
        "",
        "module.storage.azurerm_storage_account.this",
    ),
    Mutation(
        "azure",
        SUBJECT,
        "bootstrap/main.tf",
        "= each.key\n  audience",
        '= "repo:acme*"\n  audience',
        "azurerm_federated_identity_credential.this",
    ),
    Mutation(
        "azure",
        DELETION,
        "main.tf",
        "cluster = module.cluster.cluster_id, registry = module.registry.registry_id, storage",
        "registry = module.registry.registry_id, storage",
        "module.cluster.azurerm_kubernetes_cluster.this",
    ),
    Mutation(
        "azure",
        DELETION,
        "main.tf",
        "storage = module.storage.account_id, vault = module.storage.vault_id\n  } :",
        "vault = module.storage.vault_id\n  } :",
        "module.storage.azurerm_storage_account.this",
    ),
    Mutation(
        "azure",
        DELETION,
        "bootstrap/main.tf",
        "{ state = module.state.account_id, key",
        "{ key",
        "module.state.azurerm_storage_account.this",
    ),
    Mutation(
        "azure",
        BUCKET,
        STORAGE,
        "= false\n  cross_tenant",
        "= true\n  cross_tenant",
        "module.storage.azurerm_storage_account.this",
    ),
)
