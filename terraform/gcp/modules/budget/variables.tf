variable "this" {
  description = "Name of the budget, the account that is billed, number of the project that is counted, limit of a month, and who is told."
  type        = object({ name = string, billing_account = string, project_number = string, amount = number, emails = set(string) })
  validation {
    condition     = length(var.this.emails) <= 5
    error_message = "budget: emails: ${length(var.this.emails)} are given: Google Cloud tells at most 5 addresses: give a mailing list."
  }
}
