variable "this" {
  description = "As the root has it; name is that of everything."
  type        = object({ name = string, project_id = string, network_cidr = string, pod_cidr = string, service_cidr = string, log_retention_days = number })
}
