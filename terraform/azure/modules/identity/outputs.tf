output "workload_identities" {
  value = { for name, workload in var.this.workloads : name => {
    namespace   = workload.namespace, service_account = workload.service_account, principal = local.identities[name].principal_id
    labels      = { "azure.workload.identity/use" = "true" }
    annotations = { for of, id in { client = local.identities[name].client_id, tenant = var.this.tenant_id } : "azure.workload.identity/${of}-id" => id }
  } }
}
