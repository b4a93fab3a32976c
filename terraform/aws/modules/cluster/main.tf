resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/eks/${var.this.name}/cluster" # the name that EKS writes to
  retention_in_days = var.this.log_retention_days
  kms_key_id        = var.this.kms_key_arn
}

resource "aws_eks_cluster" "this" {
  name                          = var.this.name
  version                       = var.this.kubernetes_version
  role_arn                      = var.this.roles["cluster"]
  deletion_protection           = var.this.deletion_protection
  enabled_cluster_log_types     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  bootstrap_self_managed_addons = false
  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = false # who made it has no more than `access` says
  }
  encryption_config {
    resources = ["secrets"]
    provider { key_arn = var.this.kms_key_arn }
  }
  kubernetes_network_config { service_ipv4_cidr = var.this.service_cidr }
  upgrade_policy { support_type = "STANDARD" } # the extended support of an old version costs six times as much
  vpc_config {
    subnet_ids              = var.this.subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = length(var.this.authorized_cidrs) > 0
    public_access_cidrs     = length(var.this.authorized_cidrs) > 0 ? var.this.authorized_cidrs : null
  }
  depends_on = [aws_cloudwatch_log_group.this] # EKS would make one without key and end
}

resource "aws_vpc_security_group_ingress_rule" "api" {
  security_group_id = one(aws_eks_cluster.this.vpc_config[*].cluster_security_group_id)
  description       = "The API server, from inside the network"
  cidr_ipv4         = var.this.network_cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_eks_access_entry" "this" {
  for_each      = var.this.access
  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.value.principal
}

resource "aws_eks_access_policy_association" "this" {
  for_each      = var.this.access
  cluster_name  = aws_eks_cluster.this.name
  principal_arn = aws_eks_access_entry.this[each.key].principal_arn
  policy_arn    = "arn:aws:eks::aws:cluster-access-policy/AmazonEKS${each.value.policy}Policy"
  access_scope {
    type       = length(each.value.namespaces) > 0 ? "namespace" : "cluster"
    namespaces = each.value.namespaces
  }
}

resource "aws_eks_pod_identity_association" "this" {
  for_each        = var.this.pods
  cluster_name    = aws_eks_cluster.this.name
  namespace       = each.value.namespace
  service_account = each.value.service_account
  role_arn        = var.this.roles[each.key]
}

resource "aws_launch_template" "this" {
  for_each = var.this.node_pools
  name     = "${var.this.name}-${each.key}"
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1 # a pod does not get as far
  }
  monitoring { enabled = true }
  dynamic "block_device_mappings" {
    for_each = { "/dev/xvda" = 4, "/dev/xvdb" = each.value.disk_gb } # Bottlerocket: the system, then images and containers
    content {
      device_name = block_device_mappings.key
      ebs {
        volume_type           = "gp3"
        volume_size           = block_device_mappings.value
        encrypted             = true
        kms_key_id            = var.this.kms_key_arn
        delete_on_termination = true
      }
    }
  }
}

resource "aws_eks_node_group" "this" {
  for_each               = var.this.node_pools
  cluster_name           = aws_eks_cluster.this.name
  node_group_name_prefix = "${each.key}-" # another machine type is another group, there before the old one goes
  version                = var.this.kubernetes_version
  node_role_arn          = var.this.roles["nodes"]
  subnet_ids             = var.this.subnet_ids
  ami_type               = each.key == "gpu" ? "BOTTLEROCKET_x86_64_NVIDIA" : "BOTTLEROCKET_x86_64" # with driver and device plugin
  capacity_type          = each.key == "spot" ? "SPOT" : "ON_DEMAND"
  instance_types         = each.value.machine_types
  labels                 = { "mlops-template.io/pool" = each.key }
  scaling_config {
    min_size     = each.value.min
    max_size     = each.value.max
    desired_size = each.value.min
  }
  launch_template {
    id      = aws_launch_template.this[each.key].id
    version = aws_launch_template.this[each.key].latest_version
  }
  dynamic "taint" {
    for_each = try({ spot = { "mlops-template.io/spot" = "true" }, gpu = { "nvidia.com/gpu" = "present" } }[each.key], {})
    content {
      key    = taint.key
      value  = taint.value
      effect = "NO_SCHEDULE"
    }
  }
  lifecycle {
    create_before_destroy = true
    ignore_changes        = [scaling_config[0].desired_size] # the autoscaler's
  }
}

resource "aws_eks_addon" "this" { # beside the nodes, not after them: nodes become ready with the first three, the others with nodes
  for_each             = toset(["eks-pod-identity-agent", "kube-proxy", "vpc-cni", "aws-ebs-csi-driver", "coredns", "metrics-server"])
  cluster_name         = aws_eks_cluster.this.name
  addon_name           = each.key
  configuration_values = each.key == "vpc-cni" ? jsonencode({ enableNetworkPolicy = "true" }) : null # else NetworkPolicies are words
  depends_on           = [aws_eks_pod_identity_association.this]
}
