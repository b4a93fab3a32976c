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
  description = "Where the state is, as the cloud calls it."
  type        = string
  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]{1,2}$", var.region))
    error_message = "region: ${jsonencode(var.region)}: must be a region of Google Cloud, such as europe-west4; europe-west4-a would be one of its zones."
  }
}

variable "project_id" {
  description = "Id of the environment's Google Cloud project."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id: ${jsonencode(var.project_id)}: must be the id, 6 to 30 lower-case letters, digits and hyphens, such as acme-ml-dev; not the name or number."
  }
}

variable "project_number" {
  description = "Number of that project: gcloud projects describe ID --format='value(projectNumber)'."
  type        = string
  validation {
    condition     = can(regex("^[1-9][0-9]{5,18}$", var.project_number))
    error_message = "project_number: ${jsonencode(var.project_number)}: must be the project's number in quotes: gcloud projects describe ID --format='value(projectNumber)'."
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
    condition     = can(regex("^[^\\s*?]{1,256}$", var.ci_subjects.audience)) && alltrue([for subject in concat(var.ci_subjects.plan, var.ci_subjects.apply) : can(regex("^[^\\s*?]{1,127}$", subject))])
    error_message = "ci_subjects: audience, plan, apply: ${jsonencode(concat([var.ci_subjects.audience], var.ci_subjects.plan, var.ci_subjects.apply))}: each must be exact: not empty, without *, ? and spaces, and at most 256 characters for the audience and 127 for a subject, which is what Google takes: give repository, branch, job or audience a shorter name."
  }
  validation {
    condition     = length(setproduct(var.ci_subjects.plan, var.ci_subjects.apply)) > 0 && length(setintersection(var.ci_subjects.plan, var.ci_subjects.apply)) == 0
    error_message = "ci_subjects: plan, apply: ${jsonencode([var.ci_subjects.plan, var.ci_subjects.apply])}: each needs a subject, and none may be in both: what applies comes with one of its own, such as the environment's."
  }
}

variable "state_name" {
  description = "Name of the bucket for the state; no other bucket in the world may have it."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.state_name)) && !can(regex("^goog|google", var.state_name))
    error_message = "state_name: ${jsonencode(var.state_name)}: must be 3 to 63 lower-case letters, digits and hyphens, without google."
  }
}

variable "labels" {
  description = "Labels on everything made here, besides project and environment."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for name, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", name)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels: ${jsonencode(var.labels)}: names and values must be lower-case letters, digits, _ and -, at most 63, which every cloud takes."
  }
}
