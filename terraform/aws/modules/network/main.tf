# No public subnet: the way out is a regional NAT gateway, which needs none, and there is no way in.
resource "aws_vpc" "this" {
  cidr_block           = var.stack.network_cidr
  enable_dns_hostnames = true # the private API server is found by name
  tags                 = { Name = var.stack.name }
}

# What names no group falls into this one: empty, it lets nothing in or out.
resource "aws_default_security_group" "this" { vpc_id = aws_vpc.this.id }

resource "aws_internet_gateway" "this" { vpc_id = aws_vpc.this.id }

resource "aws_nat_gateway" "this" {
  vpc_id            = aws_vpc.this.id
  availability_mode = "regional" # in each zone that has a node
  tags              = { Name = var.stack.name }
  depends_on        = [aws_internet_gateway.this]
}

resource "aws_subnet" "this" {
  for_each          = { for index, zone in var.stack.zones : zone => index }
  vpc_id            = aws_vpc.this.id
  availability_zone = "${var.stack.region}${each.key}"
  cidr_block        = cidrsubnet(var.stack.network_cidr, 2, each.value) # large: each pod takes an address
  tags              = { Name = "${var.stack.name}-${each.key}", "kubernetes.io/role/internal-elb" = "1" }
}

resource "aws_route_table" "this" {
  vpc_id = aws_vpc.this.id
  route {
    cidr_block     = "0.0.0.0/0"
    nat_gateway_id = aws_nat_gateway.this.id
  }
}

resource "aws_route_table_association" "this" {
  for_each       = aws_subnet.this
  subnet_id      = each.value.id
  route_table_id = aws_route_table.this.id
}

# Free, and it carries what is heavy: artifacts, and the layers of images.
resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.this.id
  service_name    = var.stack.s3
  route_table_ids = [aws_route_table.this.id]
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/vpc/${var.stack.name}/flow-logs"
  retention_in_days = var.stack.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_flow_log" "this" {
  vpc_id          = aws_vpc.this.id
  traffic_type    = "ALL"
  log_destination = aws_cloudwatch_log_group.this.arn
  iam_role_arn    = var.role_arn
}
