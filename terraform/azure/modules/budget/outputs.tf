output "id" { value = azurerm_consumption_budget_subscription.this.id }
