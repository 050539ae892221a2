# `make run` and `make test` need Python >= 3.11 and make, nothing else.
# A python3 on the PATH may be a shim without an interpreter behind it, so each one is tried.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
  $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run dev test test-ops unit fuzz lint format bench bench-ears bench-copies load migration export constraints clean

help:  ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 20

run: .venv/installed  ## Start everything and open the library
	@trap '' USR1; exec $(BIN)/python -m sp404_app serve --with-parent

dev: .venv/installed  ## The same, reloading when code changes
	@exec $(BIN)/python -m sp404_app serve --with-parent --reload

test: .venv/installed-dev  ## Run every test, and check the coverage of audio and services
	@exec $(BIN)/python -m tests.run $(TESTS)

test-ops: .venv/installed-dev  ## Run the slow tests of operation: restarts, recovery, proxies
	@exec $(BIN)/python -m tests.run --ops $(TESTS)

unit: .venv/installed-dev  ## Run the fast tests of audio, figures and services: under two minutes
	@exec $(BIN)/python -m tests.run --unit

fuzz: .venv/installed-dev  ## Send hostile values to every handler and route for a long time
	SP404_FUZZ_ROUNDS=200 $(BIN)/pytest tests/security/test_fuzz.py tests/security/test_contract.py tests/audio/test_damage.py

lint: .venv/installed-dev  ## Check format, lint, types, import order and migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m tests.pending_migrations

format: .venv/installed-dev  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/installed-dev  ## Run the benchmarks; results go into docs/PERFORMANCE.md
	@for name in startup first_load library pads arrival upload_memory auth sign_ins load; do \
	  echo "== bench/$$name.py"; $(BIN)/python bench/$$name.py || exit 1; done

SOUNDS ?= ../shared/data/sounds
bench-ears: .venv/installed-dev  ## Measure the accuracy of the audio analysis, beside librosa
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 SP404_SOUNDS=$(SOUNDS) $(BIN)/python -m bench.ears \
	  --cache build/ears --plots docs/ears

bench-copies: .venv/installed-dev  ## Measure the accuracy of duplicate detection
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 SP404_SOUNDS=$(SOUNDS) $(BIN)/python -m bench.copies

load: build/load/installed  ## Send load: make load HOST=… TOKENS=… [USERS=1000] [MINUTES=20]
	@USERS=$(USERS) MINUTES=$(MINUTES) TOKENS=$(TOKENS) build/load/bin/locust --headless --only-summary \
	  -f deploy/load/locustfile.py --host $(HOST)

build/load/installed: deploy/load/requirements.txt
	$(PYTHON) -m venv build/load
	build/load/bin/pip install -q -r $<
	@touch $@

migration: .venv/installed-dev  ## Write a migration: make migration MESSAGE="add pads"
	$(BIN)/python -m tests.pending_migrations --write "$(MESSAGE)"

export: .venv/installed  ## Write frontend.zip and backend.zip into build/export
	SP404_HOME=$(CURDIR)/build/export-home $(BIN)/python -m sp404_app build --zip $(CURDIR)/build/export

constraints:  ## Pin all dependencies of the requirements, from a fresh environment
	rm -rf build/freeze
	$(PYTHON) -m venv build/freeze
	build/freeze/bin/python -m pip install -q -r requirements-dev.txt
	build/freeze/bin/python -m pip freeze --all --exclude pip --exclude setuptools > constraints.txt
	rm -rf build/freeze

clean:  ## Remove the environment and build output; your library stays
	rm -rf .venv build .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" || \
	  { echo "Python 3.11 or newer is needed: install it, or run PYTHON=/path/to/python3.12 make run" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: requirements.txt constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install -q -r requirements.txt -c constraints.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt constraints.txt | .venv/installed
	$(BIN)/python -m pip install -q -r requirements-dev.txt -c constraints.txt
	@touch $@
