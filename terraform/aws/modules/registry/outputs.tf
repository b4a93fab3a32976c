output "url" { value = dirname(values(aws_ecr_repository.this)[0].repository_url) }
