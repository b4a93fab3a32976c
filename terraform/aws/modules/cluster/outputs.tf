output "name" { value = aws_eks_cluster.this.name }
output "endpoint" { value = aws_eks_cluster.this.endpoint }
output "ca" { value = one(aws_eks_cluster.this.certificate_authority[*].data) }
output "issuer" { value = one(one(aws_eks_cluster.this.identity[*].oidc)[*].issuer) }
