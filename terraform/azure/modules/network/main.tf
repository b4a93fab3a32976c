locals {
  subnet_id = "${azurerm_virtual_network.this.id}/subnets/nodes"
  endpoints = { blob = var.this.account_id, registry = var.this.registry_id }
  zones     = { blob = "privatelink.blob.core.windows.net", registry = "privatelink.azurecr.io" }
}

resource "azurerm_virtual_network" "this" {
  name                = var.this.name
  resource_group_name = var.this.name
  location            = var.this.region
  address_space       = [var.this.network_cidr]
  tags                = var.this.labels
  # Nodes and private endpoints: half of the network, since pods have an overlay; the rest stays free. Made with the network, it is never unguarded.
  subnet {
    name                              = "nodes"
    address_prefixes                  = [cidrsubnet(var.this.network_cidr, 1, 0)]
    security_group                    = azurerm_network_security_group.this.id
    default_outbound_access_enabled   = false
    private_endpoint_network_policies = "Enabled"      # else the security group would not count for private endpoints
    service_endpoint { service = "Microsoft.Storage" } # to artifacts of other environments that name this subnet a reader's
  }
}

resource "azurerm_network_security_group" "this" { # no rules of our own: Azure's let the network itself in, and nobody from the internet
  name                = var.this.name
  resource_group_name = var.this.name
  location            = var.this.region
  tags                = var.this.labels
}

resource "azurerm_private_dns_zone" "this" {
  for_each            = local.zones
  name                = each.value
  resource_group_name = var.this.name
  tags                = var.this.labels
}

resource "azurerm_private_dns_zone_virtual_network_link" "this" {
  for_each            = local.zones
  name                = var.this.name
  private_dns_zone_id = azurerm_private_dns_zone.this[each.key].id
  virtual_network_id  = azurerm_virtual_network.this.id
}

resource "azurerm_private_endpoint" "this" {
  for_each            = local.endpoints
  name                = "${var.this.name}-${each.key}"
  resource_group_name = var.this.name
  location            = var.this.region
  subnet_id           = local.subnet_id
  tags                = var.this.labels
  private_service_connection {
    name                           = each.key
    private_connection_resource_id = each.value
    subresource_names              = [each.key]
    is_manual_connection           = false
  }
  private_dns_zone_group {
    name                 = each.key
    private_dns_zone_ids = [azurerm_private_dns_zone.this[each.key].id]
  }
}
