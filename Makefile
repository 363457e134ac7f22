# All commands run in the .venv of this checkout; `make setup` creates it, a second call does nothing.
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python,$(shell \
    $(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)))
BIN := .venv/bin
READY := .venv/.ready
PARAMS ?= params/houses.yml
REF ?= houses
EXAMPLES ?= 10000
FUZZ_SECONDS ?= 600
PLANS ?= 4000
TESTS ?=
# a C compiler of 96 MB, for a system without one
COMPILER := $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements-compiler.lock
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help setup export check test coverage test-slow test-whole run run-all parity champions report lab docs lock bits mutants \
    faults fuzz fuzz-core fuzz-plans sanitize survey bench simulations first-hour wheels wheels-arm \
    clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## create .venv from requirements.lock and install git's notebook drivers

$(READY): requirements.lock requirements-compiler.lock settings.ini setup.py pyproject.toml $(wildcard native/*.*)
	@test -n "$(PYTHON)" || { echo "found no Python >= 3.11 on PATH; install one or run make PYTHON=..."; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.lock > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --compile-bytecode --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python native/build.py --compiler || $(COMPILER) 2>/dev/null || echo "no C compiler, and ziglang was not installed"
	@$(BIN)/python native/build.py
	@if git rev-parse --git-dir >/dev/null 2>&1; then \
	    git config merge.jupyternotebook.name "merge notebooks cell by cell"; \
	    git config merge.jupyternotebook.driver "$(BIN)/nbdev-merge %O %A %B %P"; \
	    git config diff.jupyternotebook.command $(BIN)/nbdev-diff-driver; \
	fi
	@touch $@

export: setup ## write pipeline_lib/steps and pipeline_lib/pipelines from the notebooks
	$(BIN)/pipeline-lib export

check: setup ## clean notebooks, fresh export, lint, types, layers
	$(BIN)/pipeline-lib clean --check
	$(BIN)/pipeline-lib export --check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup ## run the notebooks' own assertions and the tests
	$(BIN)/nbdev-test nbs/steps
	$(BIN)/nbdev-test nbs/pipelines
	$(BIN)/pytest -n logical --dist loadfile --max-worker-restart 0

coverage: setup ## run the same tests and print the lines that they leave out; takes twice as long
	$(BIN)/pytest -n logical --dist loadfile --max-worker-restart 0 --cov --cov-report=term

test-slow: setup ## run the slow matrices that the everyday tests leave out
	$(BIN)/pytest -n logical --dist loadfile --max-worker-restart 0 -m "slow and not whole"

test-whole: setup ## run what test-slow leaves out: the rest of the matrices of which it takes a sample
	$(BIN)/pytest -n logical --dist loadfile --max-worker-restart 0 -m whole

run: setup ## execute a research notebook, leave a record, check parity (PARAMS=params/houses.yml)
	$(BIN)/pipeline-lib run $(PARAMS)

run-all: setup ## run every pipeline, check parity, write one page with all reports
	$(BIN)/pipeline-lib run-all

parity: setup ## repeat a record in fresh processes and compare every bit (REF=houses)
	$(BIN)/pipeline-lib parity $(REF)

champions: setup ## repeat the record of every champion and compare every bit
	@for file in $(wildcard champions/*.yml); do \
	    name=$${file##*/}; $(BIN)/pipeline-lib parity $${name%.yml}@champion || exit; done

report: setup ## print the path of a record's report (REF=houses)
	$(BIN)/pipeline-lib report $(REF)

lab: setup ## open JupyterLab on the notebooks
	$(BIN)/jupyter lab --notebook-dir=.

docs: setup ## build the documentation site, without network: build/site/html/index.html
	$(BIN)/python -m tools.site.build

lock: setup ## resolve settings.ini into requirements.lock and requirements-core.lock
	PATH="$(BIN):$$PATH" $(BIN)/python -m tools.lock

bits: setup ## print the parity matrix: pipelines x settings, rows whose bits differ
	$(BIN)/python -m tools.bits

mutants: setup ## change one thing at a time in a record or in the code; show that a check names it
	$(BIN)/python -m tools.mutants

faults: setup ## kill, interrupt and crowd runs, fail disk writes; show that no unfinished record looks finished
	$(BIN)/python -m tools.faults

fuzz: setup ## compare 10,000 generated examples of each recorded method with its library (EXAMPLES=10000)
	$(BIN)/python -m tools.fuzz --examples $(EXAMPLES)

fuzz-core: setup ## let clang's libFuzzer look for plans and columns that end the native core (FUZZ_SECONDS=600)
	$(BIN)/python native/fuzz/run.py --target plan --seconds $(FUZZ_SECONDS)
	$(BIN)/python native/fuzz/run.py --target columns --seconds $(FUZZ_SECONDS)

fuzz-plans: setup ## compare 4,000 random plans in the native core with NumPy, bit for bit (PLANS=4000)
	$(BIN)/python -m tools.random_plans --plans $(PLANS)

sanitize: setup ## run the tests that load the native core under AddressSanitizer and UBSan (TESTS=...)
	$(BIN)/python -m tools.sanitize $(TESTS)

survey: setup ## compile every public estimator with the options that users meet; write docs/what-compiles.md
	$(BIN)/python -m tools.survey

bench: setup ## run the benchmarks, each printing ratios measured side by side
	@for script in $(wildcard benchmarks/*.py); do $(BIN)/python $$script || exit; done

simulations: setup ## measure intervals and verdicts on simulated pairs of models; write docs/comparison-statistics.md
	$(BIN)/python -m tools.simulations

first-hour: setup ## build the wheel and go a new user's first hour in a clean environment; times of each step
	$(BIN)/python -m tools.first_hour

wheels: setup ## build dist/: a source archive, and wheels with the native core for Linux on x86-64 and ARM
	$(COMPILER)
	$(BIN)/python -m tools.wheels

wheels-arm: wheels ## try the ARM wheel in an emulated Debian: the core's tests, and records repeated bit for bit
	$(BIN)/python -m tools.wheels_arm

clean: ## remove the environment, caches and build leftovers; records stay
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
