output "cluster_name" {
  description = "Name of the cluster."
  value       = module.cluster.name
}

output "cluster_endpoint" {
  description = "Address of the API server."
  value       = module.cluster.endpoint
}

output "cluster_ca" {
  description = "Certificate of the API server's authority, base64."
  value       = module.cluster.ca
}

output "oidc_issuer" {
  description = "Issuer of the cluster's service account tokens; empty where nobody outside trusts them."
  value       = module.cluster.issuer
}

output "region" {
  description = "Where everything is."
  value       = var.region
}

output "artifact_uri" {
  description = "Address of the object store where bundles and records are: what environment.yaml calls artifact_uri."
  value       = "s3://${module.storage.bucket}"
}

output "registry_url" {
  description = "Address of the image registry: what environment.yaml calls registry."
  value       = module.registry.url
}

output "kms_key_id" {
  description = "Key that encrypts what is stored; empty where there is none."
  value       = module.storage.kms_key_arn
}

output "workload_identities" {
  description = "By workload: namespace, service account, the identity it has outside the cluster, and what its service account is annotated and its pods are labelled with."
  value       = module.identity.workload_identities
}

output "budget_id" {
  description = "The budget; empty where there is none."
  value       = module.budget.id
}

output "kubeconfig_command" {
  description = "What a person runs to reach the cluster with kubectl."
  value       = "aws eks update-kubeconfig --region ${var.region} --name ${module.cluster.name}"
}
