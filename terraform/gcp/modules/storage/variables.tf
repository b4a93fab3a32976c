variable "this" {
  description = "Names of the key's ring and of the bucket, project, region, and the domains of those of Google's own accounts that encrypt with the key."
  type        = object({ name = string, bucket = string, project_id = string, project_number = string, region = string, agents = set(string) })
}
