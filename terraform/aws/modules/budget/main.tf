resource "aws_budgets_budget" "this" {
  name         = var.this.name
  budget_type  = "COST" # of the whole account: an environment has one of its own, and else a warning too early is better than none
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.this.amount)
  limit_unit   = "USD"
  dynamic "notification" {
    for_each = [["ACTUAL", 50], ["ACTUAL", 80], ["ACTUAL", 100], ["FORECASTED", 100]]
    content {
      notification_type          = notification.value[0]
      threshold                  = notification.value[1]
      threshold_type             = "PERCENTAGE"
      comparison_operator        = "GREATER_THAN"
      subscriber_email_addresses = var.this.emails
    }
  }
}
