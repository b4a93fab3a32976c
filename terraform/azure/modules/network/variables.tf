variable "this" {
  description = "As the root has it, and: store and registry, which get an address in the network."
  type        = object({ name = string, region = string, labels = map(string), network_cidr = string, account_id = string, registry_id = string })
}
