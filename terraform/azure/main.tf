provider "azurerm" {
  subscription_id     = var.subscription_id
  tenant_id           = var.tenant_id
  storage_use_azuread = true # the accounts have no keys
  features {
    key_vault { purge_soft_delete_on_destroy = false } # purge protection would refuse it
    storage { data_plane_available = false }           # who applies need not pass the store's firewall
  }
}

locals {
  name   = "${var.project}-${var.environment}" # of the resource group too: bootstrap makes it, for who may act only inside cannot
  labels = merge(var.labels, { project = var.project, environment = var.environment })
  # What the modules choose from. Vaults, stores and registries are named in one space for all of Azure: a hash makes the name ours alone.
  this = {
    name         = local.name, region = var.region, tenant_id = var.tenant_id, labels = local.labels, identities = azurerm_user_assigned_identity.this
    unique_name  = "${substr(replace(var.project, "-", ""), 0, 7)}${var.environment}${substr(sha256("${var.subscription_id}/${local.name}"), 0, 8)}"
    network_cidr = var.network_cidr, service_cidr = var.service_cidr, authorized_cidrs = var.authorized_cidrs
    workspace_id = azurerm_log_analytics_workspace.this.id, container = "artifacts", reader_subnet_ids = var.artifact_reader_subnet_ids, zones = var.zones
  }
}

module "network" {
  source = "./modules/network"
  this   = merge(local.this, module.storage, module.registry)
}

module "storage" {
  source = "./modules/storage"
  this   = local.this
}

module "registry" {
  source = "./modules/registry"
  this   = merge(local.this, module.storage)
}

module "cluster" {
  source     = "./modules/cluster"
  identities = azurerm_user_assigned_identity.this
  this = merge(local.this, module.storage, module.network, {
    kubernetes_version = var.kubernetes_version, admin_group_ids = var.admin_group_ids, node_pools = var.node_pools
  })
}

module "identity" {
  source = "./modules/identity"
  this = merge(local.this, module.storage, module.registry, module.cluster, { readers = var.artifact_readers
    workloads = { for name, workload in var.workloads : name => merge(workload, { namespace = coalesce(workload.namespace, local.name) }) }
  })
}

module "budget" {
  source = "./modules/budget"
  this   = merge(local.this, module.cluster, var.budget, { subscription_id = var.subscription_id })
}

resource "azurerm_user_assigned_identity" "this" {
  for_each            = toset(concat(["cluster", "encryption"], formatlist("workload-%s", keys(var.workloads))))
  name                = "${local.name}-${each.key}"
  resource_group_name = local.name
  location            = var.region
  tags                = local.labels
}

resource "azurerm_log_analytics_workspace" "this" {
  name                         = local.name
  resource_group_name          = local.name
  location                     = var.region
  retention_in_days            = var.log_retention_days
  local_authentication_enabled = false # Entra identities only, no workspace keys
  tags                         = local.labels
}

resource "azurerm_monitor_diagnostic_setting" "this" {
  for_each = {
    network = module.network.security_group_id, blob = "${module.storage.account_id}/blobServices/default", vault = module.storage.vault_id
    cluster = module.cluster.cluster_id, registry = module.registry.registry_id
  }
  name                       = "logs"
  target_resource_id         = each.value
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id
  dynamic "enabled_log" { # of the cluster not kube-audit: kube-audit-admin is it without what only reads, which is most of it
    for_each = each.key != "cluster" ? [null] : ["kube-apiserver", "kube-audit-admin", "kube-controller-manager", "kube-scheduler", "cluster-autoscaler", "guard"]
    content {
      category       = enabled_log.value
      category_group = enabled_log.value == null ? "allLogs" : null
    }
  }
}

# A lock also holds what is under it, node pools and role assignments: to take one away, first set deletion_protection = false.
# It depends on all of that, so that Terraform lifts it first and sets it last.
resource "azurerm_management_lock" "this" {
  for_each = { for name, id in {
    cluster = module.cluster.cluster_id, registry = module.registry.registry_id, storage = module.storage.account_id, vault = module.storage.vault_id
  } : name => id if var.deletion_protection }
  name       = "deletion-protection"
  scope      = each.value
  lock_level = "CanNotDelete"
  depends_on = [module.network, module.storage, module.registry, module.cluster, module.identity]
}
