provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
  default_tags { tags = local.tags }
}

# Follows from the region: no call.
data "aws_partition" "this" {}

locals {
  name = "${var.project}-${var.environment}"
  arn  = "arn:${data.aws_partition.this.partition}"
  tags = merge(var.labels, { project = var.project, environment = var.environment })

  # Each module takes out of this what its own `stack` names.
  stack = {
    name = local.name, arn = local.arn, tags = local.tags, region = var.region, account_id = var.account_id
    # In a folder of their own and below the boundary that bootstrap/ made: other roles the apply identity cannot make.
    role_path = "/${var.project}/${var.environment}/", boundary = "${local.arn}:iam::${var.account_id}:policy/${local.name}-boundary"

    network_cidr = var.network_cidr, service_cidr = var.service_cidr, zones = var.zones, authorized_cidrs = var.authorized_cidrs
    s3           = "${data.aws_partition.this.reverse_dns_prefix}.${var.region}.s3"

    kubernetes_version = var.kubernetes_version, addon_versions = var.addon_versions, node_pools = var.node_pools, access = var.cluster_access
    log_retention_days = var.log_retention_days, deletion_protection = var.deletion_protection
  }
}

module "storage" {
  source  = "./modules/storage"
  stack   = local.stack
  name    = "${local.name}-${var.account_id}" # all accounts share one set of names
  readers = var.artifact_readers
  cluster = local.name
}

module "identity" {
  source    = "./modules/identity"
  stack     = local.stack
  workloads = { for name, workload in var.workloads : name => merge(workload, { namespace = coalesce(workload.namespace, local.name) }) }
  artifacts = module.storage.bucket
}

module "network" {
  source      = "./modules/network"
  stack       = local.stack
  kms_key_arn = module.storage.bucket.kms_key_arn
  role_arn    = module.identity.identities.arns["flow-logs"]
}

module "registry" {
  source      = "./modules/registry"
  names       = [for image in ["${var.project}-serving", "${var.project}-pipeline", "mlops-platform-mlflow"] : "${var.project}/${var.environment}/${image}"]
  kms_key_arn = module.storage.bucket.kms_key_arn
}

module "cluster" {
  source      = "./modules/cluster"
  stack       = local.stack
  subnet_ids  = module.network.subnet_ids
  kms_key_arn = module.storage.bucket.kms_key_arn
  identities  = module.identity.identities
}

module "budget" {
  source = "./modules/budget"
  name   = local.name
  budget = var.budget
}
