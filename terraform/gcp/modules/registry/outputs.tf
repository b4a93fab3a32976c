output "repository" { value = google_artifact_registry_repository.this.repository_id }
