# Who may act as CI, and what it may. Plans only: what is kept here refuses to be destroyed, and a test destroys what it has made.
provider "aws" {
  region = "eu-central-1"
}

variables {
  project     = "energy-usage"
  environment = "prod"
  region      = "eu-central-1"
  account_id  = "111122223333"
  state_name  = "energy-usage-prod-state-111122223333"
  # As the stack has them; nothing here comes of these.
  kubernetes_version = "1.34"
  authorized_cidrs   = []
  budget             = { amount = 300, emails = ["ada@example.org"] }
  ci_subjects = {
    issuer   = "https://token.actions.githubusercontent.com"
    audience = "sts.amazonaws.com"
    plan     = ["repo:octo@1/energy-usage@2:pull_request", "repo:octo@1/energy-usage@2:environment:prod-plan"]
    apply    = ["repo:octo@1/energy-usage@2:environment:prod"]
  }
}

run "trust" {
  command = plan
  assert {
    condition = jsonencode({ for name, role in aws_iam_role.this : name => jsondecode(role.assume_role_policy).Statement }) == jsonencode({
      for name, subjects in { plan = var.ci_subjects.plan, apply = var.ci_subjects.apply } : name => [{
        Effect    = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
        Condition = { StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com", "token.actions.githubusercontent.com:sub" = subjects } }
      }]
    })
    error_message = "audience and subjects are compared, letter by letter, and nothing else is trusted"
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.this : !strcontains(role.assume_role_policy, "*") && !strcontains(role.assume_role_policy, "Like") && role.max_session_duration == 3600])
    error_message = "no pattern in whom a role trusts, and an hour at most"
  }
  assert {
    condition     = toset(aws_iam_openid_connect_provider.this[0].client_id_list) == toset(["sts.amazonaws.com"]) && aws_iam_openid_connect_provider.this[0].url == "https://token.actions.githubusercontent.com"
    error_message = "the account trusts the issuer for one audience"
  }
}

run "plan_reads" {
  command = plan
  assert {
    condition = alltrue(flatten([for statement in jsondecode(aws_iam_role_policy.this["plan"].policy).Statement : [for action in statement.Action :
      can(regex("^[a-z0-9-]+:(Describe|List|Get|View)", action)) ||
      (contains(["s3:PutObject", "s3:DeleteObject"], action) && try(tostring(statement.Resource), "") == "arn:aws:s3:::energy-usage-prod-state-111122223333/energy-usage/prod/terraform.tfstate.tflock") ||
      (contains(["kms:Decrypt", "kms:GenerateDataKey"], action) && try(statement.Condition["ForAnyValue:StringEquals"]["kms:ResourceAliases"], "") == "alias/energy-usage-prod-state-111122223333")
    ]]))
    error_message = "planning reads; it writes nothing but the lock of the state"
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.this["plan"].policy, "energy-usage-prod-111122223333/*")
    error_message = "planning reads no artifact"
  }
}

run "apply_is_bounded" {
  command = plan
  assert {
    condition = alltrue(flatten([for statement in jsondecode(aws_iam_role_policy.this["apply"].policy).Statement : [for action in statement.Action :
      action != "*" && (!endswith(action, ":*") || (action == "eks:*" && alltrue([for resource in flatten([statement.Resource]) : resource != "*"])))
    ]]))
    error_message = "not all of a service, but of EKS the environment's own cluster"
  }
  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.this["apply"].policy).Statement :
      try(statement.Condition.StringEquals["iam:PermissionsBoundary"], "") == "arn:aws:iam::111122223333:policy/energy-usage-prod-boundary" &&
      try(tostring(statement.Resource), "") == "arn:aws:iam::111122223333:role/energy-usage/prod/*"
      if length(setintersection(statement.Action, ["iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"])) > 0
    ])
    error_message = "roles are made and changed below the boundary only, in the environment's folder only"
  }
  assert {
    condition = alltrue(flatten([for statement in jsondecode(aws_iam_role_policy.this["apply"].policy).Statement : [for action in statement.Action :
      !startswith(action, "iam:CreatePolicy") && !startswith(action, "iam:SetDefaultPolicy") && !startswith(action, "iam:DeleteRolePermissions") && !strcontains(action, "User") &&
      !strcontains(action, "AccessKey") && !strcontains(action, "OpenIDConnect")
    ]]))
    error_message = "the boundary, users, keys and federation are not its own to change"
  }
  assert {
    condition = alltrue([for action in ["CreateVpcEndpoint", "ModifyVpcEndpoint", "DeleteVpcEndpoints"] : anytrue([for statement in jsondecode(aws_iam_role_policy.this["apply"].policy).Statement :
      contains(statement.Action, "ec2:${action}") && try(statement.Condition.StringEquals["aws:RequestedRegion"], "") == "eu-central-1"
    ])])
    error_message = "the network's way to S3 is made by CI too"
  }
  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.this["apply"].policy).Statement :
      try(statement.Condition.StringEquals["aws:RequestedRegion"], "") == "eu-central-1"
      if contains(flatten([statement.Resource]), "*")
    ])
    error_message = "what AWS lets nobody name is allowed in the region only"
  }
  assert {
    condition     = !contains(flatten([for statement in jsondecode(aws_iam_role_policy.this["apply"].policy).Statement : statement.Resource]), "arn:aws:s3:::energy-usage-prod-state-111122223333/*") && startswith(aws_iam_role.this["apply"].path, "/ci/")
    error_message = "of the state it has its own object, and its own role lies where it may change none"
  }
  assert {
    condition     = length(aws_iam_role_policy.this["apply"].policy) < 10240 && length(aws_iam_policy.boundary.policy) < 6144
    error_message = "IAM takes no longer ones"
  }
  assert {
    condition = alltrue(flatten([for statement in jsondecode(aws_iam_policy.boundary.policy).Statement : [for action in statement.Action :
      !startswith(action, "iam:") && !startswith(action, "sts:") && action != "*" && action != "ec2:*" && action != "s3:*" && action != "ec2:RunInstances"
    ]]))
    error_message = "below the boundary there is no IAM, no other role and no new instance"
  }
}

