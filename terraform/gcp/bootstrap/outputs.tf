# The lines of <env>.backend.hcl.
output "backend" { value = { bucket = module.state.bucket, prefix = "stack" } }
# Service account that CI plans as.
output "plan_identity" { value = google_service_account.this["plan"].email }
# Service account that CI applies as.
output "apply_identity" { value = google_service_account.this["apply"].email }
# Provider that CI shows its token to.
output "identity_provider" { value = "${local.pool}/providers/ci" }
