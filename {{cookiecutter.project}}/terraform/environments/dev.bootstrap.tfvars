# What CI signs in with, and the place for the state of dev: the README.md in the cloud's bootstrap/ says what stands here.
project     = "{{ cookiecutter.project }}"
environment = "dev"
region      = "{{ cookiecutter.__region }}"
state_name  = "" # no other in the world may have it

ci_subjects = {
  issuer   = "https://token.actions.githubusercontent.com"
  audience = "{{ cookiecutter.__audience }}"
  plan     = []
  apply    = []
}

#% if cookiecutter.cloud == "aws"
account_id = "" # aws sts get-caller-identity
#% endif
#% if cookiecutter.cloud == "gcp"
project_id     = "" # gcloud projects list
project_number = ""
#% endif
#% if cookiecutter.cloud == "azure"
subscription_id = "" # az account show
tenant_id       = ""
state_access    = { cidrs = [], subnet_ids = [] } # of people and CI runners
#% endif
