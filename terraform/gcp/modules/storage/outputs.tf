output "bucket" { value = google_storage_bucket.this.name }
output "kms_key_id" {
  value      = "projects/${var.this.project_id}/locations/${var.this.region}/keyRings/${google_kms_key_ring.this.name}/cryptoKeys/${google_kms_crypto_key.this.name}"
  depends_on = [google_kms_crypto_key_iam_member.this]
}
