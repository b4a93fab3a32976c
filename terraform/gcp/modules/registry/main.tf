resource "google_artifact_registry_repository" "this" {
  repository_id = var.this.name
  location      = var.this.region
  format        = "DOCKER"
  kms_key_name  = var.this.kms_key_id
  docker_config { immutable_tags = true }
  vulnerability_scanning_config { enablement_config = "INHERITED" } # Of the project, whose scanner bootstrap's README enables.
  # What is deployed has a tag, and a tag never moves: only what a build left behind goes.
  cleanup_policies {
    id     = "untagged"
    action = "DELETE"
    condition {
      tag_state  = "UNTAGGED"
      older_than = "2592000s"
    }
  }
}
