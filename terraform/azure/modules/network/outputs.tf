output "subnet_id" { value = local.subnet_id }
output "security_group_id" { value = azurerm_network_security_group.this.id }
