variable "this" {
  description = "Name of the bucket and of its key, who elsewhere may read it, and the cluster whose logs and disks the key encrypts as well, if any."
  type        = object({ bucket = string, region = string, account_id = string, readers = optional(list(string), []), name = optional(string) })
}
