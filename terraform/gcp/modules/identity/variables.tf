variable "this" {
  description = "The bucket, who may use it: workloads of the cluster's pool (of the project with that number), and who else may read it."
  type = object({ bucket = string, project_number = string, workload_pool = string, readers = set(string),
    workloads = map(object({ namespace = string, service_account = string, access = string }))
  })
}
