# Every role of the environment: who may take it, and what it may do. Nodes join and pull images; all else is asked for by service account.
locals {
  eks    = "${var.stack.arn}:eks:${var.stack.region}:${var.stack.account_id}"
  via_s3 = { StringEquals = { "kms:ViaService" = "s3.${var.stack.region}.amazonaws.com" } }

  services = { cluster = "eks", nodes = "ec2", flow-logs = "vpc-flow-logs" }
  pods = merge(var.workloads, { for name, account in { vpc-cni = "aws-node", ebs-csi = "ebs-csi-controller-sa", autoscaler = "cluster-autoscaler" } :
    name => { namespace = "kube-system", service_account = account }
  })
  # An association binds the service account as well; the condition holds whoever makes another one. EC2 does not say for whom it asks.
  conditions = merge({ for name in ["cluster", "flow-logs"] : name => { "aws:SourceAccount" = var.stack.account_id } }, { for name, pod in local.pods : name => {
    "aws:RequestTag/eks-cluster-arn"            = "${local.eks}:cluster/${var.stack.name}"
    "aws:RequestTag/kubernetes-namespace"       = pod.namespace
    "aws:RequestTag/kubernetes-service-account" = pod.service_account
  } })

  managed = {
    cluster = ["AmazonEKSClusterPolicy"], nodes = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"]
    vpc-cni = ["AmazonEKS_CNI_Policy"], ebs-csi = ["service-role/AmazonEBSCSIDriverPolicy"]
  }
  own = merge({
    cluster = [{ Action = ["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"], Resource = var.artifacts.kms_key_arn }]
    flow-logs = [{
      Action = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"], Resource = "${var.stack.arn}:logs:${var.stack.region}:${var.stack.account_id}:log-group:/aws/vpc/${var.stack.name}/flow-logs:*"
    }]
    ebs-csi = [
      { Action = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"], Resource = var.artifacts.kms_key_arn },
      { Action = ["kms:CreateGrant"], Resource = var.artifacts.kms_key_arn, Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } } },
    ]
    autoscaler = [
      { Action = ["autoscaling:Describe*", "ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplateVersions"], Resource = "*" },
      { Action = ["eks:DescribeNodegroup"], Resource = "${local.eks}:nodegroup/${var.stack.name}/*" },
      {
        Action    = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"], Resource = "*"
        Condition = { StringEquals = { "aws:ResourceTag/k8s.io/cluster-autoscaler/${var.stack.name}" = "owned" } }
      },
    ]
    }, { for name, workload in var.workloads : name => [
      { Action = ["s3:ListBucket"], Resource = var.artifacts.arn },
      { Action = concat(["s3:GetObject"], workload.access == "write" ? ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"] : []), Resource = "${var.artifacts.arn}/*" },
      { Action = concat(["kms:Decrypt"], workload.access == "write" ? ["kms:GenerateDataKey"] : []), Resource = var.artifacts.kms_key_arn, Condition = local.via_s3 },
  ] })
}

resource "aws_iam_role" "this" {
  for_each             = merge({ for name, pod in local.pods : name => "pods.eks" }, local.services)
  name                 = "${var.stack.name}-${each.key}"
  path                 = var.stack.role_path
  permissions_boundary = var.stack.boundary
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [merge(
    { Effect = "Allow", Principal = { Service = "${each.value}.amazonaws.com" }, Action = concat(["sts:AssumeRole"], each.value == "pods.eks" ? ["sts:TagSession"] : []) },
    { for key, name in { Condition = each.key } : key => { StringEquals = local.conditions[name] } if can(local.conditions[name]) },
  )] })
  lifecycle {
    precondition {
      condition     = !can(var.workloads[each.key]) || (!can(merge(local.services, local.managed, { autoscaler = "" })[each.key]) && length("${var.stack.name}-${each.key}") <= 64)
      error_message = "workloads: ${each.key}: choose another key: it makes the name of a role, at most 64 letters long and not one of the cluster's own."
    }
  }
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each   = merge([for role, policies in local.managed : { for policy in policies : "${role}/${basename(policy)}" => { role = role, policy = policy } }]...)
  role       = aws_iam_role.this[each.value.role].name
  policy_arn = "${var.stack.arn}:iam::aws:policy/${each.value.policy}"
}

resource "aws_iam_role_policy" "this" {
  for_each = local.own
  name     = "own"
  role     = aws_iam_role.this[each.key].id
  policy   = jsonencode({ Version = "2012-10-17", Statement = [for statement in each.value : merge({ Effect = "Allow" }, statement)] })
}
