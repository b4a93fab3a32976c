variable "this" {
  description = "As the root has it."
  type        = object({ name = string, region = string, labels = map(string), network_cidr = string })
}
