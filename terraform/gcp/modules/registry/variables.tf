variable "this" {
  description = "Name of the repository, the region, and the key that encrypts the images."
  type        = object({ name = string, region = string, kms_key_id = string })
}
