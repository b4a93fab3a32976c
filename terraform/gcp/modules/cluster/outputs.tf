locals { front = google_container_cluster.this.control_plane_endpoints_config[0].dns_endpoint_config[0] }
output "name" { value = google_container_cluster.this.name }
output "endpoint" { value = "https://${local.private ? local.front.endpoint : google_container_cluster.this.endpoint}" }
output "ca" { value = google_container_cluster.this.master_auth[0].cluster_ca_certificate }
output "workload_pool" { value = google_container_cluster.this.workload_identity_config[0].workload_pool }
