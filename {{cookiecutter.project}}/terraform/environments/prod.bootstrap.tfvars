# What CI signs in with, and the place for the state of prod: the README.md in the cloud's bootstrap/ says what stands here.
# The rest the bootstrap has from prod.tfvars.
state_name = "" # no other in the world may have it

ci_subjects = {
  issuer   = "https://token.actions.githubusercontent.com"
  audience = "{{ cookiecutter.__audience }}"
  plan     = []
  apply    = []
}
#% if cookiecutter.cloud == "azure"
state_access = { cidrs = [], subnet_ids = [] } # of people and CI runners
#% endif
