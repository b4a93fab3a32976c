provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
  default_tags { tags = merge(var.labels, { project = var.project, environment = var.environment }) }
}

locals {
  name     = "${var.project}-${var.environment}"
  iam      = "arn:aws:iam::${var.account_id}"
  here     = "${var.region}:${var.account_id}"
  issuer   = trimprefix(var.ci_subjects.issuer, "https://")
  state    = "arn:aws:s3:::${var.state_name}"
  key      = "${var.project}/${var.environment}/terraform.tfstate"
  roles    = "${local.iam}:role/${var.project}/${var.environment}/*"
  boundary = "${local.iam}:policy/${local.name}-boundary"
  keys     = "arn:aws:kms:${local.here}:key/*"
  images   = "arn:aws:ecr:${local.here}:repository/${var.project}/${var.environment}/*"
  logs     = formatlist("arn:aws:logs:${local.here}:log-group:/aws/%s/${local.name}/*", ["eks", "vpc"])
  cluster  = formatlist("arn:aws:eks:${local.here}:%s", ["cluster/${local.name}", "*/${local.name}/*"])
  budget   = "arn:aws:budgets::${var.account_id}:budget/${local.name}"
  stored   = "${local.name}-${var.account_id}" # bucket, and alias of the key
  bucket   = "arn:aws:s3:::${local.stored}"
  own      = concat([local.bucket, local.roles, local.boundary, local.images, local.budget], local.logs, local.cluster)
  # From whose bucket versions are promoted into this one; that environment names the apply identity in its artifact_readers.
  before = [for name in lookup({ staging = ["dev"], prod = ["staging"] }, var.environment, []) : "${var.project}-${name}-????????????"]

  in_region  = { StringEquals = { "aws:RequestedRegion" = var.region } }
  bounded    = { StringEquals = { "iam:PermissionsBoundary" = local.boundary } }
  passed     = { StringEquals = { "iam:PassedToService" = formatlist("%s.amazonaws.com", ["ec2", "eks", "pods.eks", "vpc-flow-logs"]) } }
  linked     = { StringEquals = { "iam:AWSServiceName" = formatlist("%s.amazonaws.com", ["autoscaling", "eks", "eks-nodegroup", "spot"]) } }
  via_s3     = { "kms:ViaService" = "s3.${var.region}.amazonaws.com" }
  state_only = { "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/${var.state_name}" }, StringEquals = local.via_s3 }
  not_state  = { "ForAllValues:StringNotEquals" = { "kms:ResourceAliases" = "alias/${var.state_name}" } } # none at all: a key just made
  aliases    = { "kms:ResourceAliases" = formatlist("alias/%s", concat([local.stored], local.before)) }

  read = [ # With what, which actions of each service, and when.
    [local.own, {
      budgets = "ListTagsForResource ViewBudget", ecr = "DescribeRepositories GetLifecyclePolicy ListTagsForResource", eks = "Describe* List*"
      iam     = "GetPolicy GetRole GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies"
      logs    = "ListTagsForResource", s3 = "GetBucket* Get*Configuration ListBucket"
    }],
    ["*", { ec2 = "Describe*", kms = "ListAliases", logs = "DescribeLogGroups" }, local.in_region], # these know no resource
    [local.keys, { kms = "DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags" }],
    [local.keys, { kms = "Decrypt GenerateDataKey" }, local.state_only],
    [local.state, { s3 = "ListBucket" }],
    ["${local.state}/${local.key}", { s3 = "GetObject" }],
    ["${local.state}/${local.key}.tflock", { s3 = "GetObject PutObject DeleteObject" }], # who plans locks
  ]
  change = [
    ["${local.state}/${local.key}", { s3 = "PutObject" }],
    [local.own, {
      budgets = "ModifyBudget TagResource UntagResource", eks = "*", iam = "DeleteRole TagRole UntagRole UpdateAssumeRolePolicy UpdateRole"
      logs    = "AssociateKmsKey CreateLogGroup DeleteLogGroup PutRetentionPolicy TagResource UntagResource"
      s3      = "CreateBucket DeleteBucket DeleteBucketPolicy PutBucket* Put*Configuration TagResource UntagResource"
      ecr     = "CreateRepository DeleteRepository *LifecyclePolicy PutImageScanningConfiguration PutImageTagMutability TagResource UntagResource"
    }],
    # Roles only below the boundary, so that this identity cannot make one that may more than the stack's.
    [local.roles, { iam = "AttachRolePolicy CreateRole DeleteRolePolicy DetachRolePolicy PutRolePermissionsBoundary PutRolePolicy" }, local.bounded],
    [local.roles, { iam = "PassRole" }, local.passed],
    ["${local.iam}:role/aws-service-role/*", { iam = "CreateServiceLinkedRole" }, local.linked],
    [local.keys, { kms = "EnableKeyRotation PutKeyPolicy ScheduleKeyDeletion TagResource UntagResource UpdateKeyDescription" }, local.not_state],
    [[local.keys, "arn:aws:kms:${local.here}:alias/${local.stored}"], { kms = "CreateAlias DeleteAlias" }],
    [local.keys, { kms = "CreateGrant" }, { Bool = { "kms:GrantIsForAWSResource" = "true" } }],
    ["*", { ecr = "GetAuthorizationToken", eks = "CreateCluster", kms = "CreateKey", ec2 = join(" ", concat( # AWS lets none of these be named, or not before it exists
      [for what in ["FlowLogs", "InternetGateway", "LaunchTemplate", "NatGateway", "Route", "Subnet", "Tags", "Vpc"] : "Create${what} Delete${what}"],
      ["AllocateAddress AttachInternetGateway AuthorizeSecurityGroupIngress CreateLaunchTemplateVersion DetachInternetGateway ModifyLaunchTemplate"],
      ["CreateVpcEndpoint DeleteVpcEndpoints ModifyVpcEndpoint"],
      ["ModifySubnetAttribute ModifyVpcAttribute ReleaseAddress ReplaceRoute RevokeSecurityGroupEgress RevokeSecurityGroupIngress RunInstances"],
    )) }, local.in_region],
    # It deploys what it has built: images are pushed and artifacts promoted by it.
    [local.images, { ecr = "BatchCheckLayerAvailability BatchGetImage CompleteLayerUpload GetDownloadUrlForLayer InitiateLayerUpload PutImage UploadLayerPart" }],
    ["${local.bucket}/*", { s3 = "DeleteObject GetObject PutObject" }],
    ["arn:aws:kms:${var.region}:*:key/*", { kms = "Decrypt GenerateDataKey" }, { "ForAnyValue:StringLike" = local.aliases, StringEquals = local.via_s3 }],
  ]
  promote = [for name in local.before : [formatlist("arn:aws:s3:::%s", [name, "${name}/*"]), { s3 = "GetObject ListBucket" }]]
  most = [ # The most that any role of the stack can have, whatever is attached to it: nothing of IAM, no other bucket, no new instance.
    [[local.bucket, "${local.bucket}/*"], { s3 = "AbortMultipartUpload DeleteObject GetObject ListBucket PutObject" }],
    [local.logs, { logs = "CreateLogStream DescribeLogStreams PutLogEvents" }],
    ["*", {
      autoscaling = "Describe* SetDesiredCapacity TerminateInstanceInAutoScalingGroup", eks = "Describe*", eks-auth = "AssumeRoleForPodIdentity"
      ec2         = "*NetworkInterface* *PrivateIpAddresses *Route *SecurityGroup* *Snapshot *Tags *Volume Describe*", elasticloadbalancing = "*"
      ecr         = "BatchCheckLayerAvailability BatchGetImage BatchImportUpstreamImage GetAuthorizationToken GetDownloadUrlForLayer"
      kms         = "CreateGrant Decrypt DescribeKey Encrypt GenerateDataKey* ListGrants ReEncrypt*"
    }, local.in_region],
  ]
  policies = { for name, rows in { plan = local.read, apply = concat(local.read, local.change, local.promote), boundary = local.most } :
    name => jsonencode({ Version = "2012-10-17", Statement = [for row in rows : merge({ Effect = "Allow", Resource = row[0],
      Action = flatten([for service, actions in row[1] : formatlist("${service}:%s", split(" ", actions))])
    }, { for condition in slice(row, 2, length(row)) : "Condition" => condition })] })
  }
}

