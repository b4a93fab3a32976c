output "subnet_ids" {
  description = "The subnets, all private."
  value       = [for zone in var.stack.zones : aws_subnet.this[zone].id]
}
