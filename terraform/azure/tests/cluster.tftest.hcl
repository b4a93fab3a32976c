# What the cluster is by default, and which nodes it has. Planned with mocks: the real provider serves as well, without an account.
mock_provider "azurerm" {}

variables {
  this = {
    name               = "energy-usage-dev"
    unique_name        = "energyudev01234567"
    region             = "westeurope"
    zones              = ["1", "2", "3"]
    tenant_id          = "22222222-2222-2222-2222-222222222222"
    authorized_cidrs   = []
    labels             = { project = "energy-usage", environment = "dev" }
    workspace_id       = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/energy-usage-dev/providers/Microsoft.OperationalInsights/workspaces/energy-usage-dev"
    vault_id           = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/energy-usage-dev/providers/Microsoft.KeyVault/vaults/kvenergyudev01234567"
    key_id             = "https://kvenergyudev01234567.vault.azure.net/keys/energy-usage-dev"
    key_version_id     = "https://kvenergyudev01234567.vault.azure.net/keys/energy-usage-dev/0123456789abcdef0123456789abcdef"
    kubernetes_version = "1.34"
    admin_group_ids    = ["33333333-3333-3333-3333-333333333333"]
    subnet_id          = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/energy-usage-dev/providers/Microsoft.Network/virtualNetworks/energy-usage-dev/subnets/nodes"
    service_cidr       = "10.96.0.0/16"
    network_cidr       = "10.20.0.0/16"
    node_pools         = { cpu = { machine_types = ["Standard_D4ds_v5"], min = 3, max = 9, disk_gb = 100 } }
  }
  identities = { for name in ["cluster", "encryption", "workload-training", "workload-serving"] : name => {
    id           = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/energy-usage-dev/providers/Microsoft.ManagedIdentity/userAssignedIdentities/energy-usage-dev-${name}"
    client_id    = "44444444-4444-4444-4444-444444444444"
    principal_id = "88888888-8888-8888-8888-888888888888"
  } }
}

