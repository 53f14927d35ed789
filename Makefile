# Two commands for newcomers: `make demo` and `make test`. The rest is for developers.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000

.PHONY: help demo serve test test-long soak machine lint format clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("MedGEN needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV) || { echo "Creating the virtual environment failed. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/core.stamp: $(BIN)/python requirements/core.txt requirements/constraints.txt
	@echo "Installing what the product needs into $(VENV) (about two minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/core.txt
	@touch $@

$(VENV)/dev.stamp: $(VENV)/core.stamp requirements/dev.txt
	@echo "Installing what the tests need into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	@touch $@

demo: $(VENV)/core.stamp ## the demo world on http://127.0.0.1:8000
	@MEDGEN_HOME="$${MEDGEN_HOME:-var-demo}" $(BIN)/python manage.py demo --port $(PORT)

serve: $(VENV)/core.stamp ## the product on your own home (MEDGEN_HOME, default var/)
	@$(BIN)/python manage.py serve --port $(PORT)

test: machine $(VENV)/dev.stamp ## lint, types and the tests, browser included; those of the database on PostgreSQL too
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	OPENPYXL_LXML=False $(BIN)/pytest -n 2 --dist loadgroup
	OPENPYXL_LXML=False $(BIN)/pytest -n 2 --dist loadgroup --engine postgresql

test-long: machine $(VENV)/dev.stamp ## what make test leaves out: kills, restores, whole demos; pages on PostgreSQL
	OPENPYXL_LXML=False $(BIN)/pytest -n 2 --dist loadgroup -m "long and not soak"
	OPENPYXL_LXML=False $(BIN)/pytest -n 2 --dist loadgroup --engine postgresql --rest -m "not soak"

soak: machine $(VENV)/dev.stamp ## the long checks: kills at random moments, repeated
	OPENPYXL_LXML=False $(BIN)/pytest -m soak

machine:
	@$(PYTHON) -m tests.machine

lint: $(VENV)/dev.stamp ## only lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .

format: $(VENV)/dev.stamp ## bring the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove the virtual environment and caches, never the home
	rm -rf $(VENV) .mypy_cache .ruff_cache
