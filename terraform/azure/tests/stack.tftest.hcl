# The whole root, made and taken away again, on a provider that needs no account: with the real one, this makes a cluster.
provider "azurerm" {
  features {}
}

variables {
  project             = "energy-usage"
  environment         = "staging"
  region              = "westeurope"
  kubernetes_version  = "1.34"
  authorized_cidrs    = []
  artifact_readers    = ["77777777-7777-7777-7777-777777777777"]
  budget              = { amount = 500, emails = ["ml@example.com"] }
  subscription_id     = "11111111-1111-1111-1111-111111111111"
  tenant_id           = "22222222-2222-2222-2222-222222222222"
  admin_group_ids     = ["33333333-3333-3333-3333-333333333333"]
  deletion_protection = false
  node_pools = {
    cpu  = { machine_types = ["Standard_D4ds_v5"], min = 2, max = 4 }
    spot = { machine_types = ["Standard_D8ds_v5"], min = 0, max = 5 }
    gpu  = { machine_types = ["Standard_NC4as_T4_v3"], min = 0, max = 2 }
  }
}

run "apply" {
  assert {
    condition     = output.cluster_name == "energy-usage-staging" && startswith(output.cluster_endpoint, "https://") && output.cluster_ca != "" && startswith(output.oidc_issuer, "https://")
    error_message = "the cluster and how it is reached"
  }
  assert {
    condition     = can(regex("^abfss://artifacts@energyustaging[0-9a-f]{8}\\.dfs\\.core\\.windows\\.net$", output.artifact_uri))
    error_message = "the address of the artifacts, whose account's name is short enough and our own"
  }
  assert {
    condition     = can(regex("^energyustaging[0-9a-f]{8}\\.azurecr\\.io$", output.registry_url))
    error_message = "the address of the registry"
  }
  assert {
    condition     = output.kms_key_id != "" && output.budget_id != "" && output.region == "westeurope"
    error_message = "key, budget and region"
  }
  assert {
    condition = { for name, identity in output.workload_identities : name => "${identity.namespace}/${identity.service_account}" } == {
      training = "energy-usage-staging/training", serving = "energy-usage-staging/serving", mlflow = "mlops-platform/mlflow"
    }
    error_message = "each workload in its namespace: that of the environment where none is named"
  }
  assert {
    condition = alltrue([for identity in output.workload_identities : (
      identity.principal != "" && identity.annotations["azure.workload.identity/client-id"] != "" &&
      identity.annotations["azure.workload.identity/tenant-id"] == var.tenant_id && identity.labels == { "azure.workload.identity/use" = "true" }
    )])
    error_message = "with what Entra Workload ID wants on service account and pods"
  }
  assert {
    condition     = length(distinct([for identity in output.workload_identities : identity.principal])) == 3
    error_message = "an identity each"
  }
  assert {
    condition     = strcontains(output.kubeconfig_command, "--resource-group energy-usage-staging --name energy-usage-staging")
    error_message = "the command that leads there"
  }
}

run "protected" {
  variables {
    deletion_protection = true
  }
  assert {
    condition     = length(azurerm_management_lock.this) == 4 && azurerm_management_lock.this["storage"].scope != azurerm_management_lock.this["cluster"].scope
    error_message = "each lock is on its own thing"
  }
}
