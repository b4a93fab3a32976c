variable "stack" {
  description = "What the root says, as far as it is needed here."
  type        = object({ name = string, region = string, account_id = string, arn = string, role_path = string, boundary = string })
}

variable "workloads" {
  description = "Who in the cluster may use the artifacts: service account, namespace and access, read or write."
  type        = map(object({ service_account = string, namespace = string, access = string }))
}

variable "artifacts" {
  description = "Their bucket, and the key of the environment."
  type        = object({ arn = string, kms_key_arn = string })
}
