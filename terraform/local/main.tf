# Describes a cluster that is there already, by what its kubeconfig says of it. No provider, and nothing outside is changed.
locals {
  kubeconfig = fileexists(pathexpand(var.kubeconfig)) ? yamldecode(file(pathexpand(var.kubeconfig))) : null
  contexts   = try({ for each in local.kubeconfig.contexts : each.name => each.context }, {})
  clusters   = try({ for each in local.kubeconfig.clusters : each.name => each.cluster }, {})
  entry      = try(local.clusters[local.contexts[var.context].cluster], null)

  cluster = {
    name     = try(local.contexts[var.context].cluster, "")
    endpoint = try(local.entry.server, "")
    # Inline, or in a file whose path is relative to the kubeconfig's own folder; none where a public authority has signed.
    ca = try(
      local.entry["certificate-authority-data"],
      filebase64(pathexpand(local.entry["certificate-authority"])),
      filebase64("${dirname(pathexpand(var.kubeconfig))}/${local.entry["certificate-authority"]}"),
      ""
    )
  }

  # Nobody outside trusts the cluster's tokens: an account of the object store stands in a Secret of the namespace.
  workload_identities = {
    for name, workload in var.workloads : name => {
      namespace       = coalesce(workload.namespace, "${var.project}-${var.environment}")
      service_account = workload.service_account
      principal       = ""
      annotations     = {}
      labels          = {}
    }
  }
}

# What an apply remembers: when the context leads to another cluster, the plan says so.
resource "terraform_data" "this" {
  input = {
    cluster             = local.cluster.name
    endpoint            = local.cluster.endpoint
    deletion_protection = var.deletion_protection
  }

  lifecycle {
    precondition {
      condition     = local.kubeconfig != null
      error_message = "kubeconfig: there is no file ${var.kubeconfig}: set the path of the one that reaches the cluster."
    }
    precondition {
      condition     = local.kubeconfig == null || contains(keys(local.contexts), var.context)
      error_message = "context: ${var.context} is not in ${var.kubeconfig}, which has ${try(coalesce(join(", ", sort(keys(local.contexts)))), "none")}."
    }
    precondition {
      condition     = !contains(keys(local.contexts), var.context) || local.entry != null
      error_message = "context: ${var.context} names a cluster that ${var.kubeconfig} does not describe."
    }
  }
}
