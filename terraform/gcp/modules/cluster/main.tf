locals {
  private = length(var.this.authorized_cidrs) == 0
  taints  = { spot = { "mlops-template.io/spot" = "true" }, gpu = { "nvidia.com/gpu" = "present" } }
}

resource "google_service_account" "nodes" { account_id = "${var.this.name}-nodes" }

resource "google_project_iam_member" "nodes" {
  project = var.this.project_id
  role    = "roles/container.defaultNodeServiceAccount" # Writes logs and metrics; what pods may do is given to workloads.
  member  = google_service_account.nodes.member
}

resource "google_artifact_registry_repository_iam_member" "nodes" {
  location   = var.this.region
  repository = var.this.repository
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.nodes.member
}

resource "google_container_cluster" "this" {
  name                        = var.this.name
  location                    = var.this.region
  min_master_version          = var.this.kubernetes_version
  deletion_protection         = var.this.deletion_protection
  network                     = var.this.network
  subnetwork                  = var.this.subnetwork
  datapath_provider           = "ADVANCED_DATAPATH"
  enable_intranode_visibility = true
  resource_labels             = { managed-by = "terraform" }
  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }
  # Private: no address at all, inside or out, but a name at Google's front end, which asks IAM before the API server does.
  # Otherwise the address is public for the authorized ranges, and the name, which knows no ranges, is closed.
  control_plane_endpoints_config {
    dns_endpoint_config { allow_external_traffic = local.private }
    ip_endpoints_config { enabled = !local.private }
  }
  private_cluster_config { enable_private_nodes = true }
  dynamic "master_authorized_networks_config" {
    for_each = local.private ? [] : [var.this.authorized_cidrs] # Even an empty block would switch the private addresses on again.
    content {
      gcp_public_cidrs_access_enabled = false
      dynamic "cidr_blocks" {
        for_each = master_authorized_networks_config.value
        content { cidr_block = cidr_blocks.value }
      }
    }
  }
  network_policy { enabled = false } # Dataplane V2 enforces them by itself.
  master_auth {
    client_certificate_config { issue_client_certificate = false }
  }
  anonymous_authentication_config { mode = "LIMITED" }
  rbac_binding_config {
    enable_insecure_binding_system_authenticated   = false
    enable_insecure_binding_system_unauthenticated = false
  }
  dynamic "authenticator_groups_config" {
    for_each = compact([var.this.security_group])
    content { security_group = authenticator_groups_config.value }
  }
  workload_identity_config { workload_pool = "${var.this.project_id}.svc.id.goog" }
  database_encryption {
    state    = "ENCRYPTED"
    key_name = var.this.kms_key_id
  }
  binary_authorization { evaluation_mode = "PROJECT_SINGLETON_POLICY_ENFORCE" }
  logging_config { enable_components = ["SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER"] }
  monitoring_config { enable_components = ["SYSTEM_COMPONENTS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER"] }
  cost_management_config { enabled = true }
  release_channel { channel = "REGULAR" }
  maintenance_policy {
    daily_maintenance_window { start_time = "02:00" }
  }
  remove_default_node_pool = true # GKE wants one to begin with: the block below is for those minutes.
  initial_node_count       = 1
  node_config {
    service_account   = google_service_account.nodes.email
    boot_disk_kms_key = var.this.kms_key_id
    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }
    workload_metadata_config { mode = "GKE_METADATA" }
  }
  depends_on = [google_project_iam_member.nodes]
  lifecycle { ignore_changes = [node_config] }
}

resource "google_container_node_pool" "this" {
  for_each           = var.node_pools
  name               = each.key
  cluster            = google_container_cluster.this.name
  location           = var.this.region
  initial_node_count = min(1, each.value.min) # By zone, and only to begin with: the autoscaler counts from then on.
  autoscaling {
    total_min_node_count = each.value.min
    total_max_node_count = each.value.max
  }
  management {
    auto_repair  = true
    auto_upgrade = true
  }
  node_config {
    machine_type      = one(each.value.machine_types)
    spot              = each.key == "spot"
    disk_size_gb      = each.value.disk_gb
    boot_disk_kms_key = var.this.kms_key_id
    image_type        = "COS_CONTAINERD"
    service_account   = google_service_account.nodes.email
    oauth_scopes      = ["https://www.googleapis.com/auth/cloud-platform"]
    metadata          = { disable-legacy-endpoints = "true" }
    labels            = { "mlops-template.io/pool" = each.key }
    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }
    workload_metadata_config { mode = "GKE_METADATA" }
    kubelet_config { insecure_kubelet_readonly_port_enabled = "FALSE" }
    dynamic "taint" {
      for_each = lookup(local.taints, each.key, {})
      content {
        key    = taint.key
        value  = taint.value
        effect = "NO_SCHEDULE"
      }
    }
    dynamic "guest_accelerator" {
      for_each = each.value.accelerator[*]
      content {
        type  = guest_accelerator.value.type
        count = guest_accelerator.value.count
        gpu_driver_installation_config { gpu_driver_version = "DEFAULT" }
      }
    }
  }
  depends_on = [google_artifact_registry_repository_iam_member.nodes]
  lifecycle { ignore_changes = [initial_node_count] }
}
