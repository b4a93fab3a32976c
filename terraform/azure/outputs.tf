# Name of the cluster.
output "cluster_name" { value = module.cluster.name }
# Address of the API server.
output "cluster_endpoint" { value = module.cluster.endpoint }
# Certificate of the API server's authority, base64.
output "cluster_ca" { value = module.cluster.ca }
# Issuer of the cluster's service account tokens; empty where nobody outside trusts them.
output "oidc_issuer" { value = module.cluster.oidc_issuer }
# Where everything is.
output "region" { value = var.region }
# Address of the object store where bundles and records are: what environment.yaml calls artifact_uri.
output "artifact_uri" { value = module.storage.artifact_uri }
# Address of the image registry: what environment.yaml calls registry.
output "registry_url" { value = module.registry.url }
# Key that encrypts what is stored; empty where there is none.
output "kms_key_id" { value = module.storage.key_id }
# By workload: namespace, service account, the identity it has outside the cluster, and what its service account is annotated and its pods are labelled with.
output "workload_identities" { value = module.identity.workload_identities }
# The budget; empty where there is none.
output "budget_id" { value = module.budget.id }
# What a person runs to reach the cluster with kubectl.
output "kubeconfig_command" { value = "az aks get-credentials --subscription ${var.subscription_id} --resource-group ${local.name} --name ${module.cluster.name} && kubelogin convert-kubeconfig -l azurecli" }
