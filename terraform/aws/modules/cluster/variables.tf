variable "stack" {
  description = "What the root says, as far as it is needed here."
  type = object({
    name           = string, arn = string, tags = map(string), kubernetes_version = string, service_cidr = string, network_cidr = string, authorized_cidrs = list(string),
    addon_versions = map(string), log_retention_days = number, deletion_protection = bool
    access         = map(object({ principal = string, policy = string, namespaces = list(string) }))
    node_pools     = map(object({ machine_types = list(string), min = number, max = number, disk_gb = number }))
  })
}

variable "subnet_ids" {
  description = "Where the nodes are, and the API server's addresses."
  type        = list(string)
}

variable "kms_key_arn" {
  description = "Key of secrets, logs and disks."
  type        = string
}

variable "identities" {
  description = "ARNs of the roles by name, and the service accounts that act as one."
  type        = object({ arns = map(string), pods = map(object({ namespace = string, service_account = string, role_arn = string })) })
}
