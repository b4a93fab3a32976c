variable "this" {
  description = "As the root has it, and the key that encrypts."
  type = object({
    name  = string, unique_name = string, region = string, labels = map(string), authorized_cidrs = list(string), key_id = string
    zones = list(string), identities = map(object({ id = string, client_id = string }))
  })
}
