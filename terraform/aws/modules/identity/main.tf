# Every role of the environment: who may take it, and what it may do. Nodes join and pull images; all else is asked for by service account.
locals {
  here     = "${var.this.region}:${var.this.account_id}"
  via_s3   = { "kms:ViaService" = "s3.${var.this.region}.amazonaws.com" }
  flows    = "arn:aws:logs:${local.here}:log-group:/aws/vpc/${var.this.name}/flow-logs"
  services = { cluster = "eks", nodes = "ec2", flow-logs = "vpc-flow-logs" }
  system   = { vpc-cni = "aws-node", ebs-csi = "ebs-csi-controller-sa" }
  pods     = merge(var.this.workloads, { for name, account in local.system : name => { namespace = "kube-system", service_account = account } })
  # An association binds the service account as well; the condition holds whoever makes another one. EC2 does not say for whom it asks.
  conditions = merge({ for name in ["cluster", "flow-logs"] : name => { "aws:SourceAccount" = var.this.account_id } }, { for name, pod in local.pods : name => {
    "aws:RequestTag/eks-cluster-arn"            = "arn:aws:eks:${local.here}:cluster/${var.this.name}"
    "aws:RequestTag/kubernetes-namespace"       = pod.namespace
    "aws:RequestTag/kubernetes-service-account" = pod.service_account
  } })

  managed = {
    cluster = ["AmazonEKSClusterPolicy"], nodes = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"]
    vpc-cni = ["AmazonEKS_CNI_Policy"], ebs-csi = ["service-role/AmazonEBSCSIDriverPolicy"]
  }
  encrypt = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
  own = merge({ # Actions, with what, and when.
    cluster   = [[["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"], var.this.kms_key_arn]]
    flow-logs = [[["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"], "${local.flows}:*"]]
    ebs-csi   = [[local.encrypt, var.this.kms_key_arn], [["kms:CreateGrant"], var.this.kms_key_arn, { Bool = { "kms:GrantIsForAWSResource" = "true" } }]]
    }, { for name, workload in var.this.workloads : name => [
      [["s3:ListBucket"], var.this.bucket_arn],
      [concat(["s3:GetObject"], workload.access == "write" ? ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"] : []), "${var.this.bucket_arn}/*"],
      [concat(["kms:Decrypt"], workload.access == "write" ? ["kms:GenerateDataKey"] : []), var.this.kms_key_arn, { StringEquals = local.via_s3 }],
  ] })
}

resource "aws_iam_role" "this" {
  for_each             = merge({ for name, pod in local.pods : name => "pods.eks" }, local.services)
  name                 = "${var.this.name}-${each.key}"
  path                 = var.this.role_path
  permissions_boundary = var.this.boundary
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [merge(
    { Effect = "Allow", Principal = { Service = "${each.value}.amazonaws.com" } },
    { Action = concat(["sts:AssumeRole"], each.value == "pods.eks" ? ["sts:TagSession"] : []) },
    { for condition in try([local.conditions[each.key]], []) : "Condition" => { StringEquals = condition } },
  )] })
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each   = merge([for role, policies in local.managed : { for policy in policies : "${role}/${basename(policy)}" => { role = role, policy = policy } }]...)
  role       = aws_iam_role.this[each.value.role].name
  policy_arn = "arn:aws:iam::aws:policy/${each.value.policy}"
}

resource "aws_iam_role_policy" "this" {
  for_each = local.own
  name     = "own"
  role     = aws_iam_role.this[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = [for row in each.value : merge(
    { Effect = "Allow", Action = row[0], Resource = row[1] }, { for condition in slice(row, 2, length(row)) : "Condition" => condition },
  )] })
}
