resource "google_monitoring_notification_channel" "this" {
  for_each     = var.this.emails
  display_name = "${var.this.name}: budget"
  type         = "email"
  labels       = { email_address = each.value }
}

resource "google_billing_budget" "this" {
  billing_account = var.this.billing_account
  display_name    = var.this.name
  budget_filter { projects = ["projects/${var.this.project_number}"] }
  amount {
    specified_amount { units = ceil(var.this.amount) }
  }
  dynamic "threshold_rules" {
    for_each = [[0.5, "CURRENT_SPEND"], [0.8, "CURRENT_SPEND"], [1, "CURRENT_SPEND"], [1, "FORECASTED_SPEND"]]
    content {
      threshold_percent = threshold_rules.value[0]
      spend_basis       = threshold_rules.value[1]
    }
  }
  all_updates_rule { monitoring_notification_channels = [for channel in google_monitoring_notification_channel.this : channel.id] }
}
