variable "this" {
  description = "As the root has it, and: name of the container; subnets of others that may reach the store."
  type = object({
    name      = string, unique_name = string, region = string, tenant_id = string, labels = map(string), authorized_cidrs = list(string)
    container = string, reader_subnet_ids = list(string)
  })
}
