output "bucket" {
  description = "Name and ARN of the bucket, and its key."
  value       = { name = aws_s3_bucket.this.bucket, arn = aws_s3_bucket.this.arn, kms_key_arn = aws_kms_key.this.arn }
}
