# Where a release is tried: like prod, but smaller.
# What is not named here has its default of variables.tf in the cloud's folder, where every value is described.
project            = "{{ cookiecutter.project }}"
environment        = "staging"
region             = "{{ cookiecutter.__region }}"
kubernetes_version = "1.34"
network_cidr       = "10.30.0.0/16"
authorized_cidrs   = []
budget             = { amount = 600, emails = [] } # in a month; nothing is planned without an address

#% if cookiecutter.cloud == "local"
context = "{{ cookiecutter.project }}-staging" # of your kubeconfig: `kubectl config get-contexts`
#% endif
#% if cookiecutter.cloud == "aws"
account_id = "" # aws sts get-caller-identity
#% endif
#% if cookiecutter.cloud == "gcp"
project_id      = "" # gcloud projects list
project_number  = ""
billing_account = "" # gcloud billing accounts list
#% endif
#% if cookiecutter.cloud == "azure"
subscription_id = "" # az account show
tenant_id       = ""
admin_group_ids = [] # az ad group show --group NAME
#% endif
