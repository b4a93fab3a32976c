variable "this" {
  description = "Name of the budget, amount of a month, and who is told."
  type        = object({ name = string, amount = number, emails = list(string) })
}
