# What is closed, encrypted, kept and counted by default. Planned with mocks: the real provider serves as well, without an account.
# Cluster and nodes: cluster.tftest.hcl.
mock_provider "azurerm" {
  mock_resource "azurerm_kubernetes_cluster" {
    defaults = { kubelet_identity = [{ object_id = "66666666-6666-6666-6666-666666666666" }] }
  }
}

variables {
  this = {
    name             = "energy-usage-dev"
    unique_name      = "energyudev01234567"
    region           = "westeurope"
    zones            = ["1", "2", "3"]
    tenant_id        = "22222222-2222-2222-2222-222222222222"
    authorized_cidrs = []
    labels           = { project = "energy-usage", environment = "dev" }
    workspace_id     = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/energy-usage-dev/providers/Microsoft.OperationalInsights/workspaces/energy-usage-dev"
    vault_id         = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/energy-usage-dev/providers/Microsoft.KeyVault/vaults/kvenergyudev01234567"
    key_id           = "https://kvenergyudev01234567.vault.azure.net/keys/energy-usage-dev"
    key_version_id   = "https://kvenergyudev01234567.vault.azure.net/keys/energy-usage-dev/0123456789abcdef0123456789abcdef"
    identities = { for name in ["cluster", "encryption", "workload-training", "workload-serving"] : name => {
      id           = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/energy-usage-dev/providers/Microsoft.ManagedIdentity/userAssignedIdentities/energy-usage-dev-${name}"
      client_id    = "44444444-4444-4444-4444-444444444444"
      principal_id = "88888888-8888-8888-8888-888888888888"
    } }
    container         = "artifacts"
    container_id      = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/energy-usage-dev/providers/Microsoft.Storage/storageAccounts/energyudev01234567/blobServices/default/containers/artifacts"
    reader_subnet_ids = []
    readers           = ["77777777-7777-7777-7777-777777777777"]
    workloads = {
      training = { namespace = "energy-usage-dev", service_account = "training", access = "write" }
      serving  = { namespace = "energy-usage-dev", service_account = "serving", access = "read" }
    }
    account_id          = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/energy-usage-dev/providers/Microsoft.Storage/storageAccounts/energyudev01234567"
    registry_id         = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/energy-usage-dev/providers/Microsoft.ContainerRegistry/registries/energyudev01234567"
    puller_id           = "66666666-6666-6666-6666-666666666666"
    network_cidr        = "10.20.0.0/16"
    oidc_issuer         = "https://westeurope.oic.prod-aks.azure.com/22222222/33333333/"
    subscription_id     = "11111111-1111-1111-1111-111111111111"
    node_resource_group = "energy-usage-dev-nodes"
    amount              = 300
    emails              = ["ml@example.com"]
  }
}

run "vault_and_store" {
  command = plan
  module {
    source = "./modules/storage"
  }

  assert {
    condition     = azurerm_key_vault.this.rbac_authorization_enabled && azurerm_key_vault.this.purge_protection_enabled && azurerm_key_vault.this.soft_delete_retention_days == 90
    error_message = "the vault goes by roles, and what is deleted in it comes back"
  }
  assert {
    condition     = azurerm_key_vault_key.this.key_type == "RSA-HSM" && azurerm_key_vault_key.this.rotation_policy[0].automatic[0].time_after_creation == "P1Y"
    error_message = "the key is in hardware and rotates"
  }
  assert {
    condition     = azurerm_role_assignment.this.role_definition_name == "Key Vault Crypto Service Encryption User" && azurerm_storage_account.this.identity[0].identity_ids == toset([var.this.identities["encryption"].id])
    error_message = "the identity that encrypts may do that alone"
  }
  assert {
    condition     = length(azurerm_storage_account.this.customer_managed_key) == 1 && azurerm_storage_account.this.infrastructure_encryption_enabled
    error_message = "the store is encrypted with our key, and once more below"
  }
  assert {
    condition = (
      !azurerm_storage_account.this.shared_access_key_enabled && !azurerm_storage_account.this.local_user_enabled &&
      azurerm_storage_account.this.default_to_oauth_authentication && azurerm_storage_account.this.sas_policy[0].expiration_action == "Block"
    )
    error_message = "the store has no keys"
  }
  assert {
    condition = (
      !azurerm_storage_account.this.allow_nested_items_to_be_public && !azurerm_storage_account.this.cross_tenant_replication_enabled &&
      azurerm_storage_container.this.container_access_type == "private"
    )
    error_message = "nothing in the store is public"
  }
  assert {
    condition     = azurerm_storage_account.this.min_tls_version == "TLS1_2" && azurerm_storage_account.this.https_traffic_only_enabled
    error_message = "the store speaks TLS 1.2 or newer alone"
  }
  assert {
    condition = (
      !azurerm_storage_account.this.public_network_access_enabled && azurerm_storage_account.this.network_rules[0].default_action == "Deny" &&
      length(azurerm_storage_account.this.network_rules[0].ip_rules) == 0
    )
    error_message = "the store is reached from its network alone"
  }
  assert {
    condition = (
      azurerm_storage_account.this.blob_properties[0].versioning_enabled && azurerm_storage_account.this.is_hns_enabled == null &&
      azurerm_storage_account.this.blob_properties[0].delete_retention_policy[0].days == 30 &&
      azurerm_storage_account.this.blob_properties[0].container_delete_retention_policy[0].days == 30
    )
    error_message = "the store keeps versions and what was deleted"
  }
}

