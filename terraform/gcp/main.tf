provider "google" {
  project        = var.project_id
  region         = var.region
  default_labels = merge(var.labels, { project = var.project, environment = var.environment })
  # Without these the budget's API refuses a person's own login.
  billing_project       = var.project_id
  user_project_override = true
}

locals {
  # The narrowest name, a service account's, begins with a letter and ends at 30 characters.
  project = can(regex("^[a-z]", var.project)) ? var.project : "p${var.project}"
  name    = "${trimsuffix(substr(local.project, 0, 16), "-")}-${var.environment}"
  common  = { name = local.name, project_id = var.project_id, project_number = var.project_number, region = var.region }
}

module "network" {
  source = "./modules/network"
  this = merge(local.common, {
    network_cidr = var.network_cidr, pod_cidr = var.pod_cidr, service_cidr = var.service_cidr, log_retention_days = var.log_retention_days
  })
}

module "storage" {
  source = "./modules/storage"
  this = merge(local.common, {
    bucket = "${local.name}-models-${substr(sha256(var.project_id), 0, 6)}" # The only one in the world.
    agents = ["gs-project-accounts", "compute-system", "container-engine-robot", "gcp-sa-artifactregistry"]
  })
}

module "registry" {
  source = "./modules/registry"
  this   = merge(local.common, module.storage)
}

module "cluster" {
  source     = "./modules/cluster"
  node_pools = var.node_pools
  this = merge(local.common, module.network, module.storage, module.registry, {
    kubernetes_version = var.kubernetes_version, deletion_protection = var.deletion_protection
    authorized_cidrs   = var.authorized_cidrs, security_group = var.security_group
  })
}

module "identity" {
  source = "./modules/identity"
  # The pool comes from the cluster: there is none before the first cluster.
  this = merge(local.common, module.storage, module.cluster, { readers = var.artifact_readers, workloads = {
    for name, workload in var.workloads : name => merge(workload, { namespace = coalesce(workload.namespace, "${var.project}-${var.environment}") })
  } })
}

module "budget" {
  source = "./modules/budget"
  this   = merge(local.common, var.budget, { billing_account = var.billing_account })
}
