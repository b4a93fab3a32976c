output "id" { value = aws_budgets_budget.this.id }