run "private_without_ranges" {
  command = plan
  module {
    source = "./modules/cluster"
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.private_cluster_enabled && length(azurerm_kubernetes_cluster.this.api_server_access_profile) == 0
    error_message = "the API server is private"
  }
  assert {
    condition     = !azurerm_kubernetes_cluster.this.run_command_enabled && !azurerm_kubernetes_cluster.this.private_cluster_public_fqdn_enabled
    error_message = "nothing leads around the private endpoint"
  }
  assert {
    condition = (
      azurerm_kubernetes_cluster.this.local_account_disabled && azurerm_kubernetes_cluster.this.role_based_access_control_enabled &&
      azurerm_kubernetes_cluster.this.azure_active_directory_role_based_access_control[0].azure_rbac_enabled &&
      one(azurerm_kubernetes_cluster.this.azure_active_directory_role_based_access_control[0].admin_group_object_ids) == "33333333-3333-3333-3333-333333333333"
    )
    error_message = "only Entra identities come in, and the named groups administer"
  }
  assert {
    condition     = azurerm_kubernetes_cluster.this.oidc_issuer_enabled && azurerm_kubernetes_cluster.this.workload_identity_enabled
    error_message = "pods have identities of their own"
  }
  assert {
    condition     = azurerm_kubernetes_cluster.this.key_management_service[0].key_vault_key_id == var.this.key_version_id
    error_message = "etcd is encrypted with our key"
  }
  assert {
    condition     = azurerm_disk_encryption_set.this.key_vault_key_id == var.this.key_id && azurerm_disk_encryption_set.this.auto_key_rotation_enabled
    error_message = "disks are encrypted with our key, and follow its rotation"
  }
  assert {
    condition = (
      azurerm_kubernetes_cluster.this.network_profile[0].network_plugin_mode == "overlay" &&
      azurerm_kubernetes_cluster.this.network_profile[0].network_data_plane == "cilium" &&
      azurerm_kubernetes_cluster.this.network_profile[0].network_policy == "cilium"
    )
    error_message = "network policies hold"
  }
  assert {
    condition     = azurerm_kubernetes_cluster.this.node_os_upgrade_channel == "NodeImage" && azurerm_kubernetes_cluster.this.automatic_upgrade_channel == "patch"
    error_message = "nodes and cluster are patched"
  }
  assert {
    condition     = azurerm_kubernetes_cluster.this.node_provisioning_profile[0].mode == "Manual"
    error_message = "no nodes but those of the pools"
  }
  assert {
    condition     = azurerm_kubernetes_cluster.this.microsoft_defender[0].log_analytics_workspace_id == var.this.workspace_id
    error_message = "Defender watches"
  }
  assert {
    condition     = azurerm_kubernetes_cluster.this.azure_policy_enabled && azurerm_kubernetes_cluster.this.key_vault_secrets_provider[0].secret_rotation_enabled
    error_message = "policies of the subscription reach the cluster, and secrets are read anew"
  }
  assert {
    condition = alltrue([for pool in concat(azurerm_kubernetes_cluster.this.default_node_pool, values(azurerm_kubernetes_cluster_node_pool.this)) : (
      pool.host_encryption_enabled && pool.os_disk_type == "Ephemeral" && pool.node_public_ip_enabled == null && pool.vnet_subnet_id == var.this.subnet_id
    )])
    error_message = "every node: host encryption, an ephemeral disk, no public address, our subnet"
  }
  assert {
    condition     = azurerm_kubernetes_cluster.this.default_node_pool[0].only_critical_addons_enabled && azurerm_kubernetes_cluster.this.default_node_pool[0].min_count == 2
    error_message = "AKS has nodes of its own, two where cpu has as many"
  }
  assert {
    condition     = toset(values(azurerm_role_assignment.this)[*].role_definition_name) == toset(["Network Contributor", "Key Vault Crypto User", "Reader"])
    error_message = "the control plane has these roles and no others"
  }
  assert {
    condition     = azurerm_role_assignment.this["Network Contributor"].scope == var.this.subnet_id && azurerm_role_assignment.this["Key Vault Crypto User"].scope == var.this.vault_id
    error_message = "and each on one thing alone"
  }
  assert {
    condition = (
      azurerm_kubernetes_cluster.this.identity[0].identity_ids == toset([var.identities["cluster"].id]) &&
      azurerm_disk_encryption_set.this.identity[0].identity_ids == toset([var.identities["encryption"].id])
    )
    error_message = "who runs the cluster is not who encrypts"
  }
}

run "open_to_the_ranges_named" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = merge(var.this, { authorized_cidrs = ["203.0.113.0/24"] })
  }

  assert {
    condition = (
      !azurerm_kubernetes_cluster.this.private_cluster_enabled &&
      tolist(azurerm_kubernetes_cluster.this.api_server_access_profile[0].authorized_ip_ranges) == tolist(["203.0.113.0/24"])
    )
    error_message = "the API server is open to these ranges and no others"
  }
  assert {
    condition     = !azurerm_kubernetes_cluster.this.run_command_enabled && azurerm_kubernetes_cluster.this.local_account_disabled
    error_message = "all else is as where it is private"
  }
}

run "only_cpu" {
  command = plan
  module {
    source = "./modules/cluster"
  }

  assert {
    condition     = keys(azurerm_kubernetes_cluster_node_pool.this) == ["cpu"]
    error_message = "no pool that was not asked for"
  }
  assert {
    condition = (
      azurerm_kubernetes_cluster_node_pool.this["cpu"].node_labels == tomap({ "mlops-template.io/pool" = "cpu" }) &&
      length(azurerm_kubernetes_cluster_node_pool.this["cpu"].node_taints) == 0 && azurerm_kubernetes_cluster_node_pool.this["cpu"].priority == "Regular"
    )
    error_message = "cpu is labelled, not tainted, not spot"
  }
}

