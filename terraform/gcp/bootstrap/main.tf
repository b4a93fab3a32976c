provider "google" {
  project        = var.project_id
  region         = var.region
  default_labels = merge(var.labels, { project = var.project, environment = var.environment })
}

locals {
  project = can(regex("^[a-z]", var.project)) ? var.project : "p${var.project}" # Names as the stack has them.
  name    = "${trimsuffix(substr(local.project, 0, 16), "-")}-${var.environment}"
  pool    = "projects/${var.project_number}/locations/global/workloadIdentityPools/${google_iam_workload_identity_pool.this.workload_identity_pool_id}"
  # What Terraform reads of the stack, and the right to call in the project's name.
  read = [
    "artifactregistry.repositories.get", "artifactregistry.repositories.getIamPolicy", "billing.resourcebudgets.read", "cloudkms.keyRings.get",
    "cloudkms.cryptoKeys.get", "cloudkms.cryptoKeys.getIamPolicy", "compute.instanceGroupManagers.get", "compute.networks.get", "compute.routers.get",
    "compute.subnetworks.get", "container.clusters.get", "iam.serviceAccounts.get", "logging.buckets.get", "monitoring.notificationChannels.get",
    "resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy", "serviceusage.services.use", "storage.buckets.get", "storage.buckets.getIamPolicy",
  ]
  write = [
    "billing.resourcebudgets.write", "iam.serviceAccounts.actAs", "iam.serviceAccounts.create", "iam.serviceAccounts.delete",
    "iam.serviceAccounts.update", "logging.buckets.update", "storage.buckets.create", "storage.buckets.setIamPolicy", "storage.buckets.update",
  ]
  admin = ["artifactregistry.admin", "cloudkms.admin", "compute.networkAdmin", "container.clusterAdmin", "monitoring.notificationChannelEditor"]
}

module "state" {
  source = "../modules/storage"
  this = {
    name   = "${local.name}-state", bucket = var.state_name, agents = ["gs-project-accounts"]
    region = var.region, project_id = var.project_id, project_number = var.project_number
  }
}

resource "terraform_data" "keep" {
  triggers_replace = [var.state_name, var.region, var.project_id]
  lifecycle { prevent_destroy = true } # A destroy of the store, or another in its place, stops in the plan: the states are the only record of what there is.
}

resource "google_iam_workload_identity_pool" "this" { workload_identity_pool_id = "ci-${local.name}" }

resource "google_iam_workload_identity_pool_provider" "this" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.this.workload_identity_pool_id
  workload_identity_pool_provider_id = "ci"
  attribute_mapping                  = { "google.subject" = "assertion.sub" }
  attribute_condition                = join(" || ", [for subject in concat(var.ci_subjects.plan, var.ci_subjects.apply) : "assertion.sub == ${jsonencode(subject)}"])
  oidc {
    issuer_uri        = var.ci_subjects.issuer
    allowed_audiences = [var.ci_subjects.audience]
  }
}

resource "google_service_account" "this" {
  for_each   = toset(["plan", "apply"])
  account_id = "${local.name}-${each.key}"
}

resource "google_service_account_iam_member" "this" {
  for_each           = merge([for identity in ["plan", "apply"] : { for subject in var.ci_subjects[identity] : subject => identity }]...)
  service_account_id = google_service_account.this[each.value].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/${local.pool}/subject/${each.key}"
}

resource "google_project_iam_custom_role" "this" {
  for_each    = { plan = local.read, apply = concat(local.read, local.write) }
  role_id     = replace("${local.name}_${each.key}", "-", "_")
  title       = "${local.name}: ${each.key}"
  permissions = each.value
}

resource "google_project_iam_member" "this" {
  for_each = merge(
    { for identity in ["plan", "apply"] : identity => { identity = identity, role = google_project_iam_custom_role.this[identity].id } },
    { for role in local.admin : role => { identity = "apply", role = "roles/${role}" } },
  )
  project = var.project_id
  role    = each.value.role
  member  = google_service_account.this[each.value.identity].member
}

resource "google_project_iam_member" "grant" {
  project = var.project_id
  role    = "roles/resourcemanager.projectIamAdmin"
  member  = google_service_account.this["apply"].member
  condition {
    title      = "The nodes' role and no other"
    expression = "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/container.defaultNodeServiceAccount'])"
  }
}

resource "google_storage_bucket_iam_member" "state" {
  for_each = { plan = "roles/storage.objectViewer", apply = "roles/storage.objectUser" }
  bucket   = module.state.bucket
  role     = each.value
  member   = google_service_account.this[each.key].member
}

resource "google_storage_bucket_iam_member" "lock" {
  bucket = module.state.bucket
  role   = "roles/storage.objectUser"
  member = google_service_account.this["plan"].member
  condition {
    title      = "The state's lock and no other object"
    expression = "resource.name == 'projects/_/buckets/${var.state_name}/objects/stack/default.tflock'"
  }
}
