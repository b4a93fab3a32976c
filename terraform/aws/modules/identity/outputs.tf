output "roles" {
  value      = { for name, role in aws_iam_role.this : name => role.arn }
  depends_on = [aws_iam_role_policy.this, aws_iam_role_policy_attachment.this] # known when they may what they need
}
output "pods" { value = local.pods }
output "workload_identities" { # Pod Identity needs neither annotation nor label
  value = { for name, pod in var.this.workloads : name => {
    namespace = pod.namespace, service_account = pod.service_account, principal = aws_iam_role.this[name].arn, annotations = {}, labels = {}
  } }
}
