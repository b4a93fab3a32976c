# The whole stack on whatever provider serves the schema: in the template's own tests a stand-in, without account or network.
variables {
  project            = "energy-usage"
  environment        = "dev"
  kubernetes_version = "1.34"
  region             = "europe-west4"
  project_id         = "acme-ml-dev"
  project_number     = "123456789012"
  billing_account    = "01ABCD-2EF345-6789AB"
  authorized_cidrs   = []
  artifact_readers   = ["serviceAccount:promote@acme-ml-staging.iam.gserviceaccount.com"]
  budget             = { amount = 300, emails = ["team@example.com"] }
}

run "outputs" {
  assert {
    condition     = output.cluster_name == "energy-usage-dev" && output.region == "europe-west4"
    error_message = "the cluster is named after project and environment"
  }
  assert {
    condition     = can(regex("^https://.+", output.cluster_endpoint)) && output.cluster_ca != ""
    error_message = "the cluster can be reached and checked"
  }
  assert {
    condition     = output.oidc_issuer == "https://container.googleapis.com/v1/projects/acme-ml-dev/locations/europe-west4/clusters/energy-usage-dev"
    error_message = "the issuer is the one that GKE signs with"
  }
  assert {
    condition     = can(regex("^gs://energy-usage-dev-models-[0-9a-f]{6}$", output.artifact_uri))
    error_message = "the artifacts have a bucket whose name is ours alone"
  }
  assert {
    condition     = output.registry_url == "europe-west4-docker.pkg.dev/acme-ml-dev/energy-usage-dev"
    error_message = "images have a registry in the same region"
  }
  assert {
    condition     = output.kms_key_id == "projects/acme-ml-dev/locations/europe-west4/keyRings/energy-usage-dev/cryptoKeys/this" && output.budget_id != ""
    error_message = "there are a key and a budget"
  }
  assert {
    condition     = output.kubeconfig_command == "gcloud container clusters get-credentials energy-usage-dev --location europe-west4 --project acme-ml-dev --dns-endpoint"
    error_message = "a private cluster is reached by its name"
  }
}

run "identities" {
  assert {
    condition = { for name, identity in output.workload_identities : name => "${identity.namespace}/${identity.service_account}" } == {
      training = "energy-usage-dev/training", serving = "energy-usage-dev/serving", mlflow = "mlops-platform/mlflow"
    }
    error_message = "each workload has an identity; a namespace that is left out is the environment's"
  }
  assert {
    condition = output.workload_identities["serving"].principal == join("", [
      "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/acme-ml-dev.svc.id.goog/subject/ns/energy-usage-dev/sa/serving",
    ])
    error_message = "the principal is the Kubernetes account"
  }
  assert {
    condition     = alltrue([for identity in output.workload_identities : identity.annotations == tomap({}) && identity.labels == tomap({})])
    error_message = "nothing is annotated, and nothing labelled"
  }
}

run "opened" {
  variables {
    authorized_cidrs = ["203.0.113.0/24"]
  }
  assert {
    condition     = output.kubeconfig_command == "gcloud container clusters get-credentials energy-usage-dev --location europe-west4 --project acme-ml-dev"
    error_message = "an opened cluster is reached by its address"
  }
}
