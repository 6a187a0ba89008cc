# One command each. Everything lives in .venv, which `make setup` keeps in step with constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
UV := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv
DEMO := $(BIN)/kdsl demo --data .kdsl/demo $(if $(KEEP),--keep) $(if $(SUMMARY),--summary $(SUMMARY))

# Most tests wait for Kafka: on two cores three processes share them, each with a Kafka of its own.
TEST_PROCESSES ?= 3

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow check bench bench-mining bench-mining-large faults constraints format clean

help: ## show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/uv
	$(UV) pip install --quiet --constraint constraints.txt --editable '.[cpu,ocr,broker,train]'
	@touch $@

$(VENV)/.setup: pyproject.toml constraints.txt | $(BIN)/uv
	$(UV) pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.demo

setup: $(VENV)/.setup ## make .venv with everything for development

demo: $(VENV)/.demo ## the whole system on this machine; KEEP=1 leaves it running, SUMMARY=FILE writes JSON
	@$(DEMO)

test: setup check ## all checks and tests, on a real Kafka
	$(BIN)/pytest -n $(TEST_PROCESSES) --no-loadscope-reorder -m "not slow"

test-slow: setup ## the tests that take minutes
	$(BIN)/pytest -m slow -v

bench: setup ## the benchmark of the frame transport; about an hour, writes docs/benchmarks.md
	$(BIN)/kdsl bench stream --markdown docs/benchmarks.md

bench-mining: setup ## the benchmark of rule mining on ../shared/data; within an hour, writes docs/benchmarks.md
	$(BIN)/python -m tests.benchmarks.mining --markdown docs/benchmarks.md

bench-mining-large: setup ## mining a made table of 100,000 rows and 20,000 literals; writes docs/benchmarks.md
	$(BIN)/python -m tests.benchmarks.mining_large --markdown docs/benchmarks.md

faults: setup ## the fault tests with a longer stream: STREAM_S=60 seconds before and after each fault; about 25 minutes
	KDSL_TEST_STREAM_S=$(or $(STREAM_S),60) $(BIN)/pytest -m faults -v --capture=tee-sys \
	  -o console_output_style=count tests/faults

check: setup ## ruff, mypy, import-linter; never edits
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## let ruff format and mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

constraints: $(BIN)/uv ## recompile constraints.txt, keeping what still fits
	$(UV) pip compile pyproject.toml --universal --all-extras --generate-hashes --quiet \
	  --custom-compile-command 'make constraints' --output-file constraints.txt

clean: ## remove what the targets made
	rm -rf $(VENV) .kdsl .mypy_cache .pytest_cache .ruff_cache .hypothesis
