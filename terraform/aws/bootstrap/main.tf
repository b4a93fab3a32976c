provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
  default_tags { tags = merge(var.labels, { project = var.project, environment = var.environment }) }
}

data "aws_partition" "this" {}

locals {
  name      = "${var.project}-${var.environment}"
  arn       = "arn:${data.aws_partition.this.partition}"
  iam       = "${local.arn}:iam::${var.account_id}"
  here      = "${var.region}:${var.account_id}"
  issuer    = trimprefix(var.ci_subjects.issuer, "https://")
  state     = "${local.arn}:s3:::${var.state_name}"
  state_key = "${var.project}/${var.environment}/terraform.tfstate"
  roles     = "${local.iam}:role/${var.project}/${var.environment}/*"
  boundary  = "${local.iam}:policy/${local.name}-boundary"
  keys      = "${local.arn}:kms:${local.here}:key/*"
  images    = "${local.arn}:ecr:${local.here}:repository/${var.project}/${var.environment}/*"
  logs      = [for what in ["eks", "vpc"] : "${local.arn}:logs:${local.here}:log-group:/aws/${what}/${local.name}/*"]
  cluster   = ["${local.arn}:eks:${local.here}:cluster/${local.name}", "${local.arn}:eks:${local.here}:*/${local.name}/*"]
  stored    = "${local.name}-${var.account_id}" # bucket, and alias of the key
  bucket    = "${local.arn}:s3:::${local.stored}"
  own       = concat([local.bucket, local.roles, local.boundary, local.images, "${local.arn}:budgets::${var.account_id}:budget/${local.name}"], local.logs, local.cluster)
  # From whose bucket versions are promoted into this one; that environment names the apply identity in its artifact_readers.
  before = [for name in { dev = [], staging = ["dev"], prod = ["staging"] }[var.environment] : "${var.project}-${name}-????????????"]

  in_region  = { StringEquals = { "aws:RequestedRegion" = var.region } }
  bounded    = { StringEquals = { "iam:PermissionsBoundary" = local.boundary } }
  via_s3     = { "kms:ViaService" = "s3.${var.region}.amazonaws.com" }
  state_only = { "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/${var.state_name}" }, StringEquals = local.via_s3 }
  not_state  = { "ForAllValues:StringNotEquals" = { "kms:ResourceAliases" = "alias/${var.state_name}" } } # none at all: a key just made
  artifacts  = { "ForAnyValue:StringLike" = { "kms:ResourceAliases" = [for name in concat([local.stored], local.before) : "alias/${name}"] }, StringEquals = local.via_s3 }

  read = [
    { Resource = local.own, Action = [
      "budgets:ListTagsForResource", "budgets:ViewBudget", "ecr:DescribeRepositories", "ecr:GetLifecyclePolicy", "ecr:ListTagsForResource", "eks:Describe*", "eks:List*",
      "iam:GetPolicy", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies",
      "logs:ListTagsForResource", "s3:GetBucket*", "s3:Get*Configuration", "s3:ListBucket",
    ] },
    { Resource = "*", Action = ["ec2:Describe*", "kms:ListAliases", "logs:DescribeLogGroups"], Condition = local.in_region }, # these know no resource
    { Resource = local.keys, Action = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"] },
    { Resource = local.state, Action = ["s3:ListBucket"] },
    { Resource = "${local.state}/${local.state_key}", Action = ["s3:GetObject"] },
    { Resource = "${local.state}/${local.state_key}.tflock", Action = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"] }, # who plans locks
    { Resource = local.keys, Action = ["kms:Decrypt", "kms:GenerateDataKey"], Condition = local.state_only },
  ]
  change = [
    { Resource = "${local.state}/${local.state_key}", Action = ["s3:PutObject"] },
    { Resource = local.own, Action = [
      "budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource", "ecr:CreateRepository", "ecr:DeleteLifecyclePolicy", "ecr:DeleteRepository",
      "ecr:PutImageScanningConfiguration", "ecr:PutImageTagMutability", "ecr:PutLifecyclePolicy", "ecr:TagResource", "ecr:UntagResource", "eks:*",
      "iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "logs:AssociateKmsKey", "logs:CreateLogGroup",
      "logs:DeleteLogGroup", "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource", "s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy",
      "s3:PutBucket*", "s3:Put*Configuration", "s3:TagResource", "s3:UntagResource",
    ] },
    # Roles only below the boundary, so that this identity cannot make one that may more than the stack's.
    { Resource = local.roles, Condition = local.bounded, Action = [
      "iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy",
    ] },
    { Resource = local.roles, Action = ["iam:PassRole"], Condition = { StringEquals = { "iam:PassedToService" = [for name in ["ec2", "eks", "pods.eks", "vpc-flow-logs"] : "${name}.amazonaws.com"] } } },
    { Resource = "${local.iam}:role/aws-service-role/*", Action = ["iam:CreateServiceLinkedRole"], Condition = { StringEquals = {
      "iam:AWSServiceName" = [for name in ["autoscaling", "eks", "eks-nodegroup", "spot"] : "${name}.amazonaws.com"]
    } } },
    { Resource = local.keys, Condition = local.not_state, Action = [
      "kms:EnableKeyRotation", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateKeyDescription",
    ] },
    { Resource = [local.keys, "${local.arn}:kms:${local.here}:alias/${local.stored}"], Action = ["kms:CreateAlias", "kms:DeleteAlias"] },
    { Resource = local.keys, Action = ["kms:CreateGrant"], Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } } },
    { Resource = "*", Condition = local.in_region, Action = concat( # AWS lets none of these be named before it exists
      ["eks:CreateCluster", "kms:CreateKey", "ec2:AllocateAddress", "ec2:AssociateRouteTable", "ec2:AttachInternetGateway", "ec2:AuthorizeSecurityGroupIngress",
        "ec2:CreateLaunchTemplateVersion", "ec2:CreateVpcEndpoint", "ec2:DeleteVpcEndpoints", "ec2:DetachInternetGateway", "ec2:DisassociateRouteTable",
        "ec2:ModifyLaunchTemplate", "ec2:ModifySubnetAttribute", "ec2:ModifyVpcAttribute", "ec2:ModifyVpcEndpoint", "ec2:ReleaseAddress", "ec2:ReplaceRoute",
      "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress", "ec2:RunInstances"],
      flatten([for what in ["FlowLogs", "InternetGateway", "LaunchTemplate", "NatGateway", "Route", "RouteTable", "Subnet", "Tags", "Vpc"] : ["ec2:Create${what}", "ec2:Delete${what}"]]),
    ) },
    # It deploys what it has built: images are pushed and artifacts promoted by it.
    { Resource = "*", Action = ["ecr:GetAuthorizationToken"] },
    { Resource = local.images, Action = [
      "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
    ] },
    { Resource = "${local.bucket}/*", Action = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"] },
    { Resource = "${local.arn}:kms:${var.region}:*:key/*", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Condition = local.artifacts },
  ]
  promote = [for name in local.before : { Resource = ["${local.arn}:s3:::${name}", "${local.arn}:s3:::${name}/*"], Action = ["s3:GetObject", "s3:ListBucket"] }]
  ci = {
    plan  = { subjects = var.ci_subjects.plan, statements = local.read }
    apply = { subjects = var.ci_subjects.apply, statements = concat(local.read, local.change, local.promote) }
  }
}

