# The defaults that keep others out, module by module. Values are mocked; only what we write is asserted.
mock_provider "google" {}

run "network" {
  command = plan
  module {
    source = "./modules/network"
  }
  variables {
    this = {
      name         = "energy-usage-prod", project_id = "acme-ml-prod", log_retention_days = 365
      network_cidr = "10.40.0.0/16", pod_cidr = "10.64.0.0/14", service_cidr = "10.96.0.0/16"
    }
  }
  assert {
    condition     = google_compute_network.this.auto_create_subnetworks == false
    error_message = "no subnetwork but ours"
  }
  assert {
    condition     = google_compute_subnetwork.this.private_ip_google_access && google_compute_subnetwork.this.log_config[0].metadata == "INCLUDE_ALL_METADATA"
    error_message = "nodes reach Google's services from inside, and flows are logged"
  }
  assert {
    condition = { for range in google_compute_subnetwork.this.secondary_ip_range : range.range_name => range.ip_cidr_range } == {
      pods = "10.64.0.0/14", services = "10.96.0.0/16"
    }
    error_message = "pods and Services have ranges of their own"
  }
  assert {
    condition     = google_compute_router_nat.this.source_subnetwork_ip_ranges_to_nat == "ALL_SUBNETWORKS_ALL_IP_RANGES"
    error_message = "what goes out goes by the NAT"
  }
  assert {
    condition     = google_logging_project_bucket_config.this.retention_days == 365 && google_logging_project_bucket_config.this.bucket_id == "_Default"
    error_message = "logs are kept as long as the root says"
  }
}

run "storage" {
  command = plan
  module {
    source = "./modules/storage"
  }
  variables {
    this = {
      name   = "energy-usage-prod", bucket = "energy-usage-prod-models-abcdef", agents = ["gs-project-accounts", "compute-system"]
      region = "europe-west4", project_id = "acme-ml-prod", project_number = "123456789012"
    }
  }
  assert {
    condition     = google_storage_bucket.this.uniform_bucket_level_access && google_storage_bucket.this.public_access_prevention == "enforced"
    error_message = "the bucket is never public, and IAM alone opens it"
  }
  assert {
    condition     = google_storage_bucket.this.versioning[0].enabled && google_storage_bucket.this.soft_delete_policy[0].retention_duration_seconds >= 2592000
    error_message = "what is overwritten or deleted can be had back"
  }
  assert {
    condition     = google_storage_bucket.this.force_destroy == false
    error_message = "a bucket with something in it is not destroyed"
  }
  assert {
    condition     = length(google_storage_bucket.this.encryption) == 1
    error_message = "the bucket is encrypted with our key"
  }
  assert {
    condition     = output.kms_key_id == "projects/acme-ml-prod/locations/europe-west4/keyRings/energy-usage-prod/cryptoKeys/this"
    error_message = "others are told which key by its name"
  }
  assert {
    condition     = tonumber(trimsuffix(google_kms_crypto_key.this.rotation_period, "s")) <= 7776000
    error_message = "the key is rotated, at least every 90 days"
  }
  assert {
    condition = toset([for grant in google_kms_crypto_key_iam_member.this : grant.member]) == toset([
      "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com",
      "serviceAccount:service-123456789012@compute-system.iam.gserviceaccount.com",
    ])
    error_message = "Google's own accounts may use the key, and nobody else"
  }
}

run "registry" {
  command = plan
  module {
    source = "./modules/registry"
  }
  variables {
    this = { name = "energy-usage-prod", region = "europe-west4", kms_key_id = "projects/p/locations/l/keyRings/r/cryptoKeys/k" }
  }
  assert {
    condition     = google_artifact_registry_repository.this.docker_config[0].immutable_tags
    error_message = "a tag never moves"
  }
  assert {
    condition     = google_artifact_registry_repository.this.vulnerability_scanning_config[0].enablement_config == "INHERITED"
    error_message = "images are scanned"
  }
  assert {
    condition     = google_artifact_registry_repository.this.kms_key_name == "projects/p/locations/l/keyRings/r/cryptoKeys/k"
    error_message = "images are encrypted with our key"
  }
  assert {
    condition = alltrue([
      for policy in google_artifact_registry_repository.this.cleanup_policies : policy.action == "DELETE" && policy.condition[0].tag_state == "UNTAGGED"
    ]) && length(google_artifact_registry_repository.this.cleanup_policies) == 1
    error_message = "only what has no tag is cleaned up"
  }
}

