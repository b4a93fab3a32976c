output "backend" {
  description = "What stands in the environment's backend.hcl."
  value = { bucket = module.state.bucket, key = local.key, region = var.region
    encrypt = true, kms_key_id = module.state.kms_key_arn, use_lockfile = true
  }
}

output "plan_identity" {
  description = "Role that CI plans as."
  value       = aws_iam_role.this["plan"].arn
}

output "apply_identity" {
  description = "Role that CI applies and deploys as."
  value       = aws_iam_role.this["apply"].arn
}
