variable "ci_subjects" {
  description = "Whose tokens CI comes with: issuer, audience, and the exact subjects that may plan and that may apply."
  type        = object({ issuer = string, audience = string, plan = list(string), apply = list(string) })
  validation {
    condition     = can(regex("^https://[^/\\s]+(/[^/\\s]+)*$", var.ci_subjects.issuer))
    error_message = "ci_subjects: issuer: ${jsonencode(var.ci_subjects.issuer)}: must be an https address without a slash at its end, such as https://token.actions.githubusercontent.com."
  }
  validation {
    condition     = alltrue([for text in concat([var.ci_subjects.audience], var.ci_subjects.plan, var.ci_subjects.apply) : can(regex("^[^\\s*?]{1,600}$", text))])
    error_message = "ci_subjects: audience, plan, apply: ${jsonencode(concat([var.ci_subjects.audience], var.ci_subjects.plan, var.ci_subjects.apply))}: each must be exact: not empty, without *, ? and spaces, and at most 600 characters, which is what Azure takes."
  }
  validation {
    condition     = length(setproduct(var.ci_subjects.plan, var.ci_subjects.apply)) > 0 && length(setintersection(var.ci_subjects.plan, var.ci_subjects.apply)) == 0
    error_message = "ci_subjects: plan, apply: ${jsonencode([var.ci_subjects.plan, var.ci_subjects.apply])}: each needs a subject, and none may be in both: what applies comes with one of its own, such as the environment's."
  }
}

variable "state_name" {
  description = "Name of the storage account for the state; no other in the world may have it."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9]{3,22}$", var.state_name))
    error_message = "state_name: ${jsonencode(var.state_name)}: must be 3 to 22 lower-case letters and digits, such as energyusagedevstate."
  }
}

variable "state_access" {
  description = "From where the state is reached, besides the right identity: IPv4 ranges and subnets (with the service endpoint Microsoft.Storage) of people and CI runners."
  type        = object({ cidrs = list(string), subnet_ids = list(string) })
  validation {
    condition = length(concat(values(var.state_access)...)) > 0 && alltrue([for id in var.state_access.subnet_ids : can(regex("^/subscriptions/.+/virtualNetworks/[^/]+/subnets/[^/]+$", id))]) && alltrue([
      for cidr in var.state_access.cidrs : can(cidrnetmask(cidr)) && try(tonumber(split("/", cidr)[1]) >= 16, false)
    ])
    error_message = "state_access: ${jsonencode(var.state_access)}: at least one range or subnet, else nobody could reach it; each range IPv4 and /16 or smaller: 0.0.0.0/0 would be everybody; each subnet by its full id, /subscriptions/…/subnets/…."
  }
}
