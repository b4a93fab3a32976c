# Really applied: nothing here needs a provider.
variables {
  project            = "demand-forecast"
  environment        = "staging"
  kubernetes_version = "1.34"
  authorized_cidrs   = []
  budget             = { amount = 500, emails = ["team@example.org"] }
  kubeconfig         = "tests/kubeconfig.yaml"
  context            = "inline"
}

run "apply" {
  assert {
    condition     = output.cluster_name == "of-inline" && output.cluster_endpoint == "https://192.0.2.1:6443" && output.cluster_ca == "aW5saW5l"
    error_message = "The cluster must be that of the context."
  }
  assert {
    condition     = output.kubeconfig_command == "kubectl config use-context inline"
    error_message = "kubectl must be told the context."
  }
  assert {
    condition     = output.artifact_uri == "s3://models" && output.registry_url == "" && output.region == "local"
    error_message = "The object store is the platform's, unless another is named."
  }
  assert {
    condition     = output.oidc_issuer == "" && output.kms_key_id == "" && output.budget_id == ""
    error_message = "What was there already has none of these that are ours."
  }
  assert {
    condition = (
      keys(output.workload_identities) == ["mlflow", "serving", "training"] &&
      output.workload_identities["training"].namespace == "demand-forecast-staging" &&
      output.workload_identities["training"].service_account == "training" &&
      output.workload_identities["mlflow"].namespace == "mlops-platform"
    )
    error_message = "Each workload is a service account in the environment's namespace, or in its own."
  }
  assert {
    condition     = alltrue([for identity in values(output.workload_identities) : identity.principal == "" && length(identity.annotations) + length(identity.labels) == 0])
    error_message = "Nobody outside knows these accounts."
  }
  assert {
    condition     = terraform_data.this.output.deletion_protection
    error_message = "Protected unless said otherwise."
  }
  assert {
    condition     = !strcontains(jsonencode(terraform_data.this), "nobody-reads-this")
    error_message = "No credential may reach the state."
  }
}

run "an_authority_in_a_file" {
  command = plan
  variables {
    context = "file"
  }
  assert {
    condition     = output.cluster_endpoint == "https://192.0.2.2:6443" && output.cluster_ca == base64encode("file")
    error_message = "A path is relative to the kubeconfig."
  }
}

run "a_public_authority" {
  command = plan
  variables {
    context = "public"
  }
  assert {
    condition     = output.cluster_endpoint == "https://api.example.org" && output.cluster_ca == ""
    error_message = "No authority need be named."
  }
}

run "own_store_and_registry" {
  command = plan
  variables {
    artifact_uri = "gs://bucket"
    registry_url = "registry.example.org/team"
    workloads    = { training = { service_account = "trainer", namespace = "elsewhere", access = "write" } }
  }
  assert {
    condition     = output.artifact_uri == "gs://bucket" && output.registry_url == "registry.example.org/team"
    error_message = "They must be those that were named."
  }
  assert {
    condition     = output.workload_identities == { training = { namespace = "elsewhere", service_account = "trainer", principal = "", annotations = {}, labels = {} } }
    error_message = "Workloads must be those that were named."
  }
}

run "no_such_context" {
  command = plan
  variables {
    context = "gone"
  }
  expect_failures = [terraform_data.this]
}

run "a_context_without_its_cluster" {
  command = plan
  variables {
    context = "broken"
  }
  expect_failures = [terraform_data.this]
}

run "no_kubeconfig" {
  command = plan
  variables {
    kubeconfig = "tests/none.yaml"
  }
  expect_failures = [terraform_data.this]
}
