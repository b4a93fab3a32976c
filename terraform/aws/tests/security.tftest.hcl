# What is secure without being asked for. Each module by itself, since a test sees no resource inside a module of the root;
# planned on the provider itself, so that each value is the configuration's own.
provider "aws" {
  region = "eu-central-1"
}

variables {
  this = {
    name               = "energy-usage-prod"
    region             = "eu-central-1"
    account_id         = "111122223333"
    role_path          = "/energy-usage/prod/"
    boundary           = "arn:aws:iam::111122223333:policy/energy-usage-prod-boundary"
    network_cidr       = "10.20.0.0/16"
    service_cidr       = "10.96.0.0/16"
    zones              = ["a", "b", "c"]
    authorized_cidrs   = []
    kubernetes_version = "1.34"
    log_retention_days = 90
    access             = { ci = { principal = "arn:aws:iam::111122223333:role/ci/deploy", policy = "Admin", namespaces = ["energy-usage-prod"] } }
    node_pools = {
      cpu  = { machine_types = ["m7i.xlarge"], min = 1, max = 3, disk_gb = 100 }
      spot = { machine_types = ["m7i.xlarge", "m6i.xlarge"], min = 0, max = 5, disk_gb = 100 }
      gpu  = { machine_types = ["g6.xlarge"], min = 0, max = 2, disk_gb = 200 }
    }
    deletion_protection = true
    subnet_ids          = ["subnet-a", "subnet-b", "subnet-c"]
    bucket              = "energy-usage-prod-111122223333"
    bucket_arn          = "arn:aws:s3:::energy-usage-prod-111122223333"
    kms_key_arn         = "arn:aws:kms:eu-central-1:111122223333:key/k"
    readers             = ["arn:aws:iam::444455556666:role/ci/next"]
    roles = {
      cluster   = "arn:aws:iam::111122223333:role/c", nodes = "arn:aws:iam::111122223333:role/n", serving = "arn:aws:iam::111122223333:role/s"
      flow-logs = "arn:aws:iam::111122223333:role/energy-usage/prod/energy-usage-prod-flow-logs"
    }
    pods = { serving = { namespace = "energy-usage-prod", service_account = "serving" } }
    workloads = {
      training = { service_account = "training", namespace = "energy-usage-prod", access = "write" }
      serving  = { service_account = "serving", namespace = "energy-usage-prod", access = "read" }
    }
    folder = "energy-usage/prod"
    images = ["energy-usage-serving"]
    amount = 500
    emails = ["team@example.org"]
  }
}

run "storage" {
  command = plan
  module { source = "./modules/storage" }
  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "the key is rotated, and its deletion can be called off for a month"
  }
  assert {
    condition = alltrue([for statement in jsondecode(aws_kms_key.this.policy).Statement :
      statement.Principal != "*" && try(statement.Principal.AWS, "") != "*" && (jsonencode(statement.Action) != "\"kms:*\"" || try(statement.Principal.AWS, "") == "arn:aws:iam::111122223333:root")
    ])
    error_message = "nobody in general has the key; all of it only the account itself"
  }
  assert {
    condition     = jsonencode([for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Action if try(statement.Principal.AWS, "") == "arn:aws:iam::444455556666:role/ci/next"]) == jsonencode(["kms:Decrypt"])
    error_message = "a reader of artifacts decrypts and no more"
  }
  assert {
    condition     = alltrue([for rule in aws_s3_bucket_server_side_encryption_configuration.this.rule : rule.bucket_key_enabled && rule.apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"])
    error_message = "the bucket is encrypted by KMS, with a bucket key"
  }
  assert {
    condition = (aws_s3_bucket_public_access_block.this.block_public_acls && aws_s3_bucket_public_access_block.this.block_public_policy &&
    aws_s3_bucket_public_access_block.this.ignore_public_acls && aws_s3_bucket_public_access_block.this.restrict_public_buckets)
    error_message = "the bucket cannot be made public"
  }
  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled" && aws_s3_bucket.this.force_destroy == false
    error_message = "what is overwritten or deleted stays for a while, and Terraform does not empty the bucket"
  }
  assert {
    condition     = aws_s3_bucket_notification.this.eventbridge && aws_s3_bucket_ownership_controls.this.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "no ACLs, and what happens can be heard"
  }
  assert {
    condition = jsonencode([for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : [statement.Action, statement.Condition] if statement.Effect == "Deny"]) == jsonencode([
      ["s3:*", { Bool = { "aws:SecureTransport" = "false" } }], ["s3:*", { NumericLessThan = { "s3:TlsVersion" = "1.2" } }]
    ])
    error_message = "without TLS 1.2 the bucket answers nobody"
  }
  assert {
    condition     = jsonencode([for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : [statement.Principal.AWS, statement.Action] if statement.Effect == "Allow"]) == jsonencode([["arn:aws:iam::444455556666:role/ci/next", ["s3:GetObject", "s3:ListBucket"]]])
    error_message = "who is let in reads"
  }
}

