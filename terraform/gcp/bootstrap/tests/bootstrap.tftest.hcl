# Who may plan and who may apply. Values are mocked; only what we write is asserted.
mock_provider "google" {}

variables {
  project        = "energy-usage"
  environment    = "prod"
  region         = "europe-west4"
  project_id     = "acme-ml-prod"
  project_number = "123456789012"
  state_name     = "acme-energy-usage-prod-state"
  # As the stack has them; nothing here comes of these.
  kubernetes_version = "1.34"
  authorized_cidrs   = []
  budget             = { amount = 300, emails = ["ada@example.org"] }
  billing_account    = "01ABCD-2EF345-6789AB"
  ci_subjects = {
    issuer   = "https://token.actions.githubusercontent.com"
    audience = "https://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci-energy-usage-prod/providers/ci"
    plan     = ["repo:acme@1001/energy-usage@2002:pull_request"]
    apply    = ["repo:acme@1001/energy-usage@2002:environment:prod"]
  }
}

run "identities" {
  command = plan
  assert {
    condition = google_iam_workload_identity_pool_provider.this.attribute_condition == join(" || ", [
      "assertion.sub == \"repo:acme@1001/energy-usage@2002:pull_request\"", "assertion.sub == \"repo:acme@1001/energy-usage@2002:environment:prod\"",
    ])
    error_message = "the provider takes the exact subjects and no other"
  }
  assert {
    condition     = google_iam_workload_identity_pool_provider.this.attribute_mapping == tomap({ "google.subject" = "assertion.sub" })
    error_message = "nothing but the subject counts"
  }
  assert {
    condition = (
      google_iam_workload_identity_pool_provider.this.oidc[0].allowed_audiences == tolist([var.ci_subjects.audience]) &&
      google_iam_workload_identity_pool_provider.this.oidc[0].issuer_uri == "https://token.actions.githubusercontent.com"
    )
    error_message = "the token is for this provider, by this issuer"
  }
  assert {
    condition = toset([for grant in google_service_account_iam_member.this : grant.member]) == toset([for subject in concat(var.ci_subjects.plan, var.ci_subjects.apply) :
      "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci-energy-usage-prod/subject/${subject}"
    ])
    error_message = "one principal for each subject"
  }
  assert {
    condition     = alltrue([for grant in google_service_account_iam_member.this : grant.role == "roles/iam.workloadIdentityUser" && !strcontains(grant.member, "*")])
    error_message = "no wildcard, and no more than to act as the account"
  }
  assert {
    condition     = output.identity_provider == "projects/123456789012/locations/global/workloadIdentityPools/ci-energy-usage-prod/providers/ci"
    error_message = "CI is told where to show its token"
  }
  assert {
    condition = alltrue([
      for permission in google_project_iam_custom_role.this["plan"].permissions :
      can(regex("\\.(get|getIamPolicy|read)$", permission)) || permission == "serviceusage.services.use"
    ])
    error_message = "whoever plans reads, and calls in the project's name"
  }
  assert {
    condition     = !contains(keys(google_project_iam_member.this), "roles/viewer") && google_storage_bucket_iam_member.state["plan"].role == "roles/storage.objectViewer"
    error_message = "it reads the state"
  }
  assert {
    condition = google_storage_bucket_iam_member.lock.condition[0].expression == join("", [
      "resource.name == 'projects/_/buckets/acme-energy-usage-prod-state/objects/stack/default.tflock'",
    ])
    error_message = "it writes the lock of the state and no other object"
  }
  assert {
    condition = toset([for name, grant in google_project_iam_member.this : name]) == toset([
      "plan", "apply", "artifactregistry.admin", "cloudkms.admin", "compute.networkAdmin", "container.clusterAdmin", "monitoring.notificationChannelEditor",
    ])
    error_message = "the roles of apply are these; neither owner nor editor is among them"
  }
  assert {
    condition = google_project_iam_member.grant.condition[0].expression == join("", [
      "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/container.defaultNodeServiceAccount'])",
    ])
    error_message = "it may give the nodes their role, and nobody any other"
  }
  assert {
    condition     = !contains(google_project_iam_custom_role.this["apply"].permissions, "iam.serviceAccounts.setIamPolicy") && !contains(google_project_iam_custom_role.this["apply"].permissions, "storage.buckets.delete")
    error_message = "it lets nobody else act as an account, and deletes no bucket"
  }
}

