output "cluster" {
  description = "Name of the cluster, address of its API server, certificate of that one's authority, and issuer of the service accounts' tokens."
  value = {
    name   = aws_eks_cluster.this.name
    host   = aws_eks_cluster.this.endpoint
    ca     = one(aws_eks_cluster.this.certificate_authority[*].data)
    issuer = one(one(aws_eks_cluster.this.identity[*].oidc)[*].issuer)
  }
}
