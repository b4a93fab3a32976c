terraform {
  required_version = ">= 1.11, < 2.0"
  required_providers { google = { source = "hashicorp/google", version = ">= 7.40, < 9" } }
  backend "gcs" {}
}
