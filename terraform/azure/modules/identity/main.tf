locals {
  identities = { for name, workload in var.this.workloads : name => var.this.identities["workload-${name}"] }
  roles      = { read = "Storage Blob Data Reader", write = "Storage Blob Data Contributor" }
  grants = merge(
    { for name, workload in var.this.workloads : name => { principal = local.identities[name].principal_id, role = local.roles[workload.access] } },
    { for id in var.this.readers : id => { principal = id, role = local.roles.read } },
    { "the nodes" = { principal = var.this.puller_id, role = "AcrPull" } },
  )
}

resource "azurerm_federated_identity_credential" "this" {
  for_each                  = var.this.workloads
  name                      = "kubernetes"
  user_assigned_identity_id = local.identities[each.key].id
  issuer                    = var.this.oidc_issuer
  subject                   = "system:serviceaccount:${each.value.namespace}:${each.value.service_account}"
  audience                  = ["api://AzureADTokenExchange"]
}

resource "azurerm_role_assignment" "this" {
  for_each             = local.grants
  scope                = each.value.role == "AcrPull" ? var.this.registry_id : var.this.container_id
  role_definition_name = each.value.role
  principal_id         = each.value.principal
  principal_type       = "ServicePrincipal"
}
