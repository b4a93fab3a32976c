resource "azurerm_monitor_action_group" "this" {
  name                = "${var.this.name}-budget"
  resource_group_name = var.this.name
  short_name          = "budget"
  tags                = var.this.labels
  dynamic "email_receiver" {
    for_each = toset(var.this.emails)
    content {
      name          = email_receiver.value
      email_address = email_receiver.value
    }
  }
}

# Of the subscription, cut down to our groups: what the nodes cost is booked on a group of their own, which one for ours would not see.
resource "azurerm_consumption_budget_subscription" "this" {
  name            = var.this.name
  subscription_id = "/subscriptions/${var.this.subscription_id}"
  amount          = var.this.amount
  time_period { start_date = formatdate("YYYY-MM-01'T'00:00:00Z", plantimestamp()) }
  filter {
    dimension {
      name   = "ResourceGroupName"
      values = [var.this.name, var.this.node_resource_group]
    }
  }
  dynamic "notification" {
    for_each = { actual-50 = 50, actual-80 = 80, actual-100 = 100, forecasted-100 = 100 }
    content {
      operator       = "GreaterThanOrEqualTo"
      threshold      = notification.value
      threshold_type = startswith(notification.key, "actual") ? "Actual" : "Forecasted"
      contact_emails = var.this.emails
      contact_groups = [azurerm_monitor_action_group.this.id]
    }
  }
  lifecycle { ignore_changes = [time_period] } # the month of the first apply: Azure takes no past one
}
