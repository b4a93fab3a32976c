# Who may come as what, and what that may do. Planned with mocks: the real provider serves as well, without an account.
mock_provider "azurerm" {}

override_resource {
  target          = azurerm_resource_group.this["stack"]
  override_during = plan
  values          = { id = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/energy-usage-dev" }
}

variables {
  project         = "energy-usage"
  environment     = "dev"
  region          = "westeurope"
  subscription_id = "11111111-1111-1111-1111-111111111111"
  tenant_id       = "22222222-2222-2222-2222-222222222222"
  state_name      = "energyusagedevstate"
  state_access    = { cidrs = ["203.0.113.0/24"], subnet_ids = [] }
  # As the stack has them; nothing here comes of these.
  kubernetes_version = "1.34"
  authorized_cidrs   = []
  budget             = { amount = 300, emails = ["ada@example.org"] }
  admin_group_ids    = ["33333333-3333-3333-3333-333333333333"]
  ci_subjects = {
    issuer   = "https://token.actions.githubusercontent.com"
    audience = "api://AzureADTokenExchange"
    plan     = ["repo:acme@1234/energy-usage@5678:pull_request", "repo:acme@1234/energy-usage@5678:environment:dev-plan"]
    apply    = ["repo:acme@1234/energy-usage@5678:environment:dev"]
  }
}

run "subjects" {
  command = plan

  assert {
    condition     = toset([for credential in azurerm_federated_identity_credential.this : credential.subject]) == toset(concat(var.ci_subjects.plan, var.ci_subjects.apply))
    error_message = "exactly the subjects named"
  }
  assert {
    condition     = alltrue([for subject in var.ci_subjects.apply : azurerm_federated_identity_credential.this[subject].audience == tolist(["api://AzureADTokenExchange"])])
    error_message = "with the audience named"
  }
  assert {
    condition     = alltrue([for credential in azurerm_federated_identity_credential.this : credential.issuer == "https://token.actions.githubusercontent.com"])
    error_message = "from the issuer named"
  }
}

run "plan_reads" {
  command = plan

  assert {
    condition = toset([for name, grant in azurerm_role_assignment.this : grant.role_definition_name if startswith(name, "plan: ") && name != "plan: own"]) == toset([
      "Reader", "Key Vault Reader", "Azure Kubernetes Service Cluster User Role", "Cost Management Reader"
    ])
    error_message = "who plans has roles that read"
  }
  assert {
    condition     = length(azurerm_role_definition.this["plan"].permissions[0].actions) == 0
    error_message = "who plans does nothing to resources"
  }
  assert {
    condition = azurerm_role_definition.this["plan"].permissions[0].data_actions == toset([
      "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
    ])
    error_message = "who plans reads the state and locks it, and deletes nothing"
  }
}

run "apply_is_bounded" {
  command = plan

  assert {
    condition     = alltrue([for role in [for name, grant in azurerm_role_assignment.this : grant.role_definition_name if !endswith(name, ": own")] : !strcontains(role, "Owner") && role != "Contributor"])
    error_message = "who applies owns nothing"
  }
  assert {
    condition = { for role in ["Key Vault Crypto Officer", "Azure Kubernetes Service Cluster User Role", "Cost Management Contributor"] : role => azurerm_role_assignment.this["apply: ${role}"].scope } == {
      "Key Vault Crypto Officer"                   = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/energy-usage-dev"
      "Azure Kubernetes Service Cluster User Role" = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/energy-usage-dev"
      "Cost Management Contributor"                = "/subscriptions/11111111-1111-1111-1111-111111111111"
    }
    error_message = "of the subscription, who applies has the budgets alone; all else is in the environment's group"
  }
  assert {
    condition     = alltrue([for action in ["write", "delete"] : strcontains(azurerm_role_assignment.this["apply: Role Based Access Control Administrator"].condition, "!(ActionMatches{'Microsoft.Authorization/roleAssignments/${action}'})")])
    error_message = "granting is conditional"
  }
  assert {
    condition     = azurerm_role_assignment.this["apply: Role Based Access Control Administrator"].scope == azurerm_role_assignment.this["apply: own"].scope && endswith(azurerm_role_assignment.this["apply: Role Based Access Control Administrator"].scope, "/resourceGroups/energy-usage-dev")
    error_message = "and in the environment's group alone"
  }
  assert {
    condition     = length(regexall("[0-9a-f]{8}-[0-9a-f]{4}-", azurerm_role_assignment.this["apply: Role Based Access Control Administrator"].condition)) == 14 && !strcontains(azurerm_role_assignment.this["apply: Role Based Access Control Administrator"].condition, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635")
    error_message = "to seven roles, Owner not among them"
  }
  assert {
    condition     = contains(azurerm_role_definition.this["apply"].permissions[0].not_actions, "Microsoft.Storage/storageAccounts/delete") && !contains(azurerm_role_definition.this["apply"].permissions[0].actions, "*")
    error_message = "CI deletes no store of artifacts"
  }
}

run "state" {
  command = plan

  assert {
    condition     = output.backend.storage_account_name == "energyusagedevstate" && output.backend.use_azuread_auth == "true" && output.backend.key == "energy-usage/dev/terraform.tfstate"
    error_message = "the backend's lines"
  }
  assert {
    condition     = keys(azurerm_management_lock.this) == ["key", "state"]
    error_message = "state and key refuse to be deleted"
  }
}

run "subject_with_wildcard" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://gitlab.com", audience = "api://AzureADTokenExchange", plan = ["project_path:acme/*:ref_type:branch:ref:main"], apply = ["project_path:acme/energy-usage:ref_type:branch:ref:main"] }
  }
  expect_failures = [var.ci_subjects]
}

