# SPDX-License-Identifier: Apache-2.0
# Everything that a person or CI runs. `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
DEPS := .venv/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check
CONTROLPLANE := $(BIN)/python tools/controlplane/controlplane.py
JUDGING := for judge in judges helm; do $(BIN)/python tools/$$judge/$$judge.py; done
# an existing cluster only when named on the command line: one in the environment may be somebody's production
EXISTING := $(if $(filter command line,$(origin KUBECONFIG)),--kubeconfig $(KUBECONFIG))

# $(call step,NAME,COMMAND): say what runs, run it, say how long it took
step = @printf '==> %s\n' '$(1)'; SECONDS=0; $(2); printf '    %s: %d s\n' '$(1)' "$$SECONDS"

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: deps ## the whole story of an e-service on a real API server (KEEP=1 leaves it running)
	@$(BIN)/python -m tools.demo.demo

# each process has a control plane of its own, and takes file after file
TESTERS ?= 2
LEFT_OUT = $(strip $(if $(filter off,$(JUDGES)),judges) $(if $(filter traefik,$(LANES)),second_lane))

.PHONY: test
test: deps ## everything needed, then all tests (JUDGES=off: no Flux, no Helm; LANES=traefik: one gateway; TESTERS=1: one process)
	$(call step,control plane binaries,$(CONTROLPLANE) build)
	$(if $(filter traefik,$(LANES)),,$(call step,the second gateway,$(CONTROLPLANE) build --public-gateway contour))
	$(call step,the operator that ours is measured against,$(BIN)/python -m bench.minimal)
	$(if $(filter off,$(JUDGES)),,$(call step,judges of GitOps,$(JUDGING)))
	@printf '==> tests\n'; $(BIN)/python -m pytest tests --durations=25 \
	  $(if $(filter-out 1,$(TESTERS)),--numprocesses $(TESTERS) --dist loadfile --no-loadscope-reorder) $(if $(FIGURES),--figures $(FIGURES)) \
	  $(if $(LEFT_OUT),-m 'not ($(subst $() $(), or ,$(LEFT_OUT)))')

.PHONY: soak
soak: deps ## random paths through edits of every kind, all oracles on (MINUTES=60; SEED=… goes the same paths again)
	@$(CONTROLPLANE) build
	@ESERVICE_TEST_SOAK_MINUTES=$(or $(MINUTES),60) $(if $(SEED),ESERVICE_TEST_SEED=$(SEED)) \
	  $(BIN)/python -m pytest tests/transitions/test_transitions.py -s -p no:xdist

.PHONY: bench
bench: deps ## measure what it costs and what citizens notice (an hour), and write docs/benchmarks.md
	@$(CONTROLPLANE) build --public-gateway contour
	@$(BIN)/python -m bench.minimal
	@$(BIN)/python -m bench $(BENCH)

.PHONY: cluster-up
cluster-up: deps ## a real control plane here, empty but for our CRDs (KUBECONFIG=FILE prepares yours instead)
	@$(CONTROLPLANE) up $(EXISTING)

.PHONY: cluster-down
cluster-down: deps ## stop it
	@$(CONTROLPLANE) down

.PHONY: lint
lint: deps ## ruff (rules and format) and the changelog fragments
	@$(BIN)/ruff check --output-format concise .
	@$(BIN)/ruff format --check .
	@$(BIN)/towncrier build --draft --version unreleased >/dev/null

.PHONY: types
types: deps ## mypy --strict over operator, tests and tools
	@$(BIN)/mypy

.PHONY: contracts
contracts: deps ## the layers: who may import what
	@$(BIN)/lint-imports --no-logo

.PHONY: drift
drift: deps ## crds/ must be what the models generate
	@fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	  $(BIN)/python -m eservice_operator.api.crd "$$fresh" >/dev/null; \
	  diff -ru crds "$$fresh" || { echo 'crds/ differs from the models; run: make crds' >&2; exit 1; }

.PHONY: crds
crds: deps ## generate crds/*.yaml from the models in api/
	@$(BIN)/python -m eservice_operator.api.crd crds

.PHONY: fmt
fmt: deps ## sort imports and format
	@$(BIN)/ruff check --select I --fix --quiet .
	@$(BIN)/ruff format .

.PHONY: lock
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-annotate --no-header $(if $(UPGRADE),--upgrade)
lock: deps ## write the lock files again (UPGRADE=1 takes newer versions)
	@$(COMPILE) pyproject.toml --output-file requirements.txt
	@$(COMPILE) --constraint requirements.txt --group build --output-file requirements-build.txt
	@$(COMPILE) --constraint requirements.txt --constraint requirements-build.txt \
	  pyproject.toml --group dev --output-file requirements-dev.txt

.PHONY: deps
deps: $(DEPS) ## install everything into .venv, from the lock files and checked by hash

$(DEPS): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv \
	  || { echo 'python -m venv failed; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	$(call step,dependencies,\
	  $(PIP) install --quiet --require-hashes --only-binary :all: --requirement requirements-dev.txt; \
	  $(PIP) install --quiet --no-deps --no-build-isolation --editable .)
	@touch $@

.PHONY: clean
clean: ## remove what make has made in this folder, but for a running cluster (make cluster-down)
	rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist
	find . -name __pycache__ -type d -not -path './.cluster/*' -prune -exec rm -rf {} +
