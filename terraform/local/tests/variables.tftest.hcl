# What is refused, variable by variable; the clouds have the same rules.
variables {
  project            = "demand-forecast"
  environment        = "prod"
  kubernetes_version = "1.34"
  authorized_cidrs   = []
  budget             = { amount = 500, emails = ["team@example.org"] }
  kubeconfig         = "tests/kubeconfig.yaml"
  context            = "inline"
}

run "project_in_capitals" {
  command = plan
  variables {
    project = "Demand-Forecast"
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

run "kubernetes_version_with_patch" {
  command = plan
  variables {
    kubernetes_version = "1.34.2"
  }
  expect_failures = [var.kubernetes_version]
}

run "network_public" {
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

run "services_inside_the_network" {
  command = plan
  variables {
    service_cidr = "10.20.0.0/17"
  }
  expect_failures = [var.service_cidr]
}

run "everybody" {
  command = plan
  variables {
    environment      = "dev"
    authorized_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.authorized_cidrs]
}

run "half_of_everybody" {
  command = plan
  variables {
    environment      = "dev"
    authorized_cidrs = ["0.0.0.0/1"]
  }
  expect_failures = [var.authorized_cidrs]
}

run "public_in_prod" {
  command = plan
  variables {
    authorized_cidrs = ["203.0.113.0/24"]
  }
  expect_failures = [var.authorized_cidrs]
}

run "no_cpu_pool" {
  command = plan
  variables {
    node_pools = { spot = { machine_types = ["x"], min = 0, max = 1 } }
  }
  expect_failures = [var.node_pools]
}

run "unknown_pool" {
  command = plan
  variables {
    node_pools = { cpu = { machine_types = ["x"], min = 1, max = 1 }, fast = { machine_types = ["x"], min = 0, max = 1 } }
  }
  expect_failures = [var.node_pools]
}

run "pool_without_machines" {
  command = plan
  variables {
    node_pools = { cpu = { machine_types = [], min = 1, max = 1 } }
  }
  expect_failures = [var.node_pools]
}

run "pool_without_a_node" {
  command = plan
  variables {
    node_pools = { cpu = { machine_types = ["x"], min = 0, max = 1 } }
  }
  expect_failures = [var.node_pools]
}

run "workload_that_may_do_all" {
  command = plan
  variables {
    workloads = { a = { service_account = "a", access = "admin" } }
  }
  expect_failures = [var.workloads]
}

run "workload_with_a_wildcard" {
  command = plan
  variables {
    workloads = { a = { service_account = "*", access = "read" } }
  }
  expect_failures = [var.workloads]
}

run "everybody_reads" {
  command = plan
  variables {
    artifact_readers = ["allUsers"]
  }
  expect_failures = [var.artifact_readers]
}

run "any_reader" {
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
    budget = { amount = 1, emails = [] }
  }
  expect_failures = [var.budget]
}

run "budget_for_no_address" {
  command = plan
  variables {
    budget = { amount = 1, emails = ["team"] }
  }
  expect_failures = [var.budget]
}

run "retention_of_a_day" {
  command = plan
  variables {
    log_retention_days = 1
  }
  expect_failures = [var.log_retention_days]
}

run "label_that_some_cloud_refuses" {
  command = plan
  variables {
    labels = { Team = "a" }
  }
  expect_failures = [var.labels]
}

run "region_of_no_cloud" {
  command = plan
  variables {
    region = "Frankfurt am Main"
  }
  expect_failures = [var.region]
}
