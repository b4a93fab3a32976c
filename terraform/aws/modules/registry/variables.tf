variable "this" {
  description = "Folder of the repositories, their names, and the key of the images."
  type        = object({ folder = string, images = set(string), kms_key_arn = string })
}
