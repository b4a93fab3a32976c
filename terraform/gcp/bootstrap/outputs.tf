output "backend" {
  description = "The lines of <env>.backend.hcl."
  value       = { bucket = module.state.bucket, prefix = "stack" }
}

output "plan_identity" {
  description = "Service account that CI plans as."
  value       = google_service_account.this["plan"].email
}

output "apply_identity" {
  description = "Service account that CI applies as."
  value       = google_service_account.this["apply"].email
}

output "identity_provider" {
  description = "Provider that CI shows its token to."
  value       = "${local.pool}/providers/ci"
}
