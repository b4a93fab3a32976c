resource "aws_ecr_repository" "this" {
  for_each             = var.this.images
  name                 = "${var.this.folder}/${each.value}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = true # as the other clouds do: images can be built again
  image_scanning_configuration { scan_on_push = true }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.this.kms_key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each   = var.this.images
  repository = aws_ecr_repository.this[each.key].name
  policy = jsonencode({ rules = [{ rulePriority = 1, action = { type = "expire" }, selection = { # what is deployed has a tag, which never moves
    tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 30
  } }] })
}
