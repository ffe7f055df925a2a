# The verbs of the project. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
PORT ?= $(or $(MONITORD_PORT),8080)
VENV := .venv
BIN := $(VENV)/bin
# Tests at a time. One more than there are processors, as most wait for a telephone now and then;
# four at most, since each starts Asterisks, a database server and a browser of its own.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 3 ? n + 1 : 4)))

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help env page wheel run test test-fast test-page test-asterisk test-browser pictures \
        bench bench-page faults soak traces rows check-rows lab \
        lint types layers generate check-generated fmt clean

help: ## list the verbs
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

# --- set-up -----------------------------------------------------------------------------

env: .stamps/env ## the Python environment in .venv

.stamps/env: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "monitord needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try make PYTHON=python3.12"; exit 1; }
	@echo "set-up 1/3: Python environment in $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "set-up 2/3: packages (a minute or two on a fresh machine)"
	@$(BIN)/pip install --quiet -c constraints.txt pip
	@$(BIN)/pip install --quiet -c constraints.txt --group dev hatchling editables
	@$(BIN)/pip install --quiet -c constraints.txt --no-build-isolation --editable .
	@mkdir -p .stamps && touch $@

page: env ## build the page (only when its sources changed)
	@echo "set-up 3/3: the page"
	@$(BIN)/python web/build_page.py

wheel: page ## one file for a site to install: dist/monitord-*.whl
	@$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

# --- use --------------------------------------------------------------------------------

run: page ## the demo: a simulated call centre and the page on 127.0.0.1:8080 (PORT=...)
	@exec $(BIN)/monitord demo --port $(PORT)

lab: env ## real Asterisk 22 and 16 with phones, until Ctrl-C
	@$(BIN)/python -m tests.lab install
	@exec $(BIN)/python -m tests.lab up

# --- checks -----------------------------------------------------------------------------

test: lint types layers check-generated test-page test-fast test-asterisk test-browser check-rows ## everything

test-fast: page ## all tests but those with real servers and browsers
	$(BIN)/pytest -q -n $(WORKERS) -m "not asterisk and not browser"

test-page: page ## the page's own checks and unit tests
	$(BIN)/python web/build_page.py --npm run check
	$(BIN)/python web/build_page.py --npm test

test-asterisk: page ## on real Asterisk 22 and 16
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m "asterisk and not browser"

test-browser: page ## in Chromium, with the real daemon and real Asterisk
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m browser

pictures: page ## every state of the page as pictures in build/pictures, looked at by axe on the way
	MONITORD_PICTURES=all $(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m browser $(addprefix tests/browser/test_,\
	  $(addsuffix .py,coach_manager_states history menu people people_import sign_in team alerts views))

bench-page: page ## how smoothly the page runs with 2,000 agents
	$(BIN)/python -m tests.bench smooth --rounds $(or $(ROUNDS),1)

bench: page ## speed, as ratios of two things in one run (NAMES=..., ROUNDS=5, KEEP=1: docs/speed.md)
	$(BIN)/python -m tests.bench $(NAMES) --rounds $(or $(ROUNDS),5) $(if $(KEEP),--keep)

.stamps/fuzz: .stamps/env
	@$(BIN)/pip install --quiet -c constraints.txt --group fuzz
	@touch $@

faults: page .stamps/fuzz ## every fault of docs/reliability.md, long forms too (an hour; KEEP=1, CHAOS_SEEDS=, FUZZ_S=)
	$(if $(KEEP),rm -f build/faults.jsonl; MONITORD_KEEP_FAULTS=1) \
	  $(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m "fault or faults"

soak: env ## 100,000 calls and 5,000 supervisions in a row (CALLS=..., SUPERVISIONS=..., KEEP=1)
	$(BIN)/python -m tests.faults.soak --calls $(or $(CALLS),100000) \
	  --supervisions $(or $(SUPERVISIONS),5000) $(if $(KEEP),--keep)

traces: page ## record tests/traces anew from real Asterisk; review the diff
	MONITORD_KEEP_TRACES=1 $(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m "asterisk and not browser"

rows: env ## each acceptance row with the tests that passed for it (ROWS=003: all of these must)
	@$(BIN)/python -m tests.kit.rows $(ROWS)

check-rows: env ## the acceptance rows that pyproject.toml demands were shown
	@$(BIN)/python -m tests.kit.rows --required

lint: env ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: env ## types
	$(BIN)/mypy

layers: env ## imports point down only
	$(BIN)/lint-imports

generate: env ## files that are made from others
	$(BIN)/python web/generate_types.py
	$(BIN)/python web/record_frames.py
	$(BIN)/python docs/generate.py
	$(BIN)/python -m tests.kit.faults

check-generated: env ## generated files are current
	$(BIN)/python web/generate_types.py --check
	$(BIN)/python web/record_frames.py --check
	$(BIN)/python docs/generate.py --check
	$(BIN)/python -m tests.kit.faults --check

fmt: env ## format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove what was built (not the caches outside the checkout)
	rm -rf .venv .stamps build dist monitord/page web/node_modules .mypy_cache .ruff_cache .pytest_cache