run "state" {
  command = plan
  module {
    source = "../modules/storage"
  }
  variables {
    this = {
      name   = "energy-usage-prod-state", bucket = "acme-energy-usage-prod-state", agents = ["gs-project-accounts"]
      region = "europe-west4", project_id = "acme-ml-prod", project_number = "123456789012"
    }
  }
  assert {
    condition = (
      google_storage_bucket.this.versioning[0].enabled && google_storage_bucket.this.public_access_prevention == "enforced" &&
      google_storage_bucket.this.uniform_bucket_level_access && length(google_storage_bucket.this.encryption) == 1
    )
    error_message = "the state has versions, our key, and no public"
  }
}

run "issuer_over_http" {
  command = plan
  variables {
    ci_subjects = { issuer = "http://ci.example.com", audience = "a", plan = ["p"], apply = ["x"] }
  }
  expect_failures = [var.ci_subjects]
}

run "issuer_with_slash" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://ci.example.com/", audience = "a", plan = ["p"], apply = ["x"] }
  }
  expect_failures = [var.ci_subjects]
}

run "audience_empty" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://ci.example.com", audience = "", plan = ["p"], apply = ["x"] }
  }
  expect_failures = [var.ci_subjects]
}

run "subject_wildcard" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://ci.example.com", audience = "a", plan = ["repo:acme/*"], apply = ["x"] }
  }
  expect_failures = [var.ci_subjects]
}

run "subject_question_mark" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://ci.example.com", audience = "a", plan = ["p"], apply = ["repo:acme/energy-usage:environment:prod?"] }
  }
  expect_failures = [var.ci_subjects]
}

run "subject_empty" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://ci.example.com", audience = "a", plan = [""], apply = ["x"] }
  }
  expect_failures = [var.ci_subjects]
}

run "subject_too_long" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://ci.example.com", audience = "a", plan = ["p"], apply = [join("", [for i in range(128) : "x"])] }
  }
  expect_failures = [var.ci_subjects]
}

run "subject_twice" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://ci.example.com", audience = "a", plan = ["x"], apply = ["x"] }
  }
  expect_failures = [var.ci_subjects]
}

run "state_with_capitals" {
  command = plan
  variables {
    state_name = "Acme-State"
  }
  expect_failures = [var.state_name]
}

run "state_of_google" {
  command = plan
  variables {
    state_name = "acme-google-state"
  }
  expect_failures = [var.state_name]
}

run "state_too_short" {
  command = plan
  variables {
    state_name = "ab"
  }
  expect_failures = [var.state_name]
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
    ci_subjects = { issuer = "https://ci.example.com", audience = "a", plan = [], apply = ["x"] }
  }
  expect_failures = [var.ci_subjects]
}

run "nobody_applies" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://ci.example.com", audience = "a", plan = ["p"], apply = [] }
  }
  expect_failures = [var.ci_subjects]
}

run "project_id_empty" {
  command = plan
  variables {
    project_id = ""
  }
  expect_failures = [var.project_id]
}

run "project_id_by_name" {
  command = plan
  variables {
    project_id = "Acme Dev!"
  }
  expect_failures = [var.project_id]
}

run "project_number_empty" {
  command = plan
  variables {
    project_number = ""
  }
  expect_failures = [var.project_number]
}

run "region_of_another_cloud" {
  command = plan
  variables {
    region = "eu-central-1"
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

run "audience_too_long" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://ci.example.com", audience = join("", [for i in range(257) : "x"]), plan = ["p"], apply = ["x"] }
  }
  expect_failures = [var.ci_subjects]
}

run "as_long_as_google_takes" {
  command = plan
  variables {
    ci_subjects = {
      issuer   = "https://ci.example.com"
      audience = join("", [for i in range(256) : "a"])
      plan     = [join("", [for i in range(127) : "p"])]
      apply    = [join("", [for i in range(127) : "x"])]
    }
  }
  assert {
    condition     = length(google_iam_workload_identity_pool_provider.this.oidc[0].allowed_audiences[0]) == 256
    error_message = "the longest audience and subjects are taken"
  }
}
