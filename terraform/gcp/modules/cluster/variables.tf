variable "this" {
  description = "As the root has it, and: network and subnetwork, with the ranges pods and services; repository to pull from; key of secrets and disks."
  type = object({
    name               = string, project_id = string, region = string
    network            = string, subnetwork = string, repository = string, kms_key_id = string
    kubernetes_version = string, authorized_cidrs = set(string), deletion_protection = bool, security_group = string
  })
}

variable "node_pools" {
  description = "As the root has them."
  type        = map(object({ machine_types = list(string), min = number, max = number, disk_gb = number, accelerator = object({ type = string, count = number }) }))
  validation {
    condition     = alltrue([for pool in values(var.node_pools) : length(pool.machine_types) == 1])
    error_message = "node_pools: machine_types: Google Cloud takes one for each pool."
  }
  validation {
    condition     = alltrue([for name, pool in var.node_pools : (name == "gpu") == (pool.accelerator != null)])
    error_message = "node_pools: accelerator: gpu needs one, such as { type = \"nvidia-l4\", count = 1 }, and no other pool has one."
  }
}
