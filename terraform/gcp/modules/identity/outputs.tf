output "workload_identities" { # a principal needs neither annotation nor label
  value = { for name, workload in var.this.workloads : name => { namespace = workload.namespace, service_account = workload.service_account
    principal = google_storage_bucket_iam_member.this[name].member, annotations = tomap({}), labels = tomap({})
  } }
}
