# Each target is a thin line over a command that can be typed. `make` alone lists them.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
MADE = $(VENV)/.made

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

env: $(MADE) ## make the environment; made again only when pyproject.toml or constraints.txt change

$(MADE): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "netparity needs Python 3.11 or newer, got $$($(PYTHON) --version); say make PYTHON=/path/to/python3.11" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

check: env ## prove that every network is the same function in Flax, PyTorch and NumPy
	$(BIN)/parity check

bugs: env ## plant each known bug in turn and show which rung catches it
	$(BIN)/parity bugs

study: env ## train the whole study again and judge its claims; says first how long it will take
	$(BIN)/parity reproduce --scale full --out reproduction-full

test: env ## run the tests, on two cores at once
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

slow: env ## run the tests that take minutes each
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.evidence.slow

evidence: env ## make all of docs/evidence.md anew: hours; goes on where it was stopped
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[mutation]'
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.evidence

mutants: env ## change the checks in each place in turn and count what the tests notice; about ten minutes
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[mutation]'
	$(BIN)/python -m benchmarks.evidence.mutants

versions: env ## run the tests (TESTS=) with the lowest and the newest versions (ENDS=) on Python 3.11 to 3.13 (PYTHONS=); hours
	$(BIN)/python -m benchmarks.versions $(PYTHONS:%=--python %) $(ENDS:%=--end %) $(TESTS)

pairs: env ## check the public pairs of tests/pairs, each in a process of its own
	$(BIN)/python -m benchmarks.pairs.check --out build/public-pairs

gallery: env ## check the pairs of other projects, each in a process of its own; benchmarks/README.md says what to install
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.pairs.gallery --out build/gallery

bench: env ## prove and time everything; about an hour, on an idle machine
	$(BIN)/python -m benchmarks run

gpu: ## all that a GPU is asked to do, in parts that resume; hours; with PYTHON=, and DATA= for images to train on
	$(PYTHON) -m benchmarks gpu $(if $(DATA),--data-dir $(DATA))

docs: env ## build the documentation site in site/, warnings as errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

lint: env ## format check, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

.PHONY: help env check bugs study test slow evidence mutants versions pairs gallery bench gpu docs lint
