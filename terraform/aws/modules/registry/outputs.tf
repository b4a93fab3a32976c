output "url" {
  description = "Host and folder of the repositories."
  value       = dirname(values(aws_ecr_repository.this)[0].repository_url)
}
