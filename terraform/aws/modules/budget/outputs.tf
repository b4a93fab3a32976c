output "id" {
  description = "The budget."
  value       = aws_budgets_budget.this.id
}
