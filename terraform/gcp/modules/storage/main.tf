resource "google_kms_key_ring" "this" {
  name     = var.this.name
  location = var.this.region
}

resource "google_kms_crypto_key" "this" {
  name            = "this"
  key_ring        = google_kms_key_ring.this.id
  rotation_period = "7776000s"
}

resource "google_kms_crypto_key_iam_member" "this" {
  for_each      = var.this.agents
  crypto_key_id = google_kms_crypto_key.this.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${var.this.project_number}@${each.value}.iam.gserviceaccount.com"
}

resource "google_storage_bucket" "this" {
  name                        = var.this.bucket
  location                    = var.this.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  versioning { enabled = true }
  soft_delete_policy { retention_duration_seconds = 2592000 }
  encryption { default_kms_key_name = google_kms_crypto_key.this.id }
  force_destroy = false # A destroy stops here while there is anything in it, and so before the key, without which it cannot be read.
  depends_on    = [google_kms_crypto_key_iam_member.this]
}
