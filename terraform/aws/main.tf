provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
  default_tags { tags = merge(var.labels, { project = var.project, environment = var.environment }) }
}

locals {
  name = "${var.project}-${var.environment}"
  # Each module takes out of this what it names.
  common = { name = local.name, region = var.region, account_id = var.account_id, log_retention_days = var.log_retention_days,
    network_cidr = var.network_cidr, service_cidr = var.service_cidr, zones = var.zones
  }
}

module "storage" {
  source = "./modules/storage"
  this   = merge(local.common, { bucket = "${local.name}-${var.account_id}", readers = var.artifact_readers }) # all accounts share one set of names
}

module "identity" {
  source = "./modules/identity"
  # In a folder of their own and below the boundary that bootstrap/ made: other roles the apply identity cannot make.
  this = merge(local.common, module.storage, { role_path = "/${var.project}/${var.environment}/"
    boundary  = "arn:aws:iam::${var.account_id}:policy/${local.name}-boundary"
    workloads = { for name, workload in var.workloads : name => merge(workload, { namespace = coalesce(workload.namespace, local.name) }) }
  })
}

module "network" {
  source = "./modules/network"
  this   = merge(local.common, module.storage, module.identity)
}

module "registry" {
  source = "./modules/registry"
  this = merge(module.storage, { folder = "${var.project}/${var.environment}"
    images = ["${var.project}-serving", "${var.project}-pipeline", "mlops-platform-mlflow"]
  })
}

module "cluster" {
  source = "./modules/cluster"
  this = merge(local.common, module.storage, module.identity, module.network, { access = var.cluster_access, node_pools = var.node_pools
    kubernetes_version = var.kubernetes_version, deletion_protection = var.deletion_protection, authorized_cidrs = var.authorized_cidrs
  })
}

module "budget" {
  source = "./modules/budget"
  this   = merge(local.common, var.budget)
}
