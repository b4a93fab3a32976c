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
    condition     = can(regex("^[a-z]{5,20}[0-9]?$", var.region))
    error_message = "region: ${jsonencode(var.region)}: must be a region as Azure calls it in one word, such as westeurope."
  }
}

variable "subscription_id" {
  description = "Subscription of the environment."
  type        = string
  validation {
    condition     = can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.subscription_id))
    error_message = "subscription_id: ${jsonencode(var.subscription_id)}: must be the subscription's id in lower case, as `az account show --query id` prints it."
  }
}

variable "tenant_id" {
  description = "Entra tenant of the subscription."
  type        = string
  validation {
    condition     = can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.tenant_id))
    error_message = "tenant_id: ${jsonencode(var.tenant_id)}: must be the tenant's id in lower case, as `az account show --query tenantId` prints it."
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
    condition = length(var.state_access.cidrs) + length(var.state_access.subnet_ids) > 0 && alltrue([
      for cidr in var.state_access.cidrs : can(cidrnetmask(cidr)) && try(tonumber(split("/", cidr)[1]) >= 16, false)
    ])
    error_message = "state_access: ${jsonencode(var.state_access)}: at least one range or subnet, else nobody could reach it; each range IPv4 and /16 or smaller: 0.0.0.0/0 would be everybody."
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
