variable "this" {
  description = "As the root has it, and: the container of the artifacts, the registry and who pulls from it, the issuer of the cluster's tokens."
  type = object({
    tenant_id    = string, identities = map(object({ id = string, principal_id = string, client_id = string }))
    container_id = string, registry_id = string, puller_id = string, oidc_issuer = string
  })
}

variable "workloads" {
  description = "As the root has them, each with its namespace."
  type        = map(object({ namespace = string, service_account = string, access = string }))
}

variable "readers" {
  description = "Object ids of the service principals and managed identities elsewhere that may read the artifacts."
  type        = list(string)
  validation {
    condition     = alltrue([for id in var.readers : can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", id))])
    error_message = "artifact_readers: each must be the object id of a service principal or managed identity: what workload_identities calls principal."
  }
}
