variable "this" {
  description = "As the root has it, and: container of the artifacts, who reads it from elsewhere, registry and who pulls from it, issuer of the cluster's tokens."
  type = object({
    tenant_id    = string, identities = map(object({ id = string, principal_id = string, client_id = string })), readers = list(string)
    container_id = string, registry_id = string, puller_id = string, oidc_issuer = string
    workloads    = map(object({ namespace = string, service_account = string, access = string }))
  })
  validation {
    condition     = alltrue([for id in var.this.readers : can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", id))])
    error_message = "artifact_readers: ${jsonencode(var.this.readers)}: each must be the object id of a service principal or managed identity: what workload_identities calls principal."
  }
}
