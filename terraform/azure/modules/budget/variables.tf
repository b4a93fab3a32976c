variable "this" {
  description = "As the root has it, and the group that AKS makes for the nodes."
  type        = object({ name = string, labels = map(string), subscription_id = string, node_resource_group = string, amount = number, emails = list(string) })
}
