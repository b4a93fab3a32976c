# What the root refuses, variable by variable. Values are Terraform's own mocks: nothing is asked for.
mock_provider "aws" {}

variables {
  project            = "energy-usage"
  environment        = "prod"
  region             = "eu-central-1"
  account_id         = "111122223333"
  kubernetes_version = "1.34"
  authorized_cidrs   = []
  budget             = { amount = 500, emails = ["team@example.org"] }
}

run "project_in_capitals" {
  command = plan
  variables {
    project = "Flight-Delay"
  }
  expect_failures = [var.project]
}

run "project_too_long" {
  command = plan
  variables {
    project = "a23456789012345678901234567890123456789012"
  }
  expect_failures = [var.project]
}

run "environment_unknown" {
  command = plan
  variables {
    environment = "test"
  }
  expect_failures = [var.environment]
}

run "kubernetes_version_of_a_patch" {
  command = plan
  variables {
    kubernetes_version = "1.34.2"
  }
  expect_failures = [var.kubernetes_version]
}

run "network_cidr_public" {
  command = plan
  variables {
    network_cidr = "203.0.0.0/16"
  }
  expect_failures = [var.network_cidr]
}

run "network_cidr_too_small" {
  command = plan
  variables {
    network_cidr = "10.20.0.0/24"
  }
  expect_failures = [var.network_cidr]
}

run "network_cidr_not_its_first_address" {
  command = plan
  variables {
    network_cidr = "10.20.1.0/16"
  }
  expect_failures = [var.network_cidr]
}

run "service_cidr_too_small" {
  command = plan
  variables {
    service_cidr = "10.96.0.0/24"
  }
  expect_failures = [var.service_cidr]
}

run "service_cidr_overlaps" {
  command = plan
  variables {
    service_cidr = "10.20.64.0/18"
  }
  expect_failures = [var.service_cidr]
}

run "authorized_cidrs_everybody" {
  command = plan
  variables {
    environment      = "dev"
    authorized_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.authorized_cidrs]
}

run "authorized_cidrs_no_range" {
  command = plan
  variables {
    environment      = "dev"
    authorized_cidrs = ["office"]
  }
  expect_failures = [var.authorized_cidrs]
}

run "authorized_cidrs_in_prod" {
  command = plan
  variables {
    authorized_cidrs = ["203.0.113.0/24"]
  }
  expect_failures = [var.authorized_cidrs]
}

run "authorized_cidrs_in_staging" {
  command = plan
  variables {
    environment      = "staging"
    authorized_cidrs = ["203.0.113.0/24"]
  }
  expect_failures = [var.authorized_cidrs]
}

run "node_pools_unknown" {
  command = plan
  variables {
    node_pools = { cpu = { machine_types = ["m7i.xlarge"], min = 1, max = 3 }, big = { machine_types = ["m7i.8xlarge"], min = 0, max = 1 } }
  }
  expect_failures = [var.node_pools]
}

run "node_pools_without_cpu" {
  command = plan
  variables {
    node_pools = { gpu = { machine_types = ["g6.xlarge"], min = 0, max = 1 } }
  }
  expect_failures = [var.node_pools]
}

run "node_pools_min_above_max" {
  command = plan
  variables {
    node_pools = { cpu = { machine_types = ["m7i.xlarge"], min = 4, max = 3 } }
  }
  expect_failures = [var.node_pools]
}

run "node_pools_small_disk" {
  command = plan
  variables {
    node_pools = { cpu = { machine_types = ["m7i.xlarge"], min = 1, max = 3, disk_gb = 20 } }
  }
  expect_failures = [var.node_pools]
}

run "node_pools_cpu_to_zero" {
  command = plan
  variables {
    node_pools = { cpu = { machine_types = ["m7i.xlarge"], min = 0, max = 3 } }
  }
  expect_failures = [var.node_pools]
}

