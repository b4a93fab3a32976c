variable "name" {
  description = "Name of the budget."
  type        = string
}

variable "budget" {
  description = "Amount of a month, and who is told."
  type        = object({ amount = number, emails = list(string) })
}