run "storage_of_the_state" {
  command = plan
  module { source = "./modules/storage" }
  variables {
    this = { bucket = "energy-usage-prod-state", region = "eu-central-1", account_id = "111122223333" }
  }
  assert {
    condition     = length(jsondecode(aws_kms_key.this.policy).Statement) == 1 && length(jsondecode(aws_s3_bucket_policy.this.policy).Statement) == 2
    error_message = "the key of a state serves no cluster and no reader, and its bucket lets nobody in"
  }
}

run "way_to_s3" {
  command = plan
  module { source = "./modules/network" }
  override_resource {
    target          = aws_default_route_table.this
    override_during = plan
    values          = { id = "rtb-main" }
  }
  assert {
    condition     = aws_vpc_endpoint.s3.service_name == "com.amazonaws.eu-central-1.s3" && aws_vpc_endpoint.s3.route_table_ids == toset(["rtb-main"])
    error_message = "from every subnet S3 is reached by the endpoint, which is not paid by the GB"
  }
}

run "network" {
  command = plan
  module { source = "./modules/network" }
  assert {
    condition     = join(" ", [for subnet in aws_subnet.this : subnet.cidr_block]) == "10.20.0.0/18 10.20.64.0/18 10.20.128.0/18" && alltrue([for subnet in aws_subnet.this : subnet.map_public_ip_on_launch != true])
    error_message = "a large subnet in each zone, none with public addresses"
  }
  assert {
    condition     = alltrue([for route in aws_default_route_table.this.route : route.gateway_id == null || route.gateway_id == ""]) && aws_nat_gateway.this.availability_mode == "regional"
    error_message = "no subnet has a route to the internet gateway: the NAT gateway is the only way out"
  }
  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.this.retention_in_days == 90 && aws_cloudwatch_log_group.this.kms_key_id == var.this.kms_key_arn
    error_message = "all traffic is recorded, encrypted and kept as long as said"
  }
}

run "cluster" {
  command = plan
  module { source = "./modules/cluster" }
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "the API server is private"
  }
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions == false
    error_message = "access entries alone say who may use the API, and who made the cluster is not one"
  }
  assert {
    condition     = aws_eks_access_policy_association.this["ci"].access_scope[0].type == "namespace" && aws_eks_access_policy_association.this["ci"].policy_arn == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminPolicy"
    error_message = "an entry with namespaces holds there only"
  }
  assert {
    condition     = one(aws_eks_cluster.this.encryption_config[0].resources) == "secrets" && aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == var.this.kms_key_arn
    error_message = "secrets are encrypted by the environment's key"
  }
  assert {
    condition     = length(aws_eks_cluster.this.enabled_cluster_log_types) == 5 && aws_cloudwatch_log_group.this.kms_key_id == var.this.kms_key_arn && aws_cloudwatch_log_group.this.retention_in_days == 90
    error_message = "all five logs of the control plane are kept, encrypted"
  }
  assert {
    condition     = aws_eks_cluster.this.deletion_protection
    error_message = "the cluster refuses to be deleted"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.api.cidr_ipv4 == "10.20.0.0/16" && aws_vpc_security_group_ingress_rule.api.from_port == 443 && aws_vpc_security_group_ingress_rule.api.to_port == 443
    error_message = "the API server is reached from inside the network, on its port"
  }
  assert {
    condition     = alltrue([for template in aws_launch_template.this : template.metadata_options[0].http_tokens == "required" && template.metadata_options[0].http_put_response_hop_limit == 1])
    error_message = "IMDSv2 only, and not for pods"
  }
  assert {
    condition     = alltrue(flatten([for template in aws_launch_template.this : [for disk in template.block_device_mappings : disk.ebs[0].encrypted == "true" && disk.ebs[0].kms_key_id == var.this.kms_key_arn]])) && length(aws_launch_template.this["cpu"].block_device_mappings) == 2
    error_message = "both disks of a node are encrypted by the environment's key"
  }
  assert {
    condition     = alltrue([for template in aws_launch_template.this : template.key_name == null && length(template.network_interfaces) == 0]) && alltrue([for group in aws_eks_node_group.this : length(group.remote_access) == 0])
    error_message = "no SSH"
  }
  assert {
    condition     = contains(keys(aws_eks_addon.this), "eks-pod-identity-agent") && jsondecode(aws_eks_addon.this["vpc-cni"].configuration_values).enableNetworkPolicy == "true"
    error_message = "Pod Identity has its agent, and NetworkPolicies are enforced"
  }
  assert {
    condition     = aws_eks_pod_identity_association.this["serving"].namespace == "energy-usage-prod" && aws_eks_pod_identity_association.this["serving"].service_account == "serving"
    error_message = "a role goes to one service account of one namespace"
  }
}

