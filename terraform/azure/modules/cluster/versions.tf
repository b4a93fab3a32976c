terraform { required_version = ">= 1.11, < 2.0" } # and of azurerm what the root takes
