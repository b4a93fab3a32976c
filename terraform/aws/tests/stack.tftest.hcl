# The whole of it, applied to the provider itself (to the stand-in where there is no account) and destroyed again.
provider "aws" {
  region = "eu-central-1"
}

variables {
  project             = "energy-usage"
  environment         = "dev"
  region              = "eu-central-1"
  account_id          = "111122223333"
  kubernetes_version  = "1.34"
  authorized_cidrs    = ["203.0.113.0/24"]
  deletion_protection = false
  budget              = { amount = 500, emails = ["team@example.org"] }
  artifact_readers    = ["arn:aws:iam::444455556666:role/ci/energy-usage-staging-ci-apply"]
  cluster_access      = { ci = { principal = "arn:aws:iam::111122223333:role/ci/energy-usage-dev-ci-apply", policy = "ClusterAdmin" } }
}

run "apply" {
  assert {
    condition     = output.cluster_name == "energy-usage-dev" && output.region == "eu-central-1" && output.kubeconfig_command == "aws eks update-kubeconfig --region eu-central-1 --name energy-usage-dev"
    error_message = "the cluster is called by project and environment"
  }
  assert {
    condition     = startswith(output.cluster_endpoint, "https://") && startswith(output.oidc_issuer, "https://") && can(base64decode(output.cluster_ca))
    error_message = "endpoint, issuer and authority come from the cluster"
  }
  assert {
    condition     = output.artifact_uri == "s3://energy-usage-dev-111122223333"
    error_message = "artifacts are in the environment's bucket"
  }
  assert {
    condition     = can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[^/]+/energy-usage/dev$", output.registry_url))
    error_message = "images are below project and environment"
  }
  assert {
    condition     = startswith(output.kms_key_id, "arn:aws:kms:") && output.budget_id != ""
    error_message = "key and budget are there"
  }
  assert {
    condition = jsonencode({ for name, identity in output.workload_identities : name => "${identity.namespace}/${identity.service_account}" }) == jsonencode({
      training = "energy-usage-dev/training", serving = "energy-usage-dev/serving", mlflow = "mlops-platform/mlflow"
    })
    error_message = "each workload by its namespace and service account"
  }
  assert {
    condition = alltrue([for name, identity in output.workload_identities :
      endswith(identity.principal, "role/energy-usage-dev-${name}") && length(identity.annotations) == 0 && length(identity.labels) == 0
    ])
    error_message = "each workload has its own role, and Pod Identity asks for neither annotation nor label"
  }
}

run "change_of_pools_changes_no_output" {
  variables {
    node_pools = {
      cpu = { machine_types = ["m7i.xlarge"], min = 2, max = 6 }
      gpu = { machine_types = ["g6.xlarge"], min = 0, max = 2, disk_gb = 200, accelerator = { type = "nvidia-l4", count = 1 } }
    }
  }
  assert {
    condition     = output.cluster_endpoint == run.apply.cluster_endpoint && output.workload_identities == run.apply.workload_identities
    error_message = "what overlays took from the outputs still holds"
  }
}
