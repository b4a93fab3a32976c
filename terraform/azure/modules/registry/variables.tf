variable "this" {
  description = "As the root has it, and: key and identity that encrypt; the nodes' identity, which pulls."
  type = object({
    name   = string, unique_name = string, region = string, labels = map(string), zones = list(string), authorized_cidrs = list(string)
    key_id = string, encryption_identity = object({ id = string, client_id = string }), puller_id = string
  })
}
