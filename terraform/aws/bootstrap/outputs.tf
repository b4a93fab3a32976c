# What stands in the environment's backend.hcl.
output "backend" { value = { bucket = module.state.bucket, key = local.key, region = var.region, encrypt = true, kms_key_id = module.state.kms_key_arn, use_lockfile = true } }
# Role that CI plans as.
output "plan_identity" { value = aws_iam_role.this["plan"].arn }
# Role that CI applies and deploys as.
output "apply_identity" { value = aws_iam_role.this["apply"].arn }
