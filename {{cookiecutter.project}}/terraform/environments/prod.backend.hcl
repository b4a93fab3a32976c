# Where the state of prod is.
#% if cookiecutter.cloud == "local"
path = "../../artifacts/terraform/prod/terraform.tfstate"
#% else
# Written by make infra-bootstrap.
#% endif
#% if cookiecutter.cloud in ("aws", "gcp")
bucket = ""
#% endif
#% if cookiecutter.cloud == "azure"
storage_account_name = ""
#% endif
