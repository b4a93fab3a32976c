locals {
  scaling = { AWS = "arn:aws:iam::${var.this.account_id}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling" }
  group   = "arn:aws:logs:${var.this.region}:${var.this.account_id}:log-group:/aws"
  use     = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
}

resource "aws_kms_key" "this" {
  description             = "What ${var.this.bucket} stores"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({ Version = "2012-10-17", Statement = [for statement in flatten([
    # IAM decides; a key without this statement can be lost for good.
    { Principal = { AWS = "arn:aws:iam::${var.this.account_id}:root" }, Action = "kms:*" },
    # Nodes are started by a role of AWS whose own policy knows no key: without leave no encrypted disk is ever mounted.
    [for cluster in compact([var.this.name]) : [
      { Principal = local.scaling, Action = local.use },
      { Principal = local.scaling, Action = "kms:CreateGrant", Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } } },
      { Principal = { Service = "logs.${var.this.region}.amazonaws.com" }, Action = local.use, Condition = { ArnEquals = {
        "kms:EncryptionContext:aws:logs:arn" = formatlist("${local.group}/%s", ["eks/${cluster}/cluster", "vpc/${cluster}/flow-logs"])
      } } },
    ]],
    [for reader in var.this.readers : {
      Principal = { AWS = reader }, Action = "kms:Decrypt", Condition = { StringEquals = { "kms:ViaService" = "s3.${var.this.region}.amazonaws.com" } }
    }],
  ]) : merge({ Effect = "Allow", Resource = "*" }, statement)] })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.this.bucket}"
  target_key_id = aws_kms_key.this.key_id
}

# S3 deletes no bucket that holds something, and Terraform does not empty this one: there a destroy stops, before it comes to the key.
resource "aws_s3_bucket" "this" {
  bucket        = var.this.bucket
  force_destroy = false
  depends_on    = [aws_kms_key.this]
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id
  rule {
    bucket_key_enabled = true # one call of KMS for many objects
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.this.arn
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id
  rule { object_ownership = "BucketOwnerEnforced" }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [for statement in concat(
    [for test in [{ Bool = { "aws:SecureTransport" = "false" } }, { NumericLessThan = { "s3:TlsVersion" = "1.2" } }] :
    { Effect = "Deny", Principal = "*", Action = "s3:*", Condition = test }],
    [for reader in var.this.readers : { Effect = "Allow", Principal = { AWS = reader }, Action = ["s3:GetObject", "s3:ListBucket"] }],
  ) : merge({ Resource = formatlist("arn:aws:s3:::%s", [var.this.bucket, "${var.this.bucket}/*"]) }, statement)] })
  depends_on = [aws_s3_bucket_public_access_block.this] # S3 refuses both at a time
}

resource "aws_s3_bucket_notification" "this" {
  bucket      = aws_s3_bucket.this.id
  eventbridge = true # for who wants to know of a new version
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id
  rule {
    id     = "leftovers"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration { noncurrent_days = 90 }
    abort_incomplete_multipart_upload { days_after_initiation = 7 }
  }
  depends_on = [aws_s3_bucket_versioning.this]
}
