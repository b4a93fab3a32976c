# The contract: this part is the same in every cloud, defaults of region and node_pools apart.

variable "project" {
  description = "Name of the project, as its repository is called; everything made here begins with it."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$", var.project))
    error_message = "project: ${jsonencode(var.project)}: must be 1 to 40 lower-case letters, digits and inner hyphens, such as energy-usage."
  }
}

variable "environment" {
  description = "dev, staging or prod: each has a state, a cluster and identities of its own."
  type        = string
  nullable    = false
  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment: ${jsonencode(var.environment)}: must be dev, staging or prod."
  }
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes, such as 1.34; one that the cloud offers."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "kubernetes_version: ${jsonencode(var.kubernetes_version)}: must be a minor version in quotes, such as \"1.34\"."
  }
}

variable "network_cidr" {
  description = "Addresses of the network, a /16 to /20 of the private ranges."
  type        = string
  nullable    = false
  default     = "10.20.0.0/16"
  validation {
    condition = try(cidrsubnet(var.network_cidr, 0, 0) == var.network_cidr, false) && can(regex(
      "^(10\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.).*/(16|17|18|19|20)$", var.network_cidr
    ))
    error_message = "network_cidr: ${jsonencode(var.network_cidr)}: must be a private IPv4 range from /16 to /20 that begins at its first address, such as 10.20.0.0/16."
  }
}

variable "service_cidr" {
  description = "Addresses of the cluster's Services, a /16 to /20 outside of network_cidr."
  type        = string
  nullable    = false
  default     = "10.96.0.0/16"
  validation {
    condition     = can(regex("/(16|17|18|19|20)$", var.service_cidr)) && try(cidrsubnet(var.service_cidr, 0, 0) == var.service_cidr, false)
    error_message = "service_cidr: ${jsonencode(var.service_cidr)}: must be an IPv4 range from /16 to /20 that begins at its first address, such as 10.96.0.0/16."
  }
  validation {
    # Two ranges overlap when both, cut to the shorter of their prefixes, begin at the same address.
    condition = try(
      cidrhost("${split("/", var.network_cidr)[0]}/${min(split("/", var.network_cidr)[1], split("/", var.service_cidr)[1])}", 0) !=
      cidrhost("${split("/", var.service_cidr)[0]}/${min(split("/", var.network_cidr)[1], split("/", var.service_cidr)[1])}", 0), true
    )
    error_message = "service_cidr: ${var.service_cidr} overlaps with network_cidr, ${var.network_cidr}: choose 10.96.0.0/16 or 172.20.0.0/16, whichever it leaves free, or another one outside of it."
  }
}

variable "authorized_cidrs" {
  description = "Who may reach the API server from outside: IPv4 ranges of an office or a VPN, in dev only. Empty: the API server is private."
  type        = list(string)
  nullable    = false
  validation {
    condition     = alltrue([for cidr in var.authorized_cidrs : can(cidrnetmask(cidr)) && try(tonumber(split("/", cidr)[1]) >= 16, false)])
    error_message = "authorized_cidrs: ${jsonencode(var.authorized_cidrs)}: each must be an IPv4 range of /16 or smaller, such as 203.0.113.0/24; 0.0.0.0/0 would be everybody."
  }
  validation {
    condition     = length(var.authorized_cidrs) == 0 || var.environment == "dev"
    error_message = "authorized_cidrs: ${jsonencode(var.authorized_cidrs)}: must be empty in staging and prod, whose API server is private: work from inside the network."
  }
}

variable "node_pools" {
  description = "Groups of nodes by purpose: cpu (needed), spot (cheap, may vanish; tainted), gpu (tainted). A pool is there when its key is."
  type = map(object({
    machine_types = list(string), min = number, max = number, disk_gb = optional(number, 100)
    accelerator   = optional(object({ type = string, count = number }))
  }))
  nullable = false
  default  = { cpu = { machine_types = ["Standard_D4ds_v5"], min = 1, max = 3 } }
  validation {
    condition     = contains(keys(var.node_pools), "cpu") && length(setsubtract(keys(var.node_pools), ["cpu", "spot", "gpu"])) == 0
    error_message = "node_pools: ${jsonencode(keys(var.node_pools))}: the keys are cpu, which must be there, spot and gpu."
  }
  validation {
    condition = alltrue([
      for pool in values(var.node_pools) : length(pool.machine_types) > 0 && pool.min >= 0 && pool.max >= 1 && pool.min <= pool.max && pool.disk_gb >= 50
    ])
    error_message = "node_pools: ${jsonencode(var.node_pools)}: each needs a machine type, 0 <= min <= max, max of at least 1 and disk_gb of at least 50."
  }
  validation {
    condition     = try(var.node_pools["cpu"].min, 1) >= 1
    error_message = "node_pools: cpu.min: ${try(var.node_pools.cpu.min, 1)}: must be at least 1: what serves runs there, and must find a node."
  }
}