run "identity" {
  command = plan
  module {
    source = "./modules/identity"
  }
  variables {
    this = {
      bucket  = "models", project_number = "123456789012", workload_pool = "acme-ml-prod.svc.id.goog"
      readers = ["serviceAccount:promote@acme-ml-next.iam.gserviceaccount.com"]
      workloads = {
        serving  = { namespace = "energy-usage-prod", service_account = "serving", access = "read" }
        training = { namespace = "energy-usage-prod", service_account = "training", access = "write" }
      }
    }
  }
  assert {
    condition = {
      for name, grant in google_storage_bucket_iam_member.this : trimprefix(
        grant.member, "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/acme-ml-prod.svc.id.goog/subject/"
      ) => grant.role
      } == {
      "ns/energy-usage-prod/sa/serving"                             = "roles/storage.objectViewer"
      "ns/energy-usage-prod/sa/training"                            = "roles/storage.objectUser"
      "serviceAccount:promote@acme-ml-next.iam.gserviceaccount.com" = "roles/storage.objectViewer"
    }
    error_message = "each account has its own access to objects, and no other"
  }
  assert {
    condition     = alltrue([for grant in google_storage_bucket_iam_member.this : grant.bucket == "models"])
    error_message = "on this bucket alone"
  }
}

run "budget" {
  command = plan
  module {
    source = "./modules/budget"
  }
  variables {
    this = { name = "energy-usage-prod", billing_account = "01ABCD-2EF345-6789AB", project_number = "123456789012", amount = 300, emails = ["ada@example.com", "ops@example.com"] }
  }
  assert {
    condition = [for rule in google_billing_budget.this.threshold_rules : "${rule.spend_basis} ${rule.threshold_percent}"] == [
      "CURRENT_SPEND 0.5", "CURRENT_SPEND 0.8", "CURRENT_SPEND 1", "FORECASTED_SPEND 1",
    ]
    error_message = "told at 50, 80 and 100 % of what was spent and 100 % of what is forecast"
  }
  assert {
    condition     = google_billing_budget.this.amount[0].specified_amount[0].units == "300" && google_billing_budget.this.budget_filter[0].projects == toset(["projects/123456789012"])
    error_message = "the limit is that of this project"
  }
  assert {
    condition     = toset([for channel in google_monitoring_notification_channel.this : channel.labels.email_address]) == toset(["ada@example.com", "ops@example.com"])
    error_message = "each address is told"
  }
}

run "a_budget_with_a_fraction" {
  command = plan
  module {
    source = "./modules/budget"
  }
  variables {
    this = { name = "x", billing_account = "01ABCD-2EF345-6789AB", project_number = "123456789012", amount = 300.5, emails = ["a@b.c"] }
  }
  assert {
    condition     = google_billing_budget.this.amount[0].specified_amount[0].units == "301"
    error_message = "whole units, as README.md says"
  }
}

run "a_budget_for_too_many" {
  command = plan
  module {
    source = "./modules/budget"
  }
  variables {
    this = { name = "x", billing_account = "01ABCD-2EF345-6789AB", project_number = "123456789012", amount = 1, emails = ["a@b.c", "b@b.c", "c@b.c", "d@b.c", "e@b.c", "f@b.c"] }
  }
  expect_failures = [var.this]
}

