terraform {
  required_version = ">= 1.11, < 2.0"

  # Where, says environments/<env>.backend.hcl.
  backend "local" {}
}
