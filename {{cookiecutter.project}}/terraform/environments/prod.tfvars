# Production: its API server is private, and it refuses to be destroyed.
# What is not named here has its default of variables.tf in the cloud's folder, where every value is described.
project             = "{{ cookiecutter.project }}"
environment         = "prod"
region              = "{{ cookiecutter.__region }}"
kubernetes_version  = "1.34"
network_cidr        = "10.40.0.0/16"
authorized_cidrs    = []
deletion_protection = true
log_retention_days  = 365
budget              = { amount = 2000, emails = [] } # in a month; nothing is planned without an address

# A node in each zone.
node_pools = {
  cpu = {
    machine_types = ["{{ cookiecutter.__machine_type }}"]
    min           = 3
    max           = 9
  }
}

#% if cookiecutter.cloud == "local"
context = "{{ cookiecutter.project }}-prod" # of your kubeconfig: `kubectl config get-contexts`
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
