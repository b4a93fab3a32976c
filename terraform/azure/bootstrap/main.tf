provider "azurerm" {
  subscription_id     = var.subscription_id
  tenant_id           = var.tenant_id
  storage_use_azuread = true
  # Those that the stack needs: it may not register them, which is a right on the subscription.
  resource_providers_to_register = formatlist("Microsoft.%s", [
    "Authorization", "Compute", "Consumption", "ContainerRegistry", "ContainerService", "Insights", "KeyVault", "ManagedIdentity",
    "Network", "OperationalInsights", "OperationsManagement", "PolicyInsights", "Security", "Storage",
  ])
  features {
    key_vault { purge_soft_delete_on_destroy = false }
    storage { data_plane_available = false }
  }
}

locals {
  name   = "${var.project}-${var.environment}" # of the stack and of its group
  labels = merge(var.labels, { project = var.project, environment = var.environment })
  blobs  = "Microsoft.Storage/storageAccounts/blobServices/containers"
  scopes = { stack = azurerm_resource_group.this["stack"].id, state = module.state.container_id, subscription = "/subscriptions/${var.subscription_id}" }
  # By identity and scope: Azure's own roles, and "own" is what it has none for, in `roles`. The provider reads the kubeconfig, in which there
  # is no credential; a budget is the subscription's: see modules/budget.
  grants = { for row in concat(
    [for role in ["Reader", "Key Vault Reader", local.user] : ["plan", "stack", role]],
    [["plan", "state", "own"], ["plan", "subscription", "Cost Management Reader"]],
    [for role in ["Key Vault Crypto Officer", local.user, local.admin, "own"] : ["apply", "stack", role]],
    [["apply", "state", "Storage Blob Data Contributor"], ["apply", "subscription", "Cost Management Contributor"]],
  ) : "${row[0]}: ${row[2]}" => { identity = row[0], scope = row[1], role = row[2] } }
  user  = "Azure Kubernetes Service Cluster User Role"
  admin = "Role Based Access Control Administrator" # under the condition that follows from `granted`
  roles = {
    # To lock is to write, which Azure does not tell apart; what is overwritten remains as a version.
    plan = { scope = "state", actions = [], not_actions = [], data_actions = ["${local.blobs}/blobs/read", "${local.blobs}/blobs/write"] }
    # What the stack is made of and no more; CI deletes no store of artifacts.
    apply = {
      scope = "stack", data_actions = []
      actions = concat(["*/read"], formatlist("Microsoft.%s/*", [
        "Authorization/locks", "Compute/diskEncryptionSets", "ContainerRegistry/registries", "ContainerService/managedClusters", "Insights/actionGroups",
        "Insights/diagnosticSettings", "KeyVault/vaults", "ManagedIdentity/userAssignedIdentities", "Network/networkSecurityGroups",
        "Network/privateDnsZones", "Network/privateEndpoints", "Network/virtualNetworks", "OperationalInsights/workspaces", "Storage/storageAccounts",
      ]))
      not_actions = concat(["${local.blobs}/delete"], formatlist("Microsoft.%s", [
        "ContainerService/managedClusters/runCommand/action", "Storage/storageAccounts/delete", "Storage/storageAccounts/listKeys/action",
      ]))
    }
  }
  # What the stack grants, and so all that who applies may grant, to machines alone; none of it grants anything in turn.
  # https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
  granted = {
    "AcrPull"                                  = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
    "Key Vault Crypto Service Encryption User" = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
    "Key Vault Crypto User"                    = "12338af0-0e69-4776-bea7-57ae8d297424"
    "Network Contributor"                      = "4d97b98b-1d4f-4787-a291-c67834d212e7"
    "Reader"                                   = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    "Storage Blob Data Contributor"            = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
    "Storage Blob Data Reader"                 = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
  }
  condition = join(" AND ", [for action, of in { write = "@Request", delete = "@Resource" } : join("", [
    "(!(ActionMatches{'Microsoft.Authorization/roleAssignments/${action}'}) OR (",
    "${of}[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${join(", ", values(local.granted))}} AND ",
    "${of}[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))",
  ])])
}

resource "azurerm_resource_group" "this" {
  for_each = { stack = local.name, state = "${local.name}-state" }
  name     = each.value
  location = var.region
  tags     = local.labels
}

module "state" {
  source = "../modules/storage"
  this = {
    name             = azurerm_resource_group.this["state"].name, region = var.region, tenant_id = var.tenant_id, labels = local.labels
    unique_name      = var.state_name, container = "tfstate", identities = azurerm_user_assigned_identity.this
    authorized_cidrs = var.state_access.cidrs, reader_subnet_ids = var.state_access.subnet_ids
  }
}

resource "terraform_data" "keep" {
  triggers_replace = [var.state_name, var.region, module.state.account_id]
  lifecycle { prevent_destroy = true } # A destroy of the store, or another in its place, stops in the plan: the states are the only record of what there is.
}

resource "azurerm_user_assigned_identity" "this" {
  for_each            = toset(["plan", "apply", "encryption"])
  name                = "${local.name}-${each.key}"
  resource_group_name = azurerm_resource_group.this["state"].name # not the stack's: who applies there could change itself
  location            = var.region
  tags                = local.labels
}

resource "azurerm_federated_identity_credential" "this" {
  for_each                  = merge([for identity in ["plan", "apply"] : { for subject in var.ci_subjects[identity] : subject => identity }]...)
  name                      = "ci-${substr(sha256(each.key), 0, 12)}"
  user_assigned_identity_id = azurerm_user_assigned_identity.this[each.value].id
  issuer                    = var.ci_subjects.issuer
  subject                   = each.key
  audience                  = [var.ci_subjects.audience]
}

resource "azurerm_role_definition" "this" {
  for_each = local.roles
  name     = "${local.name}-${each.key}"
  scope    = local.scopes[each.value.scope]
  permissions {
    actions      = each.value.actions
    not_actions  = each.value.not_actions
    data_actions = each.value.data_actions
  }
}

resource "azurerm_role_assignment" "this" {
  for_each             = local.grants
  scope                = local.scopes[each.value.scope]
  role_definition_name = each.value.role == "own" ? null : each.value.role
  role_definition_id   = each.value.role == "own" ? azurerm_role_definition.this[each.value.identity].role_definition_resource_id : null
  principal_id         = azurerm_user_assigned_identity.this[each.value.identity].principal_id
  principal_type       = "ServicePrincipal"
  condition            = each.value.role == local.admin ? local.condition : null
  condition_version    = each.value.role == local.admin ? "2.0" : null
}

resource "azurerm_management_lock" "this" {
  for_each   = { state = module.state.account_id, key = module.state.vault_id }
  name       = "state"
  scope      = each.value
  lock_level = "CanNotDelete"
  depends_on = [module.state, azurerm_role_assignment.this]
}
