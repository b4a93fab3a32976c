# The vault answers on the internet, but only to Entra identities with a role. Its firewall stays open for two that it would shut out:
# the registry comes with a user-assigned identity, which it does not let through as a trusted service
# (https://github.com/Azure/acr/issues/523), and so does the API server (https://learn.microsoft.com/azure/aks/use-kms-etcd-encryption).
resource "azurerm_key_vault" "this" {
  name                       = "kv${var.this.unique_name}"
  resource_group_name        = var.this.name
  location                   = var.this.region
  tenant_id                  = var.this.tenant_id
  sku_name                   = "premium" # keys in hardware
  rbac_authorization_enabled = true
  purge_protection_enabled   = true
  soft_delete_retention_days = 90
  tags                       = var.this.labels
}

resource "azurerm_key_vault_key" "this" {
  name            = var.this.name
  key_vault_id    = azurerm_key_vault.this.id
  key_type        = "RSA-HSM"
  key_size        = 3072
  key_opts        = ["encrypt", "decrypt", "wrapKey", "unwrapKey"]
  expiration_date = timeadd(plantimestamp(), "17520h") # of the first version; the policy gives the later ones theirs
  depends_on      = [azurerm_role_assignment.this]     # so that who encrypts with it may
  rotation_policy {
    expire_after         = "P2Y" # a year beside the next version: etcd moves on with an apply, all else by itself
    notify_before_expiry = "P30D"
    automatic { time_after_creation = "P1Y" }
  }
  lifecycle { ignore_changes = [expiration_date] }
}

resource "azurerm_role_assignment" "this" {
  scope                = azurerm_key_vault.this.id
  role_definition_name = "Key Vault Crypto Service Encryption User"
  principal_id         = var.this.identities["encryption"].principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_storage_account" "this" {
  name                              = var.this.unique_name
  resource_group_name               = var.this.name
  location                          = var.this.region
  account_tier                      = "Standard"
  account_replication_type          = "GRS"
  min_tls_version                   = "TLS1_2"
  https_traffic_only_enabled        = true
  shared_access_key_enabled         = false
  local_user_enabled                = false
  default_to_oauth_authentication   = true
  allow_nested_items_to_be_public   = false
  cross_tenant_replication_enabled  = false
  infrastructure_encryption_enabled = true
  public_network_access_enabled     = length(concat(var.this.authorized_cidrs, var.this.reader_subnet_ids)) > 0
  tags                              = var.this.labels
  identity {
    type         = "UserAssigned"
    identity_ids = [var.this.identities["encryption"].id]
  }
  customer_managed_key {
    key_vault_key_id          = azurerm_key_vault_key.this.versionless_id
    user_assigned_identity_id = var.this.identities["encryption"].id
  }
  network_rules {
    default_action             = "Deny"
    bypass                     = ["AzureServices"]
    virtual_network_subnet_ids = var.this.reader_subnet_ids
    # Azure takes no /31 and no /32 here, but their addresses.
    ip_rules = flatten([for cidr in var.this.authorized_cidrs : can(regex("/3[12]$", cidr)) ? distinct([cidrhost(cidr, 0), cidrhost(cidr, -1)]) : [cidr]])
  }
  blob_properties {
    versioning_enabled = true # there is none with is_hns_enabled
    delete_retention_policy { days = 30 }
    container_delete_retention_policy { days = 30 }
  }
  sas_policy {
    expiration_period = "00.01:00:00"
    expiration_action = "Block"
  }
}

resource "azurerm_storage_container" "this" {
  name                  = var.this.container
  storage_account_id    = azurerm_storage_account.this.id
  container_access_type = "private"
}
