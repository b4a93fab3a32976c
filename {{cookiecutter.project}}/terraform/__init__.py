"""What the verbs `make infra-…` do: Terraform, called through python-terraform's one call that works, with guards around it."""