run "prod" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = {
      name               = "energy-usage-prod", project_id = "acme-ml-prod", region = "europe-west4"
      network            = "network", subnetwork = "subnetwork", repository = "energy-usage-prod", kms_key_id = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
      kubernetes_version = "1.34", authorized_cidrs = [], deletion_protection = true, security_group = "gke-security-groups@example.com"
    }
    node_pools = { cpu = { machine_types = ["e2-standard-4"], min = 3, max = 9, disk_gb = 100, accelerator = null } }
  }
  assert {
    condition     = google_container_cluster.this.control_plane_endpoints_config[0].ip_endpoints_config[0].enabled == false
    error_message = "the API server has no address"
  }
  assert {
    condition     = google_container_cluster.this.control_plane_endpoints_config[0].dns_endpoint_config[0].allow_external_traffic
    error_message = "its name at Google's front end is the only way"
  }
  assert {
    condition     = length(google_container_cluster.this.master_authorized_networks_config) == 0
    error_message = "nobody is authorized by an address"
  }
  assert {
    condition     = google_container_cluster.this.private_cluster_config[0].enable_private_nodes
    error_message = "nodes have no public address"
  }
  assert {
    condition     = google_container_cluster.this.deletion_protection
    error_message = "the cluster refuses to be deleted"
  }
  assert {
    condition     = google_container_cluster.this.datapath_provider == "ADVANCED_DATAPATH" && google_container_cluster.this.enable_intranode_visibility
    error_message = "network policies are enforced, and what flows inside a node is seen"
  }
  assert {
    condition     = google_container_cluster.this.workload_identity_config[0].workload_pool == "acme-ml-prod.svc.id.goog"
    error_message = "pods have identities of their own"
  }
  assert {
    condition     = google_container_cluster.this.database_encryption[0].state == "ENCRYPTED" && google_container_cluster.this.database_encryption[0].key_name == var.this.kms_key_id
    error_message = "secrets are encrypted with our key"
  }
  assert {
    condition     = google_container_cluster.this.anonymous_authentication_config[0].mode == "LIMITED"
    error_message = "who is nobody sees health checks only"
  }
  assert {
    condition = (
      google_container_cluster.this.rbac_binding_config[0].enable_insecure_binding_system_authenticated == false &&
      google_container_cluster.this.rbac_binding_config[0].enable_insecure_binding_system_unauthenticated == false
    )
    error_message = "no role can be bound to everybody"
  }
  assert {
    condition     = google_container_cluster.this.master_auth[0].client_certificate_config[0].issue_client_certificate == false
    error_message = "there is no client certificate"
  }
  assert {
    condition     = google_container_cluster.this.authenticator_groups_config[0].security_group == "gke-security-groups@example.com"
    error_message = "roles may be bound to groups"
  }
  assert {
    condition     = google_container_cluster.this.release_channel[0].channel == "REGULAR" && google_container_cluster.this.min_master_version == "1.34"
    error_message = "the release channel goes on from the version asked for"
  }
  assert {
    condition     = google_container_cluster.this.maintenance_policy[0].daily_maintenance_window[0].start_time == "02:00"
    error_message = "upgrades come at night"
  }
  assert {
    condition     = length(setsubtract(["APISERVER", "CONTROLLER_MANAGER", "SCHEDULER", "WORKLOADS"], google_container_cluster.this.logging_config[0].enable_components)) == 0
    error_message = "the control plane and the workloads are logged"
  }
  assert {
    condition     = google_container_cluster.this.binary_authorization[0].evaluation_mode == "PROJECT_SINGLETON_POLICY_ENFORCE"
    error_message = "the project's policy decides about images"
  }
  assert {
    condition     = google_container_cluster.this.remove_default_node_pool && google_container_cluster.this.node_config[0].shielded_instance_config[0].enable_secure_boot
    error_message = "the first pool goes, and is no weaker while it is there"
  }
  assert {
    condition     = google_project_iam_member.nodes.role == "roles/container.defaultNodeServiceAccount" && google_artifact_registry_repository_iam_member.nodes.role == "roles/artifactregistry.reader"
    error_message = "nodes write logs and metrics and pull images"
  }
}

