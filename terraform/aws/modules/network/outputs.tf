output "subnet_ids" { value = [for zone in var.this.zones : aws_subnet.this[zone].id] }