variable "workloads" {
  description = "Who in the cluster may use the artifacts: service account, its namespace (left out: that of the environment) and access, read or write."
  type        = map(object({ service_account = string, namespace = optional(string), access = string }))
  nullable    = false
  default = {
    training = { service_account = "training", access = "write" }
    serving  = { service_account = "serving", access = "read" }
    mlflow   = { service_account = "mlflow", namespace = "mlops-platform", access = "write" }
  }
  validation {
    condition     = alltrue([for workload in values(var.workloads) : contains(["read", "write"], workload.access)])
    error_message = "workloads: access: ${jsonencode({ for name, workload in var.workloads : name => workload.access })}: each must be read or write."
  }
  validation {
    condition = alltrue([
      for name in flatten([for workload in values(var.workloads) : concat([workload.service_account], workload.namespace[*])]) :
      can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", name))
    ])
    error_message = "workloads: service_account and namespace: ${jsonencode([for workload in values(var.workloads) : [workload.service_account, workload.namespace]])}: must be names as Kubernetes has them, without wildcards."
  }
}

variable "artifact_readers" {
  description = "Identities outside of this environment that may read its artifacts, in the cloud's own form: those that promote into the next one."
  type        = list(string)
  nullable    = false
  default     = []
  validation {
    condition     = alltrue([for reader in var.artifact_readers : reader != "" && !strcontains(reader, "*") && !contains(["allUsers", "allAuthenticatedUsers"], reader)])
    error_message = "artifact_readers: ${jsonencode(var.artifact_readers)}: each must be one identity by its full name; no wildcard, nobody in general."
  }
}

variable "budget" {
  description = "What the environment may cost in a month, in the currency of the account, and who is told at 50, 80 and 100 %."
  type        = object({ amount = number, emails = list(string) })
  nullable    = false
  validation {
    condition     = var.budget.amount > 0
    error_message = "budget: amount: ${var.budget.amount}: must be more than 0."
  }
  validation {
    condition     = length(var.budget.emails) > 0 && alltrue([for email in var.budget.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", email))])
    error_message = "budget: emails: at least one mail address, and nothing else, not ${jsonencode(var.budget.emails)}: a budget that tells nobody limits nothing."
  }
}

variable "deletion_protection" {
  description = "Whether the cluster refuses to be deleted; false only where it may go at any time."
  type        = bool
  nullable    = false
  default     = true
}

variable "log_retention_days" {
  description = "How long the control plane's and the network's logs are kept."
  type        = number
  nullable    = false
  default     = 90
  validation {
    condition     = contains([30, 60, 90, 180, 365], var.log_retention_days)
    error_message = "log_retention_days: ${jsonencode(var.log_retention_days)}: must be 30, 60, 90, 180 or 365."
  }
}

variable "labels" {
  description = "Labels or tags on everything made here, besides project and environment."
  type        = map(string)
  nullable    = false
  default     = {}
  validation {
    condition     = alltrue([for name, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", name)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels: ${jsonencode(var.labels)}: names and values must be lower-case letters, digits, _ and -, at most 63, which every cloud takes."
  }
}

variable "region" {
  description = "Where everything is, as the cloud calls it."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z]{5,20}[0-9]?$", var.region))
    error_message = "region: ${jsonencode(var.region)}: must be a region as Azure calls it in one word, such as westeurope."
  }
}

# Only here

variable "subscription_id" {
  description = "Subscription that everything is in."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.subscription_id))
    error_message = "subscription_id: ${jsonencode(var.subscription_id)}: must be the subscription's id in lower case, as `az account show --query id` prints it."
  }
}

variable "tenant_id" {
  description = "Entra tenant of the subscription."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.tenant_id))
    error_message = "tenant_id: ${jsonencode(var.tenant_id)}: must be the tenant's id in lower case, as `az account show --query tenantId` prints it."
  }
}

variable "admin_group_ids" {
  description = "Entra groups, by object id, whose members administer the cluster: it has no accounts of its own."
  type        = list(string)
  nullable    = false
  validation {
    condition     = length(var.admin_group_ids) > 0 && alltrue([for id in var.admin_group_ids : can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", id))])
    error_message = "admin_group_ids: ${jsonencode(var.admin_group_ids)}: at least one group's object id, and nothing else (`az ad group show --group NAME --query id`): else nobody could administer the cluster."
  }
}

variable "zones" {
  description = "Availability zones of the nodes and the registry; empty in a region that has none."
  type        = list(string)
  nullable    = false
  default     = ["1", "2", "3"]
  validation {
    condition     = length(setsubtract(var.zones, ["1", "2", "3"])) == 0
    error_message = "zones: ${jsonencode(var.zones)}: each must be \"1\", \"2\" or \"3\"; an empty list where the region has none."
  }
}

variable "artifact_reader_subnet_ids" {
  description = "Subnets, by their full id, from which artifact_readers come: identity alone does not pass the store's firewall."
  type        = list(string)
  nullable    = false
  default     = []
  validation {
    condition     = alltrue([for id in var.artifact_reader_subnet_ids : can(regex("^/subscriptions/.+/virtualNetworks/[^/]+/subnets/[^/]+$", id))])
    error_message = "artifact_reader_subnet_ids: ${jsonencode(var.artifact_reader_subnet_ids)}: each must be a subnet's full id, /subscriptions/…/subnets/…; it has the service endpoint Microsoft.Storage."
  }
}
