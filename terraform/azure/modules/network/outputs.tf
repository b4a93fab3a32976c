output "subnet_id" { value = azurerm_subnet_network_security_group_association.this.subnet_id } # not before it is guarded
output "security_group_id" { value = azurerm_network_security_group.this.id }
