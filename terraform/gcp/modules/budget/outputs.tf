output "id" { value = google_billing_budget.this.id }