run "store_open_to_the_ranges_and_readers_named" {
  command = plan
  module {
    source = "./modules/storage"
  }
  variables {
    this = merge(var.this, {
      authorized_cidrs  = ["203.0.113.0/24", "198.51.100.7/32", "198.51.100.8/31"]
      reader_subnet_ids = ["/subscriptions/55555555-5555-5555-5555-555555555555/resourceGroups/a/providers/Microsoft.Network/virtualNetworks/a/subnets/nodes"]
    })
  }

  assert {
    condition = (
      azurerm_storage_account.this.public_network_access_enabled && azurerm_storage_account.this.network_rules[0].default_action == "Deny" &&
      azurerm_storage_account.this.network_rules[0].ip_rules == toset(["203.0.113.0/24", "198.51.100.7", "198.51.100.8", "198.51.100.9"]) &&
      azurerm_storage_account.this.network_rules[0].virtual_network_subnet_ids == toset(var.this.reader_subnet_ids)
    )
    error_message = "these ranges, in the form that Azure takes, and these subnets, and no others"
  }
}

run "registry" {
  command = plan
  module {
    source = "./modules/registry"
  }

  assert {
    condition     = !azurerm_container_registry.this.admin_enabled && !azurerm_container_registry.this.anonymous_pull_enabled
    error_message = "nobody pulls or pushes without an identity"
  }
  assert {
    condition     = azurerm_container_registry.this.encryption[0].key_vault_key_id == var.this.key_id
    error_message = "images are encrypted with our key"
  }
  assert {
    condition = (
      !azurerm_container_registry.this.public_network_access_enabled && !azurerm_container_registry.this.export_policy_enabled &&
      azurerm_container_registry.this.network_rule_set[0].default_action == "Deny"
    )
    error_message = "the registry is reached from its network alone"
  }
}

run "registry_open_to_the_ranges_named" {
  command = plan
  module {
    source = "./modules/registry"
  }
  variables {
    this = merge(var.this, { authorized_cidrs = ["203.0.113.0/24"] })
  }

  assert {
    condition = (
      azurerm_container_registry.this.public_network_access_enabled && azurerm_container_registry.this.network_rule_set[0].default_action == "Deny" &&
      one(azurerm_container_registry.this.network_rule_set[0].ip_rule).ip_range == "203.0.113.0/24"
    )
    error_message = "these ranges and no others"
  }
}

run "network" {
  command = plan
  module {
    source = "./modules/network"
  }
  override_resource {
    target          = azurerm_network_security_group.this
    override_during = plan
    values          = { id = "/subscriptions/1/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/guard" }
  }
  override_resource {
    target          = azurerm_virtual_network.this
    override_during = plan
    values          = { id = "/subscriptions/1/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n" }
  }

  assert {
    condition     = one(one(azurerm_virtual_network.this.subnet).address_prefixes) == "10.20.0.0/17"
    error_message = "half for the nodes"
  }
  assert {
    condition     = !one(azurerm_virtual_network.this.subnet).default_outbound_access_enabled && one(azurerm_virtual_network.this.subnet).private_endpoint_network_policies == "Enabled"
    error_message = "no way out but the cluster's, and the security group counts for private endpoints"
  }
  assert {
    condition     = one(azurerm_virtual_network.this.subnet).security_group == "/subscriptions/1/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/guard"
    error_message = "no machine is ever without the security group"
  }
  assert {
    condition     = output.subnet_id == "/subscriptions/1/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/nodes" && alltrue([for endpoint in azurerm_private_endpoint.this : endpoint.subnet_id == output.subnet_id])
    error_message = "nodes and private endpoints are in that one subnet"
  }
  assert {
    condition     = { for name, zone in azurerm_private_dns_zone.this : name => zone.name } == { blob = "privatelink.blob.core.windows.net", registry = "privatelink.azurecr.io" }
    error_message = "store and registry are found by their private addresses"
  }
  assert {
    condition     = { for name, endpoint in azurerm_private_endpoint.this : name => endpoint.private_service_connection[0].private_connection_resource_id } == { blob = var.this.account_id, registry = var.this.registry_id }
    error_message = "store and registry have an address in the network"
  }
}

