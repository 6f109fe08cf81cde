# One page of commands. `make help` explains itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TYPED := $(VENV)/typed/impasse
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test lint format clean

help: ## Show this page
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Impasse needs Python 3.11 or later; set PYTHON=..."; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV), which takes some minutes ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

install: $(STAMP) ## Create .venv and install everything, once

demo: $(STAMP) ## Simulate a registry of 20,000 persons and report how far definitions disagree
	@$(BIN)/impasse demo

test: lint ## Lint and run every test
	@# Tests start the command often: what Python compiles of it is kept, whatever the environment says.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist loadfile --max-worker-restart 0 --no-loadscope-reorder

lint: $(STAMP) ## Lint only
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@mkdir -p $(TYPED) && touch $(TYPED)/__init__.py && ln -sfn ../../../schemas ../../../transforms $(TYPED)/
	@MYPYPATH=$(VENV)/typed $(BIN)/python -m mypy --cache-dir $(VENV)/mypy -p impasse.schemas -p impasse.transforms

format: $(STAMP) ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## Remove the environment and everything generated
	rm -rf $(VENV) build *.egg-info runs demo
