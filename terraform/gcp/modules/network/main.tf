resource "google_compute_network" "this" {
  name                    = var.this.name
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "this" {
  name                     = var.this.name
  network                  = google_compute_network.this.id
  ip_cidr_range            = var.this.network_cidr
  private_ip_google_access = true # Nodes have no public address and still reach the registry and the bucket.
  log_config { metadata = "INCLUDE_ALL_METADATA" }
  dynamic "secondary_ip_range" {
    for_each = { pods = var.this.pod_cidr, services = var.this.service_cidr }
    content {
      range_name    = secondary_ip_range.key
      ip_cidr_range = secondary_ip_range.value
    }
  }
}

resource "google_compute_router" "this" {
  name    = var.this.name
  network = google_compute_network.this.id
}

resource "google_compute_router_nat" "this" {
  name                               = var.this.name
  router                             = google_compute_router.this.name
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"
}

resource "google_logging_project_bucket_config" "this" {
  project        = var.this.project_id
  location       = "global"
  bucket_id      = "_Default" # Has the logs of the control plane, the nodes and the network.
  retention_days = var.this.log_retention_days
}
