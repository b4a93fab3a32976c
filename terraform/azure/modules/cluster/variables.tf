variable "this" {
  description = "As the root has it, and: subnet of the nodes; vault, key and its version that encrypt."
  type = object({
    name      = string, region = string, tenant_id = string, labels = map(string)
    subnet_id = string, network_cidr = string, service_cidr = string, authorized_cidrs = list(string), kubernetes_version = string, zones = list(string)
    workspace_id = string, admin_group_ids = list(string), vault_id = string, key_id = string, key_version_id = string, node_pools = map(object({
      machine_types = list(string), min = number, max = number, disk_gb = number, accelerator = optional(object({ type = string, count = number }))
    }))
  })
  validation {
    condition     = alltrue([for pool in values(var.this.node_pools) : length(pool.machine_types) == 1 && pool.accelerator == null])
    error_message = "node_pools: a pool of AKS has exactly one of machine_types and no accelerator: the machine has the GPU, as Standard_NC4as_T4_v3."
  }
  validation {
    # Neither is larger than a /16, so that each lies in AKS's own range or outside of it.
    condition     = !anytrue([for cidr in [var.this.network_cidr, var.this.service_cidr] : startswith(cidr, "10.244.")])
    error_message = "network_cidr: ${var.this.network_cidr}, service_cidr: ${var.this.service_cidr}: both must be outside of 10.244.0.0/16, where AKS has its pods."
  }
}

variable "identities" {
  description = "Who runs the cluster and who encrypts; apart, since checkers of code take for unknown all that stands beside what they do not know."
  type        = map(object({ id = string, principal_id = string }))
}
