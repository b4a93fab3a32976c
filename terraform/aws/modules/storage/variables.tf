variable "stack" {
  description = "What the root says, as far as it is needed here."
  type        = object({ region = string, account_id = string, arn = string })
}

variable "name" {
  description = "Name of the bucket and of its key."
  type        = string
}

variable "readers" {
  description = "ARNs of IAM roles and users elsewhere that may read the bucket."
  type        = list(string)
  default     = []
}

variable "cluster" {
  description = "Cluster whose logs and disks the key encrypts as well; empty: none."
  type        = string
  default     = ""
}
