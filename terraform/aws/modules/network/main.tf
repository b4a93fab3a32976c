# No public subnet: the way out is a regional NAT gateway, which needs none, and there is no way in.
resource "aws_vpc" "this" {
  cidr_block           = var.this.network_cidr
  enable_dns_hostnames = true # the private API server is found by name
  tags                 = { Name = var.this.name }
}

resource "aws_default_security_group" "this" { vpc_id = aws_vpc.this.id } # What names no group falls into it: empty, it lets nothing in or out.

resource "aws_internet_gateway" "this" { vpc_id = aws_vpc.this.id }

resource "aws_nat_gateway" "this" {
  vpc_id            = aws_vpc.this.id
  availability_mode = "regional" # in each zone that has a node
  depends_on        = [aws_internet_gateway.this]
}

resource "aws_subnet" "this" {
  for_each          = { for index, zone in var.this.zones : zone => index }
  vpc_id            = aws_vpc.this.id
  availability_zone = "${var.this.region}${each.key}"
  cidr_block        = cidrsubnet(var.this.network_cidr, 2, each.value) # large: each pod takes an address
  tags              = { Name = "${var.this.name}-${each.key}", "kubernetes.io/role/internal-elb" = "1" }
}

resource "aws_default_route_table" "this" {
  default_route_table_id = aws_vpc.this.default_route_table_id # the network's main one, which holds in every subnet
  route {
    cidr_block     = "0.0.0.0/0"
    nat_gateway_id = aws_nat_gateway.this.id
  }
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.this.id
  service_name    = "com.amazonaws.${var.this.region}.s3" # for artifacts and layers of images: free, where the NAT gateway is paid by the GB
  route_table_ids = [aws_default_route_table.this.id]
  tags            = { Name = "${var.this.name}-s3" }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/vpc/${var.this.name}/flow-logs"
  retention_in_days = var.this.log_retention_days
  kms_key_id        = var.this.kms_key_arn
}

resource "aws_flow_log" "this" {
  vpc_id          = aws_vpc.this.id
  traffic_type    = "ALL"
  log_destination = aws_cloudwatch_log_group.this.arn
  iam_role_arn    = var.this.roles["flow-logs"]
}