run "cluster_of_dev" {
  command = plan
  module { source = "./modules/cluster" }
  variables {
    this = merge(var.this, { name = "energy-usage-dev", authorized_cidrs = ["203.0.113.0/24"], deletion_protection = false })
  }
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access && toset(aws_eks_cluster.this.vpc_config[0].public_access_cidrs) == toset(["203.0.113.0/24"]) && aws_eks_cluster.this.vpc_config[0].endpoint_private_access
    error_message = "open to the ranges that are named and to the nodes"
  }
  assert {
    condition     = aws_eks_cluster.this.deletion_protection == false
    error_message = "dev may go"
  }
}

run "pools_cpu" {
  command = plan
  module { source = "./modules/cluster" }
  variables {
    this = merge(var.this, { node_pools = { for name, pool in var.this.node_pools : name => pool if contains(["cpu"], name) } })
  }
  assert {
    condition     = toset(keys(aws_eks_node_group.this)) == toset(["cpu"]) && toset(keys(aws_launch_template.this)) == toset(["cpu"])
    error_message = "a pool is there when its key is"
  }
  assert {
    condition     = alltrue([for name, group in aws_eks_node_group.this : group.labels == tomap({ "mlops-template.io/pool" = name })])
    error_message = "nodes are labelled with their pool"
  }
  assert {
    condition = jsonencode({ for name, group in aws_eks_node_group.this : name => [for taint in group.taint : "${taint.key}=${taint.value}:${taint.effect}"] }) == jsonencode({
      for name, taints in { cpu = [], spot = ["mlops-template.io/spot=true:NO_SCHEDULE"], gpu = ["nvidia.com/gpu=present:NO_SCHEDULE"] } : name => taints if contains(["cpu"], name)
    })
    error_message = "spot and gpu are tainted, cpu is not"
  }
  assert {
    condition     = alltrue([for name, group in aws_eks_node_group.this : group.capacity_type == (name == "spot" ? "SPOT" : "ON_DEMAND") && group.ami_type == (name == "gpu" ? "BOTTLEROCKET_x86_64_NVIDIA" : "BOTTLEROCKET_x86_64")])
    error_message = "spot capacity for spot only, NVIDIA's driver for gpu only"
  }
}