run "identities" {
  command = plan
  module {
    source = "./modules/identity"
  }

  assert {
    condition = { for name, credential in azurerm_federated_identity_credential.this : name => credential.subject } == {
      training = "system:serviceaccount:energy-usage-dev:training", serving = "system:serviceaccount:energy-usage-dev:serving"
    }
    error_message = "each identity is of exactly one service account"
  }
  assert {
    condition     = alltrue([for credential in azurerm_federated_identity_credential.this : credential.issuer == var.this.oidc_issuer && credential.audience == tolist(["api://AzureADTokenExchange"])])
    error_message = "with tokens of this cluster for Entra alone"
  }
  assert {
    condition = { for name, grant in azurerm_role_assignment.this : name => grant.role_definition_name if name != "the nodes" } == {
      training = "Storage Blob Data Contributor", serving = "Storage Blob Data Reader", "77777777-7777-7777-7777-777777777777" = "Storage Blob Data Reader"
    }
    error_message = "who reads does not write, nor does who comes from elsewhere"
  }
  assert {
    condition     = alltrue([for name, grant in azurerm_role_assignment.this : grant.scope == var.this.container_id if name != "the nodes"])
    error_message = "and that in the container alone"
  }
  assert {
    condition     = [for grant in azurerm_role_assignment.this : [grant.role_definition_name, grant.scope] if grant.principal_id == var.this.puller_id] == [["AcrPull", var.this.registry_id]]
    error_message = "the nodes pull and no more"
  }
}

run "reader_by_name" {
  command = plan
  module {
    source = "./modules/identity"
  }
  variables {
    this = merge(var.this, { readers = ["staging-promotion"] })
  }
  expect_failures = [var.this]
}

run "budget" {
  command = plan
  module {
    source = "./modules/budget"
  }

  assert {
    condition = toset([for each in azurerm_consumption_budget_subscription.this.notification : "${each.threshold} ${each.threshold_type}"]) == toset([
      "50 Actual", "80 Actual", "100 Actual", "100 Forecasted"
    ])
    error_message = "told at 50, 80 and 100 %, and when 100 % is foreseen"
  }
  assert {
    condition     = alltrue([for each in azurerm_consumption_budget_subscription.this.notification : each.contact_emails == tolist(["ml@example.com"])])
    error_message = "to the addresses given"
  }
  assert {
    condition     = azurerm_consumption_budget_subscription.this.amount == 300 && one(azurerm_consumption_budget_subscription.this.filter[0].dimension).values == tolist(["energy-usage-dev", "energy-usage-dev-nodes"])
    error_message = "of what both groups cost"
  }
}

run "dev" {
  command = plan
  variables {
    project             = "energy-usage"
    environment         = "dev"
    region              = "westeurope"
    kubernetes_version  = "1.34"
    authorized_cidrs    = ["203.0.113.0/24"]
    budget              = { amount = 300, emails = ["ml@example.com"] }
    subscription_id     = "11111111-1111-1111-1111-111111111111"
    tenant_id           = "22222222-2222-2222-2222-222222222222"
    admin_group_ids     = ["33333333-3333-3333-3333-333333333333"]
    deletion_protection = false
    log_retention_days  = 30
  }

  assert {
    condition     = length(azurerm_management_lock.this) == 0
    error_message = "dev may go at any time"
  }
  assert {
    condition     = azurerm_log_analytics_workspace.this.retention_in_days == 30 && !azurerm_log_analytics_workspace.this.local_authentication_enabled
    error_message = "logs are kept as long as was said, and written by identities"
  }
}

run "prod" {
  command = plan
  variables {
    project            = "energy-usage"
    environment        = "prod"
    region             = "westeurope"
    kubernetes_version = "1.34"
    authorized_cidrs   = []
    budget             = { amount = 2000, emails = ["ml@example.com"] }
    subscription_id    = "11111111-1111-1111-1111-111111111111"
    tenant_id          = "22222222-2222-2222-2222-222222222222"
    admin_group_ids    = ["33333333-3333-3333-3333-333333333333"]
  }

  assert {
    condition     = keys(azurerm_management_lock.this) == ["cluster", "registry", "storage", "vault"] && alltrue([for lock in azurerm_management_lock.this : lock.lock_level == "CanNotDelete"])
    error_message = "prod refuses to be deleted, without being asked to"
  }
  assert {
    condition     = azurerm_log_analytics_workspace.this.retention_in_days == 90
    error_message = "logs are kept for 90 days"
  }
  assert {
    condition     = keys(azurerm_monitor_diagnostic_setting.this) == ["blob", "cluster", "network", "registry", "vault"]
    error_message = "all that can be asked for something logs it"
  }
  assert {
    condition     = toset([for log in azurerm_monitor_diagnostic_setting.this["cluster"].enabled_log : log.category]) == toset(["kube-apiserver", "kube-audit-admin", "kube-controller-manager", "kube-scheduler", "cluster-autoscaler", "guard"])
    error_message = "the control plane logs it all"
  }
}
