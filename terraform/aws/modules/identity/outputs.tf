output "identities" {
  description = "ARNs of the roles by name, and the service accounts that act as one; known when they may what they need."
  value = { arns = { for name, role in aws_iam_role.this : name => role.arn }, pods = {
    for name, pod in local.pods : name => { namespace = pod.namespace, service_account = pod.service_account, role_arn = aws_iam_role.this[name].arn }
  } }
  depends_on = [aws_iam_role_policy.this, aws_iam_role_policy_attachment.this]
}
