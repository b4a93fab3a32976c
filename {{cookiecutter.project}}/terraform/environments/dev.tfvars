# Development: it may go at any time, and its API server may be opened to addresses of your own.
# What is not named here has its default of variables.tf in the cloud's folder, where every value is described.
project             = "{{ cookiecutter.project }}"
environment         = "dev"
region              = "{{ cookiecutter.__region }}"
kubernetes_version  = "1.34"
network_cidr        = "10.20.0.0/16"
authorized_cidrs    = [] # who reaches the API server from outside, such as 203.0.113.0/24; none: it is private
deletion_protection = false
log_retention_days  = 30
budget              = { amount = 300, emails = [] } # in a month; nothing is planned without an address

#% if cookiecutter.cloud == "local"
context = "{{ cookiecutter.project }}-dev" # of your kubeconfig: `kubectl config get-contexts`
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
