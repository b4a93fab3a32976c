# Name of the cluster.
output "cluster_name" { value = local.cluster.name }
# Address of the API server.
output "cluster_endpoint" { value = local.cluster.endpoint }
# Certificate of the API server's authority, base64.
output "cluster_ca" { value = local.cluster.ca }
# Issuer of the cluster's service account tokens; empty where nobody outside trusts them.
output "oidc_issuer" { value = "" }
# Where everything is.
output "region" { value = var.region }
# Address of the object store where bundles and records are: what environment.yaml calls artifact_uri.
output "artifact_uri" { value = var.artifact_uri }
# Address of the image registry: what environment.yaml calls registry.
output "registry_url" { value = var.registry_url }
# Key that encrypts what is stored; empty where there is none.
output "kms_key_id" { value = "" }
# By workload: namespace, service account, the identity it has outside the cluster, and what its service account is annotated and its pods are labelled with.
output "workload_identities" { value = local.workload_identities }
# The budget; empty where there is none.
output "budget_id" { value = "" }
# What a person runs to reach the cluster with kubectl.
output "kubeconfig_command" { value = "kubectl config use-context ${var.context}" }
