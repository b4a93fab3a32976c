variable "names" {
  description = "Full names of the repositories."
  type        = set(string)
}

variable "kms_key_arn" {
  description = "Key of the images."
  type        = string
}