run "dev" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = {
      name               = "energy-usage-dev", project_id = "acme-ml-dev", region = "europe-west4"
      network            = "network", subnetwork = "subnetwork", repository = "energy-usage-dev", kms_key_id = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
      kubernetes_version = "1.34", authorized_cidrs = ["203.0.113.0/24"], deletion_protection = false, security_group = ""
    }
    node_pools = { cpu = { machine_types = ["e2-standard-4"], min = 1, max = 3, disk_gb = 100, accelerator = null } }
  }
  assert {
    condition = (
      google_container_cluster.this.control_plane_endpoints_config[0].ip_endpoints_config[0].enabled &&
      google_container_cluster.this.control_plane_endpoints_config[0].dns_endpoint_config[0].allow_external_traffic == false
    )
    error_message = "the address is open and the name closed"
  }
  assert {
    condition = (
      [for range in google_container_cluster.this.master_authorized_networks_config[0].cidr_blocks : range.cidr_block] == ["203.0.113.0/24"] &&
      google_container_cluster.this.master_authorized_networks_config[0].gcp_public_cidrs_access_enabled == false
    )
    error_message = "open to the authorized ranges, and not to all of Google Cloud"
  }
  assert {
    condition     = google_container_cluster.this.deletion_protection == false && length(google_container_cluster.this.authenticator_groups_config) == 0
    error_message = "dev may go, and groups are left out where there are none"
  }
  assert {
    condition     = google_container_cluster.this.private_cluster_config[0].enable_private_nodes
    error_message = "nodes have no public address in dev either"
  }
  assert {
    condition     = keys(google_container_node_pool.this) == ["cpu"] && length(google_container_node_pool.this["cpu"].node_config[0].taint) == 0
    error_message = "one pool, which takes everything"
  }
  assert {
    condition     = google_container_node_pool.this["cpu"].node_config[0].labels == tomap({ "mlops-template.io/pool" = "cpu" })
    error_message = "the pool's label is the same in every cloud"
  }
  assert {
    condition     = google_container_node_pool.this["cpu"].autoscaling[0].total_min_node_count == 1 && google_container_node_pool.this["cpu"].autoscaling[0].total_max_node_count == 3
    error_message = "min and max count the whole pool and not each zone"
  }
}

run "pools_cpu_spot" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = {
      name               = "x-dev", project_id = "acme-ml-dev", region = "europe-west4", network = "n", subnetwork = "s", repository = "r", kms_key_id = "k"
      kubernetes_version = "1.34", authorized_cidrs = [], deletion_protection = false, security_group = ""
    }
    node_pools = {
      cpu  = { machine_types = ["e2-standard-4"], min = 1, max = 3, disk_gb = 100, accelerator = null }
      spot = { machine_types = ["e2-standard-8"], min = 0, max = 5, disk_gb = 100, accelerator = null }
    }
  }
  assert {
    condition     = keys(google_container_node_pool.this) == ["cpu", "spot"]
    error_message = "two pools"
  }
  assert {
    condition     = google_container_node_pool.this["spot"].node_config[0].spot && google_container_node_pool.this["cpu"].node_config[0].spot == false
    error_message = "only spot nodes may vanish"
  }
  assert {
    condition     = [for taint in google_container_node_pool.this["spot"].node_config[0].taint : "${taint.key}=${taint.value}:${taint.effect}"] == ["mlops-template.io/spot=true:NO_SCHEDULE"]
    error_message = "and take only who tolerates that"
  }
  assert {
    condition     = google_container_node_pool.this["spot"].initial_node_count == 0
    error_message = "a pool that may be empty begins so"
  }
}

run "pools_cpu_gpu" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = {
      name               = "x-dev", project_id = "acme-ml-dev", region = "europe-west4", network = "n", subnetwork = "s", repository = "r", kms_key_id = "k"
      kubernetes_version = "1.34", authorized_cidrs = [], deletion_protection = false, security_group = ""
    }
    node_pools = {
      cpu = { machine_types = ["e2-standard-4"], min = 1, max = 3, disk_gb = 100, accelerator = null }
      gpu = { machine_types = ["g2-standard-8"], min = 0, max = 2, disk_gb = 200, accelerator = { type = "nvidia-l4", count = 1 } }
    }
  }
  assert {
    condition     = keys(google_container_node_pool.this) == ["cpu", "gpu"]
    error_message = "two pools"
  }
  assert {
    condition     = [for taint in google_container_node_pool.this["gpu"].node_config[0].taint : "${taint.key}=${taint.value}:${taint.effect}"] == ["nvidia.com/gpu=present:NO_SCHEDULE"]
    error_message = "a GPU is kept for who asks for one"
  }
  assert {
    condition = (
      google_container_node_pool.this["gpu"].node_config[0].guest_accelerator[0].type == "nvidia-l4" &&
      length(google_container_node_pool.this["gpu"].node_config[0].guest_accelerator[0].gpu_driver_installation_config) == 1 &&
      length(google_container_node_pool.this["cpu"].node_config[0].guest_accelerator) == 0
    )
    error_message = "the GPU is there with its driver, and only there"
  }
}

