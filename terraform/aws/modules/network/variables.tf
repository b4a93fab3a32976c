variable "this" {
  description = "Name, region and addresses of the network, letters of its zones, and of the flow logs: key, writing role and how long they are kept."
  type        = object({ name = string, region = string, network_cidr = string, zones = list(string), kms_key_arn = string, roles = map(string), log_retention_days = number })
}
