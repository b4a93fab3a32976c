variable "project" {
  description = "Name of the project, as in the stack's variables."
  type        = string
}

variable "environment" {
  description = "dev, staging or prod."
  type        = string
  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment: must be dev, staging or prod."
  }
}

variable "region" {
  description = "Where the state is, and the stack."
  type        = string
}

variable "account_id" {
  description = "The account that the environment is made in."
  type        = string
}

variable "state_name" {
  description = "Name of the bucket of the state: no other account may have one of that name."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.state_name))
    error_message = "state_name: must be 3 to 63 lower-case letters, digits and inner hyphens, such as energy-usage-dev-state-111122223333."
  }
}

variable "ci_subjects" {
  description = "Whose tokens CI shows: issuer, audience, and exactly the subjects that may plan and that may apply."
  type        = object({ issuer = string, audience = string, plan = list(string), apply = list(string) })
  validation {
    condition     = can(regex("^https://[^/].*[^/]$", var.ci_subjects.issuer)) && var.ci_subjects.audience != ""
    error_message = "ci_subjects: issuer: must begin with https:// and end without a slash, as https://gitlab.example.com does; audience: must not be empty."
  }
  validation {
    condition     = alltrue([for subject in concat(var.ci_subjects.plan, var.ci_subjects.apply) : can(regex("^[^*?\\s]+$", subject))])
    error_message = "ci_subjects: each subject must be written out: not empty, without *, ? or spaces."
  }
  validation {
    condition = (
      length(setproduct(var.ci_subjects.plan, var.ci_subjects.apply)) > 0 && length(setintersection(var.ci_subjects.plan, var.ci_subjects.apply)) == 0
    )
    error_message = "ci_subjects: plan and apply each need a subject, and none may be in both."
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
}
