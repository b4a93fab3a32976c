variable "this" {
  description = "Name, folder and boundary of the roles, the artifacts' bucket and key, and who in the cluster may use them: access is read or write."
  type = object({ name = string, region = string, account_id = string, role_path = string, boundary = string, bucket_arn = string, kms_key_arn = string,
    workloads = map(object({ service_account = string, namespace = string, access = string }))
  })
  validation {
    condition     = alltrue([for key in keys(var.this.workloads) : !can(merge(local.services, local.system)[key]) && length("${var.this.name}-${key}") <= 64])
    error_message = "workloads: choose another key: it makes the name of a role, at most 64 letters long and not one of the cluster's own."
  }
}
