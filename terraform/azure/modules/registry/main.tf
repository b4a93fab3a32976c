locals { public = length(var.this.authorized_cidrs) > 0 }

resource "azurerm_container_registry" "this" { # Azure cannot make all tags immutable: what runs is named by digest, which is.
  name                          = var.this.unique_name
  resource_group_name           = var.this.name
  location                      = var.this.region
  sku                           = "Premium" # private endpoint, own key, firewall
  admin_enabled                 = false
  anonymous_pull_enabled        = false
  data_endpoint_enabled         = true
  retention_policy_in_days      = 30 # of what no tag names
  zone_redundancy_enabled       = length(var.this.zones) > 0
  public_network_access_enabled = local.public
  export_policy_enabled         = local.public # Azure closes it only where the registry is private
  network_rule_set              = [{ default_action = "Deny", ip_rule = [for cidr in var.this.authorized_cidrs : { action = "Allow", ip_range = cidr }] }]
  encryption                    = [{ key_vault_key_id = var.this.key_id, identity_client_id = var.this.identities["encryption"].client_id }]
  tags                          = var.this.labels
  identity {
    type         = "UserAssigned"
    identity_ids = [var.this.identities["encryption"].id]
  }
}
