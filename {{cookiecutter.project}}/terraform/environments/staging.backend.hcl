# Where the state of staging is.
#% if cookiecutter.cloud == "local"
path = "../../artifacts/terraform/staging/terraform.tfstate"
#% else
# Written by make infra-bootstrap.
#% endif
#% if cookiecutter.cloud in ("aws", "gcp")
bucket = ""
#% endif
#% if cookiecutter.cloud == "azure"
storage_account_name = ""
#% endif
