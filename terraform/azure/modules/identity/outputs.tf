output "workload_identities" {
  value = { for name, workload in var.workloads : name => {
    namespace       = workload.namespace
    service_account = workload.service_account
    principal       = azurerm_user_assigned_identity.this[name].principal_id
    annotations     = { "azure.workload.identity/client-id" = azurerm_user_assigned_identity.this[name].client_id, "azure.workload.identity/tenant-id" = var.this.tenant_id }
    labels          = { "azure.workload.identity/use" = "true" }
  } }
}