run "pools_cpu_and_spot" {
  command = plan
  module { source = "./modules/cluster" }
  variables {
    this = merge(var.this, { node_pools = { for name, pool in var.this.node_pools : name => pool if contains(["cpu", "spot"], name) } })
  }
  assert {
    condition     = toset(keys(aws_eks_node_group.this)) == toset(["cpu", "spot"]) && toset(keys(aws_launch_template.this)) == toset(["cpu", "spot"])
    error_message = "a pool is there when its key is"
  }
  assert {
    condition     = alltrue([for name, group in aws_eks_node_group.this : group.labels == tomap({ "mlops-template.io/pool" = name })])
    error_message = "nodes are labelled with their pool"
  }
  assert {
    condition = jsonencode({ for name, group in aws_eks_node_group.this : name => [for taint in group.taint : "${taint.key}=${taint.value}:${taint.effect}"] }) == jsonencode({
      for name, taints in { cpu = [], spot = ["mlops-template.io/spot=true:NO_SCHEDULE"], gpu = ["nvidia.com/gpu=present:NO_SCHEDULE"] } : name => taints if contains(["cpu", "spot"], name)
    })
    error_message = "spot and gpu are tainted, cpu is not"
  }
  assert {
    condition     = alltrue([for name, group in aws_eks_node_group.this : group.capacity_type == (name == "spot" ? "SPOT" : "ON_DEMAND") && group.ami_type == (name == "gpu" ? "BOTTLEROCKET_x86_64_NVIDIA" : "BOTTLEROCKET_x86_64")])
    error_message = "spot capacity for spot only, NVIDIA's driver for gpu only"
  }
}

run "pools_cpu_and_gpu" {
  command = plan
  module { source = "./modules/cluster" }
  variables {
    this = merge(var.this, { node_pools = { for name, pool in var.this.node_pools : name => pool if contains(["cpu", "gpu"], name) } })
  }
  assert {
    condition     = toset(keys(aws_eks_node_group.this)) == toset(["cpu", "gpu"]) && toset(keys(aws_launch_template.this)) == toset(["cpu", "gpu"])
    error_message = "a pool is there when its key is"
  }
  assert {
    condition     = alltrue([for name, group in aws_eks_node_group.this : group.labels == tomap({ "mlops-template.io/pool" = name })])
    error_message = "nodes are labelled with their pool"
  }
  assert {
    condition = jsonencode({ for name, group in aws_eks_node_group.this : name => [for taint in group.taint : "${taint.key}=${taint.value}:${taint.effect}"] }) == jsonencode({
      for name, taints in { cpu = [], spot = ["mlops-template.io/spot=true:NO_SCHEDULE"], gpu = ["nvidia.com/gpu=present:NO_SCHEDULE"] } : name => taints if contains(["cpu", "gpu"], name)
    })
    error_message = "spot and gpu are tainted, cpu is not"
  }
  assert {
    condition     = alltrue([for name, group in aws_eks_node_group.this : group.capacity_type == (name == "spot" ? "SPOT" : "ON_DEMAND") && group.ami_type == (name == "gpu" ? "BOTTLEROCKET_x86_64_NVIDIA" : "BOTTLEROCKET_x86_64")])
    error_message = "spot capacity for spot only, NVIDIA's driver for gpu only"
  }
}

run "pools_all" {
  command = plan
  module { source = "./modules/cluster" }
  variables {
    this = merge(var.this, { node_pools = { for name, pool in var.this.node_pools : name => pool if contains(["cpu", "spot", "gpu"], name) } })
  }
  assert {
    condition     = toset(keys(aws_eks_node_group.this)) == toset(["cpu", "spot", "gpu"]) && toset(keys(aws_launch_template.this)) == toset(["cpu", "spot", "gpu"])
    error_message = "a pool is there when its key is"
  }
  assert {
    condition     = alltrue([for name, group in aws_eks_node_group.this : group.labels == tomap({ "mlops-template.io/pool" = name })])
    error_message = "nodes are labelled with their pool"
  }
  assert {
    condition = jsonencode({ for name, group in aws_eks_node_group.this : name => [for taint in group.taint : "${taint.key}=${taint.value}:${taint.effect}"] }) == jsonencode({
      for name, taints in { cpu = [], spot = ["mlops-template.io/spot=true:NO_SCHEDULE"], gpu = ["nvidia.com/gpu=present:NO_SCHEDULE"] } : name => taints if contains(["cpu", "spot", "gpu"], name)
    })
    error_message = "spot and gpu are tainted, cpu is not"
  }
  assert {
    condition     = alltrue([for name, group in aws_eks_node_group.this : group.capacity_type == (name == "spot" ? "SPOT" : "ON_DEMAND") && group.ami_type == (name == "gpu" ? "BOTTLEROCKET_x86_64_NVIDIA" : "BOTTLEROCKET_x86_64")])
    error_message = "spot capacity for spot only, NVIDIA's driver for gpu only"
  }
}