run "pools_all" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = {
      name               = "x-dev", project_id = "acme-ml-dev", region = "europe-west4", network = "n", subnetwork = "s", repository = "r", kms_key_id = "k"
      kubernetes_version = "1.34", authorized_cidrs = [], deletion_protection = false, security_group = ""
    }
    node_pools = {
      cpu  = { machine_types = ["e2-standard-4"], min = 1, max = 3, disk_gb = 100, accelerator = null }
      spot = { machine_types = ["e2-standard-8"], min = 0, max = 5, disk_gb = 100, accelerator = null }
      gpu  = { machine_types = ["g2-standard-8"], min = 0, max = 2, disk_gb = 200, accelerator = { type = "nvidia-l4", count = 1 } }
    }
  }
  assert {
    condition     = keys(google_container_node_pool.this) == ["cpu", "gpu", "spot"]
    error_message = "three pools"
  }
  assert {
    condition = alltrue([
      for pool in google_container_node_pool.this :
      pool.node_config[0].shielded_instance_config[0].enable_secure_boot && pool.node_config[0].shielded_instance_config[0].enable_integrity_monitoring
    ])
    error_message = "every node boots what is signed, and says so"
  }
  assert {
    condition     = alltrue([for pool in google_container_node_pool.this : pool.node_config[0].workload_metadata_config[0].mode == "GKE_METADATA"])
    error_message = "no pod gets at its node's identity"
  }
  assert {
    condition     = alltrue([for pool in google_container_node_pool.this : pool.node_config[0].boot_disk_kms_key == "k"])
    error_message = "every disk is encrypted with our key"
  }
  assert {
    condition = alltrue([
      for pool in google_container_node_pool.this :
      pool.node_config[0].metadata["disable-legacy-endpoints"] == "true" && pool.node_config[0].kubelet_config[0].insecure_kubelet_readonly_port_enabled == "FALSE"
    ])
    error_message = "what asks for no login is closed"
  }
  assert {
    condition     = alltrue([for pool in google_container_node_pool.this : pool.management[0].auto_repair && pool.management[0].auto_upgrade])
    error_message = "nodes are repaired and upgraded"
  }
}

run "a_pool_of_two_types" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = {
      name               = "x-dev", project_id = "acme-ml-dev", region = "europe-west4", network = "n", subnetwork = "s", repository = "r", kms_key_id = "k"
      kubernetes_version = "1.34", authorized_cidrs = [], deletion_protection = false, security_group = ""
    }
    node_pools = { cpu = { machine_types = ["e2-standard-4", "e2-standard-8"], min = 1, max = 3, disk_gb = 100, accelerator = null } }
  }
  expect_failures = [var.node_pools]
}

run "a_gpu_pool_without_gpu" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    this = {
      name               = "x-dev", project_id = "acme-ml-dev", region = "europe-west4", network = "n", subnetwork = "s", repository = "r", kms_key_id = "k"
      kubernetes_version = "1.34", authorized_cidrs = [], deletion_protection = false, security_group = ""
    }
    node_pools = {
      cpu = { machine_types = ["e2-standard-4"], min = 1, max = 3, disk_gb = 100, accelerator = null }
      gpu = { machine_types = ["g2-standard-8"], min = 0, max = 2, disk_gb = 200, accelerator = null }
    }
  }
  expect_failures = [var.node_pools]
}