module "state" {
  source = "../modules/storage"
  this   = { bucket = var.state_name, region = var.region, account_id = var.account_id }
}

resource "terraform_data" "keep" {
  triggers_replace = [var.state_name, var.region, module.state.bucket_arn]
  lifecycle { prevent_destroy = true } # A destroy of the store, or another in its place, stops in the plan: the states are the only record of what there is.
}

resource "aws_iam_openid_connect_provider" "this" {
  count          = var.issuer_known ? 0 : 1
  url            = var.ci_subjects.issuer
  client_id_list = [var.ci_subjects.audience]
}

resource "aws_iam_role" "this" {
  for_each             = { plan = var.ci_subjects.plan, apply = var.ci_subjects.apply }
  name                 = "${local.name}-ci-${each.key}"
  path                 = "/ci/" # outside of what the apply identity may change
  max_session_duration = 3600
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = "${local.iam}:oidc-provider/${local.issuer}" }
    Condition = { StringEquals = { "${local.issuer}:aud" = var.ci_subjects.audience, "${local.issuer}:sub" = each.value } }
  }] })
  depends_on = [aws_iam_openid_connect_provider.this]
}

resource "aws_iam_role_policy" "this" {
  for_each = toset(["plan", "apply"])
  name     = each.key
  role     = aws_iam_role.this[each.key].id
  policy   = local.policies[each.key]
}

resource "aws_iam_policy" "boundary" {
  name   = "${local.name}-boundary"
  policy = local.policies["boundary"]
}
