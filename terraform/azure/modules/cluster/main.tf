locals {
  private = length(var.this.authorized_cidrs) == 0
  # What is of kubernetes.azure.com Azure puts on spot nodes itself: named here, it is no drift.
  labels = { spot = { "kubernetes.azure.com/scalesetpriority" = "spot" } }
  taints = {
    spot = ["mlops-template.io/spot=true:NoSchedule", "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"]
    gpu  = ["nvidia.com/gpu=present:NoSchedule"]
  }
}

resource "azurerm_disk_encryption_set" "this" {
  name                      = var.this.name
  resource_group_name       = var.this.name
  location                  = var.this.region
  key_vault_key_id          = var.this.key_id
  auto_key_rotation_enabled = true
  tags                      = var.this.labels
  identity {
    type         = "UserAssigned"
    identity_ids = [var.identities["encryption"].id]
  }
}

resource "azurerm_role_assignment" "this" {
  for_each = {
    "Network Contributor"   = var.this.subnet_id                  # join it
    "Key Vault Crypto User" = var.this.vault_id                   # encrypt etcd
    "Reader"                = azurerm_disk_encryption_set.this.id # find the disks' key
  }
  scope                = each.value
  role_definition_name = each.key
  principal_id         = var.identities["cluster"].principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_kubernetes_cluster" "this" {
  name                                = var.this.name
  resource_group_name                 = var.this.name
  node_resource_group                 = "${var.this.name}-nodes"
  location                            = var.this.region
  dns_prefix                          = var.this.name
  kubernetes_version                  = var.this.kubernetes_version
  automatic_upgrade_channel           = "patch"
  node_os_upgrade_channel             = "NodeImage"
  sku_tier                            = "Standard"
  private_cluster_enabled             = local.private
  private_cluster_public_fqdn_enabled = false
  run_command_enabled                 = false # else a role in Azure would be a shell behind the private endpoint
  local_account_disabled              = true
  role_based_access_control_enabled   = true
  oidc_issuer_enabled                 = true
  workload_identity_enabled           = true
  disk_encryption_set_id              = azurerm_disk_encryption_set.this.id
  azure_policy_enabled                = true
  cost_analysis_enabled               = true
  tags                                = var.this.labels
  depends_on                          = [azurerm_role_assignment.this]
  dynamic "api_server_access_profile" {
    for_each = local.private ? [] : [var.this.authorized_cidrs]
    content { authorized_ip_ranges = api_server_access_profile.value }
  }
  azure_active_directory_role_based_access_control {
    tenant_id              = var.this.tenant_id
    azure_rbac_enabled     = true
    admin_group_object_ids = var.this.admin_group_ids
  }
  identity {
    type         = "UserAssigned"
    identity_ids = [var.identities["cluster"].id]
  }
  key_management_service { key_vault_key_id = var.this.key_version_id } # one version: after a rotation the next apply moves on
  # AKS wants a pool for its own pods: apart from ours, so that all of ours can be changed without touching the cluster.
  default_node_pool {
    name                         = "system"
    temporary_name_for_rotation  = "systemtmp"
    only_critical_addons_enabled = true
    vm_size                      = "Standard_D2ds_v5"
    auto_scaling_enabled         = true
    min_count                    = min(2, var.this.node_pools["cpu"].min)
    max_count                    = 3
    orchestrator_version         = var.this.kubernetes_version
    vnet_subnet_id               = var.this.subnet_id
    zones                        = var.this.zones
    host_encryption_enabled      = true
    os_disk_type                 = "Ephemeral"
    os_disk_size_gb              = 50
    max_pods                     = 110
    tags                         = var.this.labels
    upgrade_settings { max_surge = "33%" }
  }
  node_provisioning_profile { mode = "Manual" } # the pools here are all there are
  network_profile {
    network_plugin      = "azure"
    network_plugin_mode = "overlay"
    network_data_plane  = "cilium"
    network_policy      = "cilium"
    service_cidr        = var.this.service_cidr
    dns_service_ip      = cidrhost(var.this.service_cidr, 10)
  }
  microsoft_defender { log_analytics_workspace_id = var.this.workspace_id }
  key_vault_secrets_provider { secret_rotation_enabled = true }
}

resource "azurerm_kubernetes_cluster_node_pool" "this" {
  for_each                    = var.this.node_pools
  name                        = each.key
  temporary_name_for_rotation = "${each.key}tmp"
  kubernetes_cluster_id       = azurerm_kubernetes_cluster.this.id
  vm_size                     = each.value.machine_types[0]
  auto_scaling_enabled        = true
  min_count                   = each.value.min
  max_count                   = each.value.max
  orchestrator_version        = var.this.kubernetes_version
  vnet_subnet_id              = var.this.subnet_id
  zones                       = var.this.zones
  host_encryption_enabled     = true
  os_disk_type                = "Ephemeral"
  os_disk_size_gb             = each.value.disk_gb
  max_pods                    = 110
  node_labels                 = merge({ "mlops-template.io/pool" = each.key }, lookup(local.labels, each.key, {}))
  node_taints                 = lookup(local.taints, each.key, [])
  priority                    = each.key == "spot" ? "Spot" : "Regular"
  eviction_policy             = each.key == "spot" ? "Delete" : null
  spot_max_price              = each.key == "spot" ? -1 : null # never more than the regular price
  tags                        = var.this.labels
  dynamic "upgrade_settings" {
    for_each = each.key == "spot" ? [] : ["33%"] # Azure refuses a surge of spot nodes
    content { max_surge = upgrade_settings.value }
  }
}
