output "registry_id" { value = azurerm_container_registry.this.id }
output "url" { value = "${var.this.unique_name}.azurecr.io" }
