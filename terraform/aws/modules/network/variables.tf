variable "stack" {
  description = "What the root says, as far as it is needed here."
  type        = object({ name = string, region = string, network_cidr = string, zones = list(string), s3 = string, log_retention_days = number })
}

variable "kms_key_arn" {
  description = "Key of the flow logs."
  type        = string
}

variable "role_arn" {
  description = "Role that writes the flow logs."
  type        = string
}
