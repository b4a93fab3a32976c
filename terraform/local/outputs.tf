output "cluster_name" {
  description = "Name of the cluster."
  value       = local.cluster.name
}

output "cluster_endpoint" {
  description = "Address of the API server."
  value       = local.cluster.endpoint
}

output "cluster_ca" {
  description = "Certificate of the API server's authority, base64."
  value       = local.cluster.ca
}

output "oidc_issuer" {
  description = "Issuer of the cluster's service account tokens; empty where nobody outside trusts them."
  value       = ""
}

output "region" {
  description = "Where everything is."
  value       = var.region
}

output "artifact_uri" {
  description = "Address of the object store where bundles and records are: what environment.yaml calls artifact_uri."
  value       = var.artifact_uri
}

output "registry_url" {
  description = "Address of the image registry: what environment.yaml calls registry."
  value       = var.registry_url
}

output "kms_key_id" {
  description = "Key that encrypts what is stored; empty where there is none."
  value       = ""
}

output "workload_identities" {
  description = "By workload: namespace, service account, the identity it has outside the cluster, and what its service account is annotated and its pods are labelled with."
  value       = local.workload_identities
}

output "budget_id" {
  description = "The budget; empty where there is none."
  value       = ""
}

output "kubeconfig_command" {
  description = "What a person runs to reach the cluster with kubectl."
  value       = "kubectl config use-context ${var.context}"
}
