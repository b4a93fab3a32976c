locals {
  pool       = "principal://iam.googleapis.com/projects/${var.this.project_number}/locations/global/workloadIdentityPools/${var.this.workload_pool}"
  principals = { for name, workload in var.this.workloads : name => "${local.pool}/subject/ns/${workload.namespace}/sa/${workload.service_account}" }
}

# The Kubernetes account itself is the member: no Google account to impersonate, no key, nothing to annotate.
resource "google_storage_bucket_iam_member" "this" {
  for_each = merge(
    { for name, workload in var.this.workloads : name => { member = local.principals[name], access = workload.access } },
    { for reader in var.this.readers : reader => { member = reader, access = "read" } },
  )
  bucket = var.this.bucket
  role   = each.value.access == "read" ? "roles/storage.objectViewer" : "roles/storage.objectUser"
  member = each.value.member
}
