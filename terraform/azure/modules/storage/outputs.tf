output "account_id" { value = azurerm_storage_account.this.id }
output "container_id" { value = azurerm_storage_container.this.id }
output "artifact_uri" { value = "abfss://${var.this.container}@${var.this.unique_name}.dfs.core.windows.net" }
output "vault_id" { value = azurerm_key_vault.this.id }
output "key_version_id" { value = azurerm_key_vault_key.this.id }
output "key_id" { value = azurerm_key_vault_key.this.versionless_id }