run "empty_subject" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://gitlab.com", audience = "api://AzureADTokenExchange", plan = [""], apply = ["project_path:acme/energy-usage:ref_type:branch:ref:main"] }
  }
  expect_failures = [var.ci_subjects]
}

run "subject_that_plans_and_applies" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://gitlab.com", audience = "api://AzureADTokenExchange", plan = ["project_path:acme/energy-usage:ref_type:branch:ref:main"], apply = ["project_path:acme/energy-usage:ref_type:branch:ref:main"] }
  }
  expect_failures = [var.ci_subjects]
}

run "issuer_with_a_slash_at_its_end" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://gitlab.com/", audience = "api://AzureADTokenExchange", plan = ["a"], apply = ["b"] }
  }
  expect_failures = [var.ci_subjects]
}

run "issuer_without_tls" {
  command = plan
  variables {
    ci_subjects = { issuer = "http://gitlab.example.com", audience = "api://AzureADTokenExchange", plan = ["a"], apply = ["b"] }
  }
  expect_failures = [var.ci_subjects]
}

run "state_name_with_hyphens" {
  command = plan
  variables {
    state_name = "energy-usage-dev-state"
  }
  expect_failures = [var.state_name]
}

run "state_open_to_everybody" {
  command = plan
  variables {
    state_access = { cidrs = ["0.0.0.0/0"], subnet_ids = [] }
  }
  expect_failures = [var.state_access]
}

run "state_that_nobody_reaches" {
  command = plan
  variables {
    state_access = { cidrs = [], subnet_ids = [] }
  }
  expect_failures = [var.state_access]
}

run "project_with_a_wildcard" {
  command = plan
  variables {
    project = "energy-*"
  }
  expect_failures = [var.project]
}

run "environment_unknown" {
  command = plan
  variables {
    environment = "production"
  }
  expect_failures = [var.environment]
}

run "nobody_plans" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://gitlab.com", audience = "api://AzureADTokenExchange", plan = [], apply = ["project_path:acme/energy-usage:ref_type:branch:ref:main"] }
  }
  expect_failures = [var.ci_subjects]
}

run "nobody_applies" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://gitlab.com", audience = "api://AzureADTokenExchange", plan = ["project_path:acme/energy-usage:ref_type:branch:ref:next"], apply = [] }
  }
  expect_failures = [var.ci_subjects]
}

run "subscription_empty" {
  command = plan
  variables {
    subscription_id = ""
  }
  expect_failures = [var.subscription_id]
}

run "tenant_empty" {
  command = plan
  variables {
    tenant_id = ""
  }
  expect_failures = [var.tenant_id]
}

run "region_of_another_cloud" {
  command = plan
  variables {
    region = "europe-west4"
  }
  expect_failures = [var.region]
}

run "label_in_capitals" {
  command = plan
  variables {
    labels = { Team = "x" }
  }
  expect_failures = [var.labels]
}
