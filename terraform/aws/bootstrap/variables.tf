variable "state_name" {
  description = "Name of the bucket of the state: no other account may have one of that name."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.state_name))
    error_message = "state_name: ${jsonencode(var.state_name)}: must be 3 to 63 lower-case letters, digits and inner hyphens, such as energy-usage-dev-state-111122223333."
  }
}

variable "ci_subjects" {
  description = "Whose tokens CI comes with: issuer, audience, and the exact subjects that may plan and that may apply."
  type        = object({ issuer = string, audience = string, plan = list(string), apply = list(string) })
  validation {
    condition     = can(regex("^https://[^/\\s]+(/[^/\\s]+)*$", var.ci_subjects.issuer))
    error_message = "ci_subjects: issuer: ${jsonencode(var.ci_subjects.issuer)}: must be an https address without a slash at its end, such as https://token.actions.githubusercontent.com."
  }
  validation {
    condition     = alltrue([for text in concat([var.ci_subjects.audience], var.ci_subjects.plan, var.ci_subjects.apply) : can(regex("^[^\\s*?]+$", text))])
    error_message = "ci_subjects: audience, plan, apply: ${jsonencode(concat([var.ci_subjects.audience], var.ci_subjects.plan, var.ci_subjects.apply))}: each must be exact: not empty, without *, ? and spaces."
  }
  validation {
    condition     = length(setproduct(var.ci_subjects.plan, var.ci_subjects.apply)) > 0 && length(setintersection(var.ci_subjects.plan, var.ci_subjects.apply)) == 0
    error_message = "ci_subjects: plan, apply: ${jsonencode([var.ci_subjects.plan, var.ci_subjects.apply])}: each needs a subject, and none may be in both: what applies comes with one of its own, such as the environment's."
  }
}

variable "issuer_known" {
  description = "Whether the account trusts the issuer already: it takes each issuer once, with all audiences."
  type        = bool
  default     = false
}
