variable "this" {
  description = "What the root says; the network's subnets, the key of secrets, logs and disks, ARNs of roles by name, and which pods act as which."
  type = object({
    name             = string, kubernetes_version = string, deletion_protection = bool, log_retention_days = number
    authorized_cidrs = list(string), network_cidr = string, service_cidr = string, subnet_ids = list(string), kms_key_arn = string
    node_pools       = map(object({ machine_types = list(string), min = number, max = number, disk_gb = number }))
    access           = map(object({ principal = string, policy = string, namespaces = list(string) }))
    roles            = map(string), pods = map(object({ namespace = string, service_account = string }))
  })
}
