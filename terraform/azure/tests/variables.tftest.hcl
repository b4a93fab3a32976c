# Every validation of the root refuses what it should. Nothing is planned: the mock gives the schema alone.
mock_provider "azurerm" {
  mock_resource "azurerm_kubernetes_cluster" {
    defaults = { kubelet_identity = [{ object_id = "66666666-6666-6666-6666-666666666666" }] }
  }
}

variables {
  project            = "energy-usage"
  environment        = "dev"
  region             = "westeurope"
  kubernetes_version = "1.34"
  authorized_cidrs   = []
  budget             = { amount = 300, emails = ["ml@example.com"] }
  subscription_id    = "11111111-1111-1111-1111-111111111111"
  tenant_id          = "22222222-2222-2222-2222-222222222222"
  admin_group_ids    = ["33333333-3333-3333-3333-333333333333"]
}

run "values_that_are_right" {
  command = plan
}

run "project_with_capitals" {
  command = plan
  variables {
    project = "FlightDelay"
  }
  expect_failures = [var.project]
}

run "project_too_long" {
  command = plan
  variables {
    project = "a2345678901234567890123456789012345678901"
  }
  expect_failures = [var.project]
}

run "unknown_environment" {
  command = plan
  variables {
    environment = "test"
  }
  expect_failures = [var.environment]
}

run "kubernetes_patch_version" {
  command = plan
  variables {
    kubernetes_version = "1.34.2"
  }
  expect_failures = [var.kubernetes_version]
}

run "network_not_private" {
  command = plan
  variables {
    network_cidr = "8.8.0.0/16"
  }
  expect_failures = [var.network_cidr]
}

run "network_too_small" {
  command = plan
  variables {
    network_cidr = "10.20.0.0/24"
  }
  expect_failures = [var.network_cidr]
}

run "network_not_at_its_first_address" {
  command = plan
  variables {
    network_cidr = "10.20.1.0/16"
  }
  expect_failures = [var.network_cidr]
}

run "services_too_small" {
  command = plan
  variables {
    service_cidr = "10.96.0.0/24"
  }
  expect_failures = [var.service_cidr]
}

run "services_within_the_network" {
  command = plan
  variables {
    service_cidr = "10.20.128.0/17"
  }
  expect_failures = [var.service_cidr]
}

run "services_around_the_network" {
  command = plan
  variables {
    network_cidr = "10.20.0.0/20"
    service_cidr = "10.20.0.0/16"
  }
  expect_failures = [var.service_cidr]
}

run "endpoint_for_everybody" {
  command = plan
  variables {
    authorized_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.authorized_cidrs]
}

run "endpoint_for_no_range" {
  command = plan
  variables {
    authorized_cidrs = ["office"]
  }
  expect_failures = [var.authorized_cidrs]
}

run "endpoint_opened_in_prod" {
  command = plan
  variables {
    authorized_cidrs = ["203.0.113.0/24"]
    environment      = "prod"
  }
  expect_failures = [var.authorized_cidrs]
}

run "endpoint_opened_in_staging" {
  command = plan
  variables {
    authorized_cidrs = ["203.0.113.0/24"]
    environment      = "staging"
  }
  expect_failures = [var.authorized_cidrs]
}

run "unknown_node_pool" {
  command = plan
  variables {
    node_pools = {
      cpu = { machine_types = ["Standard_D4ds_v5"], min = 1, max = 3 }
      tpu = { machine_types = ["Standard_D4ds_v5"], min = 0, max = 3 }
    }
  }
  expect_failures = [var.node_pools]
}

run "no_cpu_pool" {
  command = plan
  variables {
    node_pools = { spot = { machine_types = ["Standard_D4ds_v5"], min = 0, max = 3 } }
  }
  expect_failures = [var.node_pools]
}

run "cpu_pool_down_to_zero" {
  command = plan
  variables {
    node_pools = { cpu = { machine_types = ["Standard_D4ds_v5"], min = 0, max = 3 } }
  }
  expect_failures = [var.node_pools]
}

run "pool_with_min_over_max" {
  command = plan
  variables {
    node_pools = { cpu = { machine_types = ["Standard_D4ds_v5"], min = 4, max = 3 } }
  }
  expect_failures = [var.node_pools]
}

run "pool_without_machine_type" {
  command = plan
  variables {
    node_pools = { cpu = { machine_types = [], min = 1, max = 3 } }
  }
  expect_failures = [var.node_pools]
}

run "unknown_access" {
  command = plan
  variables {
    workloads = { training = { service_account = "training", access = "admin" } }
  }
  expect_failures = [var.workloads]
}

run "service_account_with_wildcard" {
  command = plan
  variables {
    workloads = { training = { service_account = "*", access = "read" } }
  }
  expect_failures = [var.workloads]
}

run "namespace_with_wildcard" {
  command = plan
  variables {
    workloads = { training = { service_account = "training", namespace = "ml-*", access = "read" } }
  }
  expect_failures = [var.workloads]
}

run "reader_that_is_everybody" {
  command = plan
  variables {
    artifact_readers = ["allUsers"]
  }
  expect_failures = [var.artifact_readers]
}

run "reader_with_wildcard" {
  command = plan
  variables {
    artifact_readers = ["*"]
  }
  expect_failures = [var.artifact_readers]
}

run "budget_of_nothing" {
  command = plan
  variables {
    budget = { amount = 0, emails = ["ml@example.com"] }
  }
  expect_failures = [var.budget]
}

run "budget_without_address" {
  command = plan
  variables {
    budget = { amount = 300, emails = [] }
  }
  expect_failures = [var.budget]
}

run "budget_with_no_address" {
  command = plan
  variables {
    budget = { amount = 300, emails = ["ml"] }
  }
  expect_failures = [var.budget]
}

run "unknown_log_retention" {
  command = plan
  variables {
    log_retention_days = 45
  }
  expect_failures = [var.log_retention_days]
}

run "label_with_capitals" {
  command = plan
  variables {
    labels = { Team = "ml" }
  }
  expect_failures = [var.labels]
}

run "region_of_another_cloud" {
  command = plan
  variables {
    region = "eu-central-1"
  }
  expect_failures = [var.region]
}

run "region_in_words" {
  command = plan
  variables {
    region = "West Europe"
  }
  expect_failures = [var.region]
}

run "subscription_by_name" {
  command = plan
  variables {
    subscription_id = "ML Development"
  }
  expect_failures = [var.subscription_id]
}

run "tenant_by_domain" {
  command = plan
  variables {
    tenant_id = "example.onmicrosoft.com"
  }
  expect_failures = [var.tenant_id]
}

run "nobody_administers" {
  command = plan
  variables {
    admin_group_ids = []
  }
  expect_failures = [var.admin_group_ids]
}

run "administrators_by_name" {
  command = plan
  variables {
    admin_group_ids = ["ml-admins"]
  }
  expect_failures = [var.admin_group_ids]
}

run "unknown_zone" {
  command = plan
  variables {
    zones = ["a"]
  }
  expect_failures = [var.zones]
}

run "reader_subnet_by_name" {
  command = plan
  variables {
    artifact_reader_subnet_ids = ["nodes"]
  }
  expect_failures = [var.artifact_reader_subnet_ids]
}