run "cpu_and_spot" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = merge(var.this, { node_pools = {
      cpu  = { machine_types = ["Standard_D4ds_v5"], min = 1, max = 3, disk_gb = 100 }
      spot = { machine_types = ["Standard_D8ds_v5"], min = 0, max = 5, disk_gb = 100 }
    } })
  }

  assert {
    condition     = keys(azurerm_kubernetes_cluster_node_pool.this) == ["cpu", "spot"]
    error_message = "cpu and spot"
  }
  assert {
    condition = (
      azurerm_kubernetes_cluster_node_pool.this["spot"].priority == "Spot" && azurerm_kubernetes_cluster_node_pool.this["spot"].eviction_policy == "Delete" &&
      azurerm_kubernetes_cluster_node_pool.this["spot"].spot_max_price == -1 && azurerm_kubernetes_cluster_node_pool.this["spot"].min_count == 0
    )
    error_message = "spot is spot capacity at no more than the regular price, and goes down to nothing"
  }
  assert {
    condition = (
      azurerm_kubernetes_cluster_node_pool.this["spot"].node_labels["mlops-template.io/pool"] == "spot" &&
      contains(azurerm_kubernetes_cluster_node_pool.this["spot"].node_taints, "mlops-template.io/spot=true:NoSchedule")
    )
    error_message = "spot is labelled and tainted"
  }
  assert {
    condition     = length(azurerm_kubernetes_cluster_node_pool.this["spot"].upgrade_settings) == 0 && azurerm_kubernetes_cluster.this.default_node_pool[0].min_count == 1
    error_message = "no surge of spot nodes, and one node for AKS where cpu has one"
  }
}

run "cpu_and_gpu" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = merge(var.this, { node_pools = {
      cpu = { machine_types = ["Standard_D4ds_v5"], min = 1, max = 3, disk_gb = 100 }
      gpu = { machine_types = ["Standard_NC4as_T4_v3"], min = 0, max = 2, disk_gb = 150 }
    } })
  }

  assert {
    condition     = keys(azurerm_kubernetes_cluster_node_pool.this) == ["cpu", "gpu"]
    error_message = "cpu and gpu"
  }
  assert {
    condition = (
      azurerm_kubernetes_cluster_node_pool.this["gpu"].node_labels == tomap({ "mlops-template.io/pool" = "gpu" }) &&
      azurerm_kubernetes_cluster_node_pool.this["gpu"].node_taints == tolist(["nvidia.com/gpu=present:NoSchedule"]) &&
      azurerm_kubernetes_cluster_node_pool.this["gpu"].priority == "Regular" && azurerm_kubernetes_cluster_node_pool.this["gpu"].os_disk_size_gb == 150
    )
    error_message = "gpu is labelled and tainted, with the disk asked for"
  }
}

run "all_pools" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = merge(var.this, { node_pools = {
      cpu  = { machine_types = ["Standard_D4ds_v5"], min = 1, max = 3, disk_gb = 100 }
      spot = { machine_types = ["Standard_D8ds_v5"], min = 0, max = 5, disk_gb = 100 }
      gpu  = { machine_types = ["Standard_NC4as_T4_v3"], min = 0, max = 2, disk_gb = 100 }
    } })
  }

  assert {
    condition     = { for name, pool in azurerm_kubernetes_cluster_node_pool.this : name => pool.vm_size } == { cpu = "Standard_D4ds_v5", spot = "Standard_D8ds_v5", gpu = "Standard_NC4as_T4_v3" }
    error_message = "each pool with its machine"
  }
}

run "two_machine_types" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = merge(var.this, { node_pools = { cpu = { machine_types = ["Standard_D4ds_v5", "Standard_D4s_v5"], min = 1, max = 3, disk_gb = 100 } } })
  }
  expect_failures = [var.this]
}

run "accelerator" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = merge(var.this, { node_pools = {
      cpu = { machine_types = ["Standard_D4ds_v5"], min = 1, max = 3, disk_gb = 100 }
      gpu = { machine_types = ["Standard_D4ds_v5"], min = 0, max = 1, disk_gb = 100, accelerator = { type = "nvidia-t4", count = 1 } }
    } })
  }
  expect_failures = [var.this]
}

run "network_where_the_pods_are" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = merge(var.this, { network_cidr = "10.244.128.0/17" })
  }
  expect_failures = [var.this]
}

run "services_where_the_pods_are" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = merge(var.this, { service_cidr = "10.244.128.0/17" })
  }
  expect_failures = [var.this]
}