run "promotion_reads_the_environment_before" {
  command = plan
  assert {
    condition     = jsonencode([for statement in jsondecode(aws_iam_role_policy.this["apply"].policy).Statement : statement.Action if strcontains(jsonencode(statement.Resource), "s3:::energy-usage-staging-")]) == jsonencode([["s3:GetObject", "s3:ListBucket"]])
    error_message = "prod reads what staging has, and no more"
  }
}

run "dev_reads_no_other" {
  command = plan
  variables {
    environment = "dev"
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.this["apply"].policy, "s3:::energy-usage-staging") && !strcontains(aws_iam_role_policy.this["apply"].policy, "s3:::energy-usage-prod-?")
    error_message = "nothing comes before dev"
  }
}

run "state_is_kept" {
  command = plan
  assert {
    condition     = terraform_data.keep.triggers_replace[0] == "energy-usage-prod-state-111122223333"
    error_message = "a destroy, or another store in its place, stops in the plan"
  }
}

run "known_issuer" {
  command = plan
  variables {
    issuer_known = true
  }
  assert {
    condition     = length(aws_iam_openid_connect_provider.this) == 0
    error_message = "an issuer that the account trusts already is not told again"
  }
}

run "environment_unknown" {
  command = plan
  variables {
    environment = "test"
  }
  expect_failures = [var.environment]
}

run "state_name_in_capitals" {
  command = plan
  variables {
    state_name = "State"
  }
  expect_failures = [var.state_name]
}

run "issuer_without_tls" {
  command = plan
  variables {
    ci_subjects = { issuer = "http://token.actions.githubusercontent.com", audience = "sts.amazonaws.com", plan = ["repo:octo@1/r@2:pull_request"], apply = ["repo:octo@1/r@2:environment:prod"] }
  }
  expect_failures = [var.ci_subjects]
}

run "issuer_with_a_slash" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://token.actions.githubusercontent.com/", audience = "sts.amazonaws.com", plan = ["repo:octo@1/r@2:pull_request"], apply = ["repo:octo@1/r@2:environment:prod"] }
  }
  expect_failures = [var.ci_subjects]
}

run "audience_empty" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://token.actions.githubusercontent.com", audience = "", plan = ["repo:octo@1/r@2:pull_request"], apply = ["repo:octo@1/r@2:environment:prod"] }
  }
  expect_failures = [var.ci_subjects]
}

run "subject_with_a_star" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://token.actions.githubusercontent.com", audience = "sts.amazonaws.com", plan = ["repo:octo@1/r@2:pull_request"], apply = ["repo:octo@1/r@2:*"] }
  }
  expect_failures = [var.ci_subjects]
}

run "subject_with_a_question_mark" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://token.actions.githubusercontent.com", audience = "sts.amazonaws.com", plan = ["repo:octo@1/r@2:environment:pro?"], apply = ["repo:octo@1/r@2:environment:prod"] }
  }
  expect_failures = [var.ci_subjects]
}

run "subject_empty" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://token.actions.githubusercontent.com", audience = "sts.amazonaws.com", plan = [""], apply = ["repo:octo@1/r@2:environment:prod"] }
  }
  expect_failures = [var.ci_subjects]
}

run "nobody_applies" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://token.actions.githubusercontent.com", audience = "sts.amazonaws.com", plan = ["repo:octo@1/r@2:pull_request"], apply = [] }
  }
  expect_failures = [var.ci_subjects]
}

run "subject_in_both" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://token.actions.githubusercontent.com", audience = "sts.amazonaws.com", plan = ["repo:octo@1/r@2:environment:prod"], apply = ["repo:octo@1/r@2:environment:prod"] }
  }
  expect_failures = [var.ci_subjects]
}

run "project_with_a_wildcard" {
  command = plan
  variables {
    project = "energy-*"
  }
  expect_failures = [var.project]
}

run "nobody_plans" {
  command = plan
  variables {
    ci_subjects = { issuer = "https://token.actions.githubusercontent.com", audience = "sts.amazonaws.com", plan = [], apply = ["repo:octo@1/r@2:environment:prod"] }
  }
  expect_failures = [var.ci_subjects]
}

run "account_empty" {
  command = plan
  variables {
    account_id = ""
  }
  expect_failures = [var.account_id]
}

run "region_of_another_cloud" {
  command = plan
  variables {
    region = "westeurope"
  }
  expect_failures = [var.region]
}

run "label_in_capitals" {
  command = plan
  variables {
    labels = { Team = "x" }
  }
  expect_failures = [var.labels]
}
