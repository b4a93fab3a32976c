output "cluster_id" { value = azurerm_kubernetes_cluster.this.id }
output "name" { value = azurerm_kubernetes_cluster.this.name }
output "endpoint" { value = "https://${local.private ? azurerm_kubernetes_cluster.this.private_fqdn : azurerm_kubernetes_cluster.this.fqdn}:443" }
# No secret: the provider marks all of kube_config, which without local accounts has no credential in it.
output "ca" { value = nonsensitive(one(azurerm_kubernetes_cluster.this.kube_config[*].cluster_ca_certificate)) }
output "oidc_issuer" { value = azurerm_kubernetes_cluster.this.oidc_issuer_url }
output "puller_id" { value = one(azurerm_kubernetes_cluster.this.kubelet_identity[*].object_id) }
output "node_resource_group" { value = azurerm_kubernetes_cluster.this.node_resource_group }