run "identity" {
  command = plan
  module { source = "./modules/identity" }
  assert {
    condition = jsonencode(jsondecode(aws_iam_role.this["serving"].assume_role_policy).Statement) == jsonencode([{
      Effect = "Allow", Principal = { Service = "pods.eks.amazonaws.com" }, Action = ["sts:AssumeRole", "sts:TagSession"]
      Condition = { StringEquals = {
        "aws:RequestTag/eks-cluster-arn"            = "arn:aws:eks:eu-central-1:111122223333:cluster/energy-usage-prod"
        "aws:RequestTag/kubernetes-namespace"       = "energy-usage-prod"
        "aws:RequestTag/kubernetes-service-account" = "serving"
      } }
    }])
    error_message = "the role is for one service account of one namespace of one cluster"
  }
  assert {
    condition     = jsonencode([for statement in jsondecode(aws_iam_role_policy.this["serving"].policy).Statement : statement.Action]) == jsonencode([["s3:ListBucket"], ["s3:GetObject"], ["kms:Decrypt"]])
    error_message = "read is reading"
  }
  assert {
    condition     = jsonencode([for statement in jsondecode(aws_iam_role_policy.this["training"].policy).Statement : statement.Action]) == jsonencode([["s3:ListBucket"], ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], ["kms:Decrypt", "kms:GenerateDataKey"]])
    error_message = "write is reading and writing"
  }
  assert {
    condition     = alltrue(flatten([for name in ["serving", "training"] : [for statement in jsondecode(aws_iam_role_policy.this[name].policy).Statement : contains([var.this.bucket_arn, "${var.this.bucket_arn}/*", var.this.kms_key_arn], statement.Resource)]]))
    error_message = "a workload has the artifacts and nothing else"
  }
  assert {
    condition     = toset([for key, attachment in aws_iam_role_policy_attachment.this : attachment.policy_arn if startswith(key, "nodes/")]) == toset(["arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy", "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"]) && !can(aws_iam_role_policy.this["nodes"])
    error_message = "nodes join and pull"
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.this : role.permissions_boundary == var.this.boundary && role.path == "/energy-usage/prod/"])
    error_message = "no role without the boundary, none outside of the environment's folder"
  }
  assert {
    condition     = alltrue(flatten([for policy in aws_iam_role_policy.this : [for statement in jsondecode(policy.policy).Statement : [for action in statement.Action : !endswith(action, ":*") && !startswith(action, "iam:")]]]))
    error_message = "no role has all of a service, or anything of IAM"
  }
}

run "registry" {
  command = plan
  module { source = "./modules/registry" }
  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.image_tag_mutability == "IMMUTABLE" && repository.image_scanning_configuration[0].scan_on_push && repository.encryption_configuration[0].encryption_type == "KMS" && repository.encryption_configuration[0].kms_key == var.this.kms_key_arn])
    error_message = "a tag stays what it was, images are scanned and encrypted by the environment's key"
  }
  assert {
    condition     = alltrue([for policy in aws_ecr_lifecycle_policy.this : join(" ", [for rule in jsondecode(policy.policy).rules : "${rule.rulePriority} ${rule.selection.tagStatus}"]) == "1 untagged"])
    error_message = "what nothing names goes"
  }
  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.force_delete])
    error_message = "a destroy does not stop at images"
  }
}

run "budget" {
  command = plan
  module { source = "./modules/budget" }
  assert {
    condition     = toset([for notification in aws_budgets_budget.this.notification : "${notification.notification_type} ${notification.threshold}"]) == toset(["ACTUAL 50", "ACTUAL 80", "ACTUAL 100", "FORECASTED 100"])
    error_message = "the team hears at 50, 80 and 100 %, and when 100 % is foreseen"
  }
  assert {
    condition     = alltrue([for notification in aws_budgets_budget.this.notification : toset(notification.subscriber_email_addresses) == toset(["team@example.org"])]) && aws_budgets_budget.this.limit_amount == "500"
    error_message = "the amount and the addresses are those that were given"
  }
}
