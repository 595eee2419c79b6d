# `make` alone lists the targets. Each builds .venv first where that is needed; nothing outside this folder is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Written last, so an interrupted build is done again. Holds the folder that .venv was built for, then the lock that it was built from.
STAMP := $(VENV)/built-from
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: demo test check lint bench lock clean help FORCE

demo: $(STAMP)  ## train on the embedded default and write videos and runs/demo/report.html
	$(BIN)/latentreel demo

test: $(STAMP)  ## run the tests
	$(BIN)/pytest --numprocesses 2 --dist loadfile

check: lint test  ## what CI runs: format, lint, types, layers, spelling, tests

lint: $(STAMP)  ## everything in check but the tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

bench: $(STAMP)  ## measure speed against the plain references
	$(BIN)/latentreel bench

lock:  ## resolve requirements.lock anew from pyproject.toml (needs the network)
	@$(REQUIRE_PYTHON)
	"$(PYTHON)" scripts/lock.py

clean:  ## remove .venv and caches; runs/ stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/*.egg-info
	find src tests benchmarks scripts -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

help:  ## list the targets
	@echo "make TARGET (PYTHON=python3.12 make clean TARGET builds .venv with that Python)"
	@sed -n 's/^\([a-z]*\):.*  ## /  \1\t/p' Makefile

# A .venv cannot be moved or copied, and dies with the Python that it was made from: then it is built again.
ifneq ($(shell $(BIN)/python -c "" 2>/dev/null && head -n 1 $(STAMP) 2>/dev/null),$(CURDIR))
$(STAMP): FORCE
endif

# Packages are installed only where the lock changed. A change of pyproject.toml alone installs just latentreel, and needs no network.
$(STAMP): requirements.lock pyproject.toml
	@if ! { echo "$(CURDIR)"; cat requirements.lock; } | cmp -s - $@ || ! $(BIN)/python -c ""; then \
	  $(REQUIRE_PYTHON); \
	  echo "Building $(VENV) from requirements.lock: once, a few minutes where packages must be downloaded"; \
	  rm -rf $(VENV) && "$(PYTHON)" -m venv $(VENV) && $(PIP) install --requirement requirements.lock; \
	fi
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@{ echo "$(CURDIR)"; cat requirements.lock; } > $@.partial && mv $@.partial $@

define REQUIRE_PYTHON
refuse() { echo "latentreel needs Python 3.11 or newer with its venv module: $$1" >&2; exit 1; }; \
"$(PYTHON)" --version >/dev/null 2>&1 || refuse "'$(PYTHON)' cannot be run. Install it, or name another: PYTHON=python3.12 make ..."; \
"$(PYTHON)" -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
  refuse "'$(PYTHON)' is $$("$(PYTHON)" --version 2>&1). Name another: PYTHON=python3.12 make ..."; \
"$(PYTHON)" -c "import ensurepip, venv" 2>/dev/null || \
  refuse "'$(PYTHON)' lacks it. On Debian and Ubuntu: sudo apt install python3-venv"
endef