run "workloads_access_unknown" {
  command = plan
  variables {
    workloads = { serving = { service_account = "serving", access = "admin" } }
  }
  expect_failures = [var.workloads]
}

run "workloads_any_service_account" {
  command = plan
  variables {
    workloads = { serving = { service_account = "*", access = "read" } }
  }
  expect_failures = [var.workloads]
}

run "workloads_any_namespace" {
  command = plan
  variables {
    workloads = { serving = { service_account = "serving", namespace = "team-*", access = "read" } }
  }
  expect_failures = [var.workloads]
}

run "artifact_readers_wildcard" {
  command = plan
  variables {
    artifact_readers = ["arn:aws:iam::111122223333:role/*"]
  }
  expect_failures = [var.artifact_readers]
}

run "budget_of_nothing" {
  command = plan
  variables {
    budget = { amount = 0, emails = ["team@example.org"] }
  }
  expect_failures = [var.budget]
}

run "budget_that_tells_nobody" {
  command = plan
  variables {
    budget = { amount = 500, emails = [] }
  }
  expect_failures = [var.budget]
}

run "budget_without_an_address" {
  command = plan
  variables {
    budget = { amount = 500, emails = ["team"] }
  }
  expect_failures = [var.budget]
}

run "log_retention_days_odd" {
  command = plan
  variables {
    log_retention_days = 45
  }
  expect_failures = [var.log_retention_days]
}

run "labels_in_capitals" {
  command = plan
  variables {
    labels = { Team = "ml" }
  }
  expect_failures = [var.labels]
}

run "region_of_another_cloud" {
  command = plan
  variables {
    region = "europe-west4"
  }
  expect_failures = [var.region]
}

run "region_with_a_zone" {
  command = plan
  variables {
    region = "eu-central-1a"
  }
  expect_failures = [var.region]
}

run "account_id_short" {
  command = plan
  variables {
    account_id = "1111"
  }
  expect_failures = [var.account_id]
}

run "zones_too_few" {
  command = plan
  variables {
    zones = ["a"]
  }
  expect_failures = [var.zones]
}

run "zones_twice" {
  command = plan
  variables {
    zones = ["a", "a"]
  }
  expect_failures = [var.zones]
}

run "cluster_access_by_pattern" {
  command = plan
  variables {
    cluster_access = { all = { principal = "arn:aws:iam::111122223333:role/*", policy = "View" } }
  }
  expect_failures = [var.cluster_access]
}

run "cluster_access_unknown_policy" {
  command = plan
  variables {
    cluster_access = { ci = { principal = "arn:aws:iam::111122223333:role/ci", policy = "Owner" } }
  }
  expect_failures = [var.cluster_access]
}

run "workload_named_like_a_role_of_the_cluster" {
  command = plan
  module { source = "./modules/identity" }
  variables {
    this = {
      name       = "energy-usage-prod", region = "eu-central-1", account_id = "111122223333", role_path = "/energy-usage/prod/"
      boundary   = "arn:aws:iam::111122223333:policy/b", kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/k"
      bucket_arn = "arn:aws:s3:::b"
      workloads  = { nodes = { service_account = "nodes", namespace = "energy-usage-prod", access = "read" } }
    }
  }
  expect_failures = [var.this]
}

run "workload_with_too_long_a_name" {
  command = plan
  module { source = "./modules/identity" }
  variables {
    this = {
      name       = "energy-usage-prod", region = "eu-central-1", account_id = "111122223333", role_path = "/energy-usage/prod/"
      boundary   = "arn:aws:iam::111122223333:policy/b", kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/k"
      bucket_arn = "arn:aws:s3:::b"
      workloads  = { training-of-the-model-with-the-very-long-name-that-no-role-has = { service_account = "training", namespace = "energy-usage-prod", access = "read" } }
    }
  }
  expect_failures = [var.this]
}

run "what_is_left_out_has_a_default" {
  command = plan
}
