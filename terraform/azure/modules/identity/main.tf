locals {
  roles  = { read = "Storage Blob Data Reader", write = "Storage Blob Data Contributor" }
  grants = { for name, workload in var.workloads : name => { principal = azurerm_user_assigned_identity.this[name].principal_id, role = local.roles[workload.access] } }
}

resource "azurerm_user_assigned_identity" "this" {
  for_each            = var.workloads
  name                = "${var.this.name}-workload-${each.key}"
  resource_group_name = var.this.name
  location            = var.this.region
  tags                = var.this.labels
}

resource "azurerm_federated_identity_credential" "this" {
  for_each                  = var.workloads
  name                      = "kubernetes"
  user_assigned_identity_id = azurerm_user_assigned_identity.this[each.key].id
  issuer                    = var.this.oidc_issuer
  subject                   = "system:serviceaccount:${each.value.namespace}:${each.value.service_account}"
  audience                  = ["api://AzureADTokenExchange"]
}

resource "azurerm_role_assignment" "this" {
  for_each             = merge(local.grants, { for id in var.readers : id => { principal = id, role = local.roles.read } })
  scope                = var.this.container_id
  role_definition_name = each.value.role
  principal_id         = each.value.principal
  principal_type       = "ServicePrincipal"
}
