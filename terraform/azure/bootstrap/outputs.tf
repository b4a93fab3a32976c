# The lines of <env>.backend.hcl.
output "backend" { value = {
  subscription_id     = var.subscription_id, tenant_id = var.tenant_id, use_azuread_auth = "true", container_name = "tfstate"
  resource_group_name = azurerm_resource_group.this["state"].name, storage_account_name = var.state_name, key = "${var.project}/${var.environment}/terraform.tfstate"
} }
# Client id of the identity that CI plans as.
output "plan_identity" { value = azurerm_user_assigned_identity.this["plan"].client_id }
# Client id of the identity that CI applies as.
output "apply_identity" { value = azurerm_user_assigned_identity.this["apply"].client_id }
