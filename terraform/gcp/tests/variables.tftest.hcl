# What is refused. A run gives several variables a bad value at once, and each of them must be refused, no other.
# What is checked against another variable is looked at only while that one is good: hence the runs by themselves.
mock_provider "google" {}

variables {
  project            = "energy-usage"
  environment        = "dev"
  kubernetes_version = "1.34"
  region             = "europe-west4"
  project_id         = "acme-ml-dev"
  project_number     = "123456789012"
  billing_account    = "01ABCD-2EF345-6789AB"
  authorized_cidrs   = []
  budget             = { amount = 300, emails = ["ada@example.com"] }
}

run "good" {
  command = plan
}

run "good_at_the_edges" {
  command = plan
  variables {
    project          = "9-very-long-name-of-a-project-0123456789"
    region           = "northamerica-northeast1"
    network_cidr     = "192.168.0.0/20"
    service_cidr     = "172.20.0.0/20"
    pod_cidr         = "100.64.0.0/10"
    authorized_cidrs = ["203.0.113.7/32", "198.51.0.0/16"]
    security_group   = "gke-security-groups@ml.example.com"
    labels           = { team = "ml", cost-centre = "" }
  }
  assert {
    condition     = output.cluster_name == "p9-very-long-nam-dev"
    error_message = "a name that Google would refuse is made one that it takes"
  }
}

run "first" {
  command = plan
  variables {
    project            = "Flight-Delay"
    kubernetes_version = "1.34.2"
    authorized_cidrs   = ["0.0.0.0/0"]
    node_pools         = { cpu = { machine_types = ["e2-standard-4"], min = 1, max = 3 }, tpu = { machine_types = ["ct5lp-hightpu-4t"], min = 0, max = 1 } }
    workloads          = { serving = { service_account = "serving", access = "admin" } }
    artifact_readers   = ["serviceAccount:*"]
    budget             = { amount = 0, emails = ["ada@example.com"] }
    log_retention_days = 7
    labels             = { Team = "ml" }
    region             = "europe-west4-a"
    project_id         = "Acme ML"
    project_number     = "acme-ml-dev"
    billing_account    = "billingAccounts/01ABCD-2EF345-6789AB"
    pod_cidr           = "10.64.0.0/24"
    security_group     = "admins@example.com"
  }
  expect_failures = [
    var.project, var.kubernetes_version, var.authorized_cidrs, var.node_pools, var.workloads, var.artifact_readers,
    var.budget, var.log_retention_days, var.labels, var.region, var.project_id, var.project_number, var.billing_account,
    var.pod_cidr, var.security_group,
  ]
}

run "second" {
  command = plan
  variables {
    project            = "a23456789012345678901234567890123456789012"
    kubernetes_version = "1"
    authorized_cidrs   = ["128.0.0.0/8"]
    node_pools         = { spot = { machine_types = ["e2-standard-4"], min = 1, max = 3 } }
    workloads          = { serving = { service_account = "*", access = "read" } }
    artifact_readers   = ["allUsers"]
    budget             = { amount = 100, emails = [] }
    labels             = { team = "machine learning" }
    region             = "eu-central-1"
    project_id         = "123456789012"
    pod_cidr           = "10.65.0.0/14"
  }
  expect_failures = [
    var.project, var.kubernetes_version, var.authorized_cidrs, var.node_pools, var.workloads, var.artifact_readers,
    var.budget, var.labels, var.region, var.project_id, var.pod_cidr,
  ]
}

run "third" {
  command = plan
  variables {
    project          = "energy-"
    authorized_cidrs = ["office"]
    node_pools       = { cpu = { machine_types = [], min = 1, max = 3 } }
    workloads        = { serving = { service_account = "serving", namespace = "*", access = "read" } }
    artifact_readers = ["allAuthenticatedUsers"]
    budget           = { amount = 100, emails = ["ada"] }
  }
  expect_failures = [
    var.project, var.authorized_cidrs, var.node_pools, var.workloads, var.artifact_readers, var.budget,
  ]
}

run "fourth" {
  command = plan
  variables {
    node_pools       = { cpu = { machine_types = ["e2-standard-4"], min = 4, max = 3 } }
    artifact_readers = [""]
  }
  expect_failures = [var.node_pools, var.artifact_readers]
}

run "fifth" {
  command = plan
  variables {
    node_pools = { cpu = { machine_types = ["e2-standard-4"], min = 1, max = 3, disk_gb = 20 } }
  }
  expect_failures = [var.node_pools]
}

run "sixth" {
  command = plan
  variables {
    node_pools = { cpu = { machine_types = ["e2-standard-4"], min = 0, max = 3 } }
  }
  expect_failures = [var.node_pools]
}

run "network_first" {
  command = plan
  variables {
    network_cidr = "8.8.0.0/16"
    environment  = "test"
  }
  expect_failures = [var.network_cidr, var.environment]
}

run "network_second" {
  command = plan
  variables {
    network_cidr = "10.20.0.0/24"
  }
  expect_failures = [var.network_cidr]
}

run "network_third" {
  command = plan
  variables {
    network_cidr = "10.20.1.0/16"
  }
  expect_failures = [var.network_cidr]
}

run "services_first" {
  command = plan
  variables {
    service_cidr = "10.0.0.0/8"
  }
  expect_failures = [var.service_cidr]
}

run "services_second" {
  command = plan
  variables {
    service_cidr = "10.96.1.0/16"
  }
  expect_failures = [var.service_cidr]
}

run "services_in_the_network" {
  command = plan
  variables {
    service_cidr = "10.20.0.0/20"
  }
  expect_failures = [var.service_cidr]
}

run "pods_in_the_network" {
  command = plan
  variables {
    pod_cidr = "10.20.0.0/18"
  }
  expect_failures = [var.pod_cidr]
}

run "pods_around_the_network" {
  command = plan
  variables {
    pod_cidr = "10.16.0.0/12"
  }
  expect_failures = [var.pod_cidr]
}

run "pods_around_the_services" {
  command = plan
  variables {
    pod_cidr = "10.96.0.0/14"
  }
  expect_failures = [var.pod_cidr]
}

run "opened_in_staging" {
  command = plan
  variables {
    environment      = "staging"
    authorized_cidrs = ["203.0.113.0/24"]
  }
  expect_failures = [var.authorized_cidrs]
}

run "opened_in_prod" {
  command = plan
  variables {
    environment      = "prod"
    authorized_cidrs = ["203.0.113.0/24"]
  }
  expect_failures = [var.authorized_cidrs]
}
