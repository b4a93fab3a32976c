resource "aws_ecr_repository" "this" {
  for_each             = var.names
  name                 = each.value
  image_tag_mutability = "IMMUTABLE"
  image_scanning_configuration { scan_on_push = true }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each   = aws_ecr_repository.this
  repository = each.value.name
  policy = jsonencode({ rules = [for index, selection in [
    { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 },
    { tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = 200 }, # more than any rollback needs
  ] : { rulePriority = index + 1, selection = selection, action = { type = "expire" } }] })
}
