# `make help` lists the targets. Everything happens in .venv; nothing else is installed on the machine.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
WORKERS ?= 2

export ABSCOPE_DATA_DIR ?= data

.PHONY: help run test lint unit bench docs lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run ## Set up what is missing and serve on 127.0.0.1:8000
	@$(BIN)/abscope migrate
	@exec $(BIN)/abscope serve

test: lint unit ## Lint, types, contracts and all tests

lint: $(VENV)/.dev ## Ruff, mypy --strict, import contracts, docstrings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_docstrings.py

unit: $(VENV)/.dev ## All tests, WORKERS=2 at a time
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

bench: $(VENV)/.dev ## Every benchmark, one after the other
	@for script in $(filter-out %_worker.py %_peer.py,$(wildcard benchmarks/[a-z]*.py)); do \
	  echo "== $$script"; $(BIN)/python "$$script"; done

docs: $(VENV)/.dev ## Check the documentation: links, settings, executed examples
	$(BIN)/python -m pytest tests/test_docs.py tests/live/test_docs_examples.py

lock: ## Pin requirements/*.in with hashes again; UPGRADE=--upgrade for the newest (needs uv)
	@command -v uv >/dev/null || { echo "Install uv first: https://docs.astral.sh/uv/" >&2; exit 1; }
	scripts/lock.sh $(UPGRADE)

clean: ## Remove the environment and every cache; data stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Abscope needs Python 3.11 or newer: make run PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/runtime.txt requirements/build.txt pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m simulation.engine.warm
	$(BIN)/python -c "from service.warming import warm_up; warm_up()"
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@touch $@
