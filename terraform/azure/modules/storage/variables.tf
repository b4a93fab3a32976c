variable "this" {
  description = "As the root has it: among it the name of the container, the identity that encrypts, and subnets of others that may reach the store."
  type = object({
    name       = string, unique_name = string, region = string, tenant_id = string, labels = map(string), authorized_cidrs = list(string), container = string
    identities = map(object({ id = string, principal_id = string })), reader_subnet_ids = list(string)
  })
}