module "state" {
  source = "../modules/storage"
  stack  = { region = var.region, account_id = var.account_id, arn = local.arn }
  name   = var.state_name
}

# A destroy of this folder stops in the plan: the states are the only record of what there is.
resource "terraform_data" "keep" {
  input = module.state.bucket.name
  lifecycle { prevent_destroy = true }
}

resource "aws_iam_openid_connect_provider" "this" {
  count          = var.issuer_known ? 0 : 1
  url            = var.ci_subjects.issuer
  client_id_list = [var.ci_subjects.audience]
}

resource "aws_iam_role" "this" {
  for_each             = local.ci
  name                 = "${local.name}-ci-${each.key}"
  path                 = "/ci/" # outside of what the apply identity may change
  max_session_duration = 3600
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = "${local.iam}:oidc-provider/${local.issuer}" }
    Condition = { StringEquals = { "${local.issuer}:aud" = var.ci_subjects.audience, "${local.issuer}:sub" = each.value.subjects } }
  }] })
  depends_on = [aws_iam_openid_connect_provider.this]
}

resource "aws_iam_role_policy" "this" {
  for_each = local.ci
  name     = each.key
  role     = aws_iam_role.this[each.key].id
  policy   = jsonencode({ Version = "2012-10-17", Statement = [for statement in each.value.statements : merge({ Effect = "Allow" }, statement)] })
}

# The most that any role of the stack can have, whatever is attached to it: nothing of IAM, no other bucket, no new instance.
resource "aws_iam_policy" "boundary" {
  name = "${local.name}-boundary"
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Resource = [local.bucket, "${local.bucket}/*"], Action = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"] },
    { Effect = "Allow", Resource = local.logs, Action = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"] },
    { Effect = "Allow", Resource = "*", Condition = local.in_region, Action = [
      "autoscaling:Describe*", "autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup", "ec2:*NetworkInterface*", "ec2:*PrivateIpAddresses",
      "ec2:*Route", "ec2:*SecurityGroup*", "ec2:*Snapshot", "ec2:*Tags", "ec2:*Volume", "ec2:Describe*", "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage", "ecr:BatchImportUpstreamImage", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer", "eks:Describe*",
      "eks-auth:AssumeRoleForPodIdentity", "elasticloadbalancing:*", "kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*",
      "kms:ListGrants", "kms:ReEncrypt*",
    ] },
  ] })
}
