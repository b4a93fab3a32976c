variable "project" {
  description = "Name of the project, as in the stack's variables."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$", var.project))
    error_message = "project: ${jsonencode(var.project)}: must be 1 to 40 lower-case letters, digits and inner hyphens, such as energy-usage."
  }
}

variable "environment" {
  description = "dev, staging or prod."
  type        = string
  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment: ${jsonencode(var.environment)}: must be dev, staging or prod."
  }
}

variable "region" {
  description = "Where the state is, and the stack."
  type        = string
  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+){1,2}-[0-9]$", var.region))
    error_message = "region: ${jsonencode(var.region)}: must be a region as AWS calls it, such as eu-central-1, without a zone's letter."
  }
}

variable "account_id" {
  description = "The account that the environment is made in."
  type        = string
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id: ${jsonencode(var.account_id)}: must be the twelve digits of an AWS account in quotes, such as \"111122223333\"."
  }
}

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

variable "labels" {
  description = "Tags on everything made here, besides project and environment."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for name, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", name)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels: ${jsonencode(var.labels)}: names and values must be lower-case letters, digits, _ and -, at most 63, which every cloud takes."
  }
}
