# Tutela's commands. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Some machines forbid Python to keep what it compiles; each of a thousand commands would compile Tutela anew.
export PYTHONDONTWRITEBYTECODE :=

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.installed ## Make the virtual environment and install Tutela in it

run: setup ## Start Tutela here, with a sample list, and say what to try
	@$(BIN)/python samples/start.py

# Many tests wait, for a clock or another process: two more than the processors of a small machine.
SUITE := -m pytest -n 4 --dist loadscope --no-loadscope-reorder
# What is the same on both databases is tested on one of them; make soak takes both.
test: $(VENV)/.installed-tests ## Run the whole test suite
	@$(BIN)/python $(SUITE) --one-database

# The kernel's memory errors and undefined behaviour end the tests; the package is a copy of its own.
SOAK := build/soak
SOAK_TESTS := tests/fingerprints/test_pdq_kernel.py tests/matching/test_probing.py \
  tests/matching/test_searching.py tests/matching/test_index_states.py tests/matching/test_compacting.py
# Processes that keep what is confided to them are killed at random, a thousand times; every byte of a
# ledger is changed, one at a time.
KILLING_TESTS := tests/storage/jobs tests/ledger tests/evidence tests/backup \
  tests/reporting/delivery/test_killed_deliveries.py tests/reporting/delivery/test_outages.py
# What a browser shows of other people's pictures is held against what is hashed of them.
PICTURE_TESTS := tests/sandbox/test_corpora.py
# Files of every format made wrong, a million of them; archives, two hundred thousand; and whatever
# a fuzzer thinks of for the kernel.
HOSTILE_TESTS := tests/sandbox/test_archives.py tests/sandbox/test_mutated.py tests/kernel
# A video of an hour takes no more memory than one of minutes.
LONG_TESTS := tests/sandbox/test_video_memory.py
soak: $(VENV)/.installed-tests corpora ## Test at length, for hours: both databases, kills, fuzzers, hostile files
	@rm -rf $(SOAK) && mkdir -p $(SOAK) && cp -r src/tutela $(SOAK)
	@TUTELA_KERNEL_CFLAGS="-g -fsanitize=address,undefined -fno-sanitize-recover=all" \
	  $(BIN)/python hatch_build.py $(SOAK)/tutela/kernel/kernel.so
	@LD_PRELOAD="$$(cc -print-file-name=libasan.so)" ASAN_OPTIONS=detect_leaks=0 PYTHONPATH=$(SOAK) \
	  $(BIN)/python -m pytest -n 2 --timeout 3600 --hypothesis-profile soak $(SOAK_TESTS)
	@$(BIN)/python $(SUITE)
	@TUTELA_TEST_SOAK=1 $(BIN)/python -m pytest -n 2 -rP --timeout 7200 $(KILLING_TESTS) $(PICTURE_TESTS) $(HOSTILE_TESTS) $(LONG_TESTS)

corpora: $(VENV)/.installed ## Download other people's test files, for make soak
	@$(BIN)/python -m tests.sandbox.collecting build/corpora

check: $(VENV)/.installed-tests ## Lint, types and the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

peers: $(VENV)/.installed-peers ## Install what the benchmark measures against

bench: peers ## Measure against the nearest peers, side by side
	@$(BIN)/python -m benchmarks $(BENCH)

docs: setup ## Write the generated pages of the documentation anew
	@$(BIN)/python docs/write_configuration.py
	@$(BIN)/python docs/write_people.py
	@$(BIN)/python docs/write_cases.py
	@$(BIN)/python docs/write_schemas.py
	@$(BIN)/python docs/draw_terminal.py

lock: ## Compile the lock files anew (needs uv)
	@requirements/lock

clean: ## Remove what the commands above made, but never the data folder
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Tutela needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "Python cannot make virtual environments here. On Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.installed: requirements/run.lock pyproject.toml hatch_build.py $(wildcard src/tutela/kernel/*.[ch]) | $(BIN)/python
	@echo "Installing Tutela into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements/run.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@test -e src/tutela/kernel/kernel.so || echo "Tutela's kernel was not compiled, so it will be much slower. For a C compiler, on Debian: apt-get install gcc libc6-dev; then: make clean setup" >&2
	@touch $@

# The oracles are compiled. Where that cannot be, the tests that ask them say so and are skipped.
$(VENV)/.installed-tests: requirements/dev.lock requirements/oracle.lock requirements/video-oracle.lock $(VENV)/.installed
	@echo "Installing the test tools into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@$(PIP) install --require-hashes -r requirements/oracle.lock \
	  || echo "The test oracles could not be built (pdqhash needs a C++ compiler): their tests will be skipped." >&2
	@$(PIP) install --require-hashes -r requirements/video-oracle.lock \
	  || echo "The test oracle of videos could not be built (vpdq needs a C++ compiler, pkg-config and FFmpeg's development files): its tests will be skipped." >&2
	@touch $@

$(VENV)/.installed-peers: requirements/peers.lock $(VENV)/.installed-tests
	@$(PIP) install --require-hashes -r requirements/peers.lock
	@touch $@

.PHONY: help setup run test soak corpora check peers bench docs lock clean
