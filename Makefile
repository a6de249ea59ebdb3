# `make train` and `make test` are all you need; both create .venv if it is missing.
# Variables: PYTHON (the interpreter for .venv); ARGS (Hydra overrides such as ARGS="loss=mse seed=1", or options of the
# benchmarks such as ARGS="--only predict --repeat 3").

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RAY := .venv-ray
RAY_READY := $(RAY)/.ready
LOWEST := .venv-lowest
LOWEST_READY := $(LOWEST)/.ready
LOWEST_TOOLS := hypothesis pytest pytest-randomly pytest-xdist
PEERS := .venv-peers
PEERS_READY := $(PEERS)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup same-python train test tests test-all test-ray test-lowest fuzz chaos checks lint types wheel peers bench bench-quick bench-serve profile
.PHONY: behaviour exports explanations lock audit licences lecture-sweep statistics ladder report-picture course notebook site docs docs-check clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: $(READY) ## Create .venv with the tested versions (other targets do this if needed)

# The stamp is written last, so that an interrupted installation is continued.
$(READY): pyproject.toml constraints.txt .ci/setup | same-python
	@bash .ci/setup "$(PYTHON)" "$(VENV)"
	@touch $@

same-python: # Only if PYTHON was given: an environment of another Python is not used without a word.
ifneq ($(origin PYTHON), file)
	@bash .ci/same-python "$(PYTHON)" "$(VENV)"
endif

train: $(READY) ## Run the lecture: train with validation, test, predict (ARGS="model.hidden=32 loss=mse")
	@$(BIN)/python train.py $(ARGS)

# Two workers, which take tests from each other when they have none left. One torch thread each.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest

test: $(READY) ## Run every check: lint, types, structure, tests
	@$(MAKE) --no-print-directory --jobs=2 checks tests

checks: lint types

tests: $(READY) # Beside the checks: each of them uses one core.
	@$(PYTEST) -n 2 --dist worksteal

test-all: test ## The same, and the slow proofs (several minutes)
	@$(PYTEST) -n 2 --dist loadfile -m slow

test-ray: $(RAY_READY) ## Run the tests that start a Ray cluster, in .venv-ray (created if needed)
	@$(RAY)/bin/python -m pytest -m ray tests/sweeps

$(RAY_READY): $(READY) .ci/setup-ray # With the Python of .venv, whose libraries it uses.
	@bash .ci/setup-ray "$(BIN)/python" "$(RAY)" "$(VENV)"
	@touch $@

fuzz: $(READY) ## Try hostile files, folders and values on every verb (ARGS="--seed 1 --count 300")
	@PYTHONPATH=tests $(BIN)/python -m fuzz $(ARGS)

chaos: $(READY) ## Stop runs and a sweep at random moments and compare what comes of them (ARGS="--kills 25 --seed 1")
	@$(BIN)/python -m benchmarks.chaos $(ARGS)

test-lowest: $(LOWEST_READY) ## Run the quick tests with the lowest admitted versions, in .venv-lowest (created if needed)
	@OMP_NUM_THREADS=1 $(LOWEST)/bin/python -m pytest -W default tests/test_console.py tests/test_settings.py \
	  tests/test_checkpoint.py tests/data tests/model tests/inference tests/reports $(ARGS)

$(LOWEST_READY): pyproject.toml constraints.txt .ci/setup .ci/lowest.py
	@mkdir -p dist && "$(PYTHON)" .ci/lowest.py >dist/lowest.txt
	@bash .ci/setup "$(PYTHON)" "$(LOWEST)" dist/lowest.txt --editable ".[joblib,submitit,search,onnx,hub,serve,report]" datasets $(LOWEST_TOOLS)
	@touch $@

lint: $(READY) docs-check ## Check style, dead code, dependencies, layers of imports, and measured numbers in docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/vulture
	@$(BIN)/deptry src
	@$(BIN)/lint-imports

types: $(READY) ## Check types strictly
	@$(BIN)/mypy

lock: $(READY) ## Write requirements.lock: every library with its hash, for this platform
	@$(BIN)/python .ci/lock.py >.venv/requirements.lock
	@mv .venv/requirements.lock requirements.lock

audit: ## Ask pip-audit for known weaknesses of the locked libraries; skipped where it cannot ask
	@bash .ci/audit "$(PYTHON)"

licences: $(READY) ## List the licence of every library
	@$(BIN)/python .ci/licences.py

wheel: $(READY) ## Build dist/*.whl
	@$(BIN)/python -m build --wheel --outdir dist .

peers: $(PEERS_READY) ## Create .venv-peers with the libraries of the benchmarks (bench does this if needed)

$(PEERS_READY): benchmarks/requirements-peers.txt .ci/setup-peers
	@bash .ci/setup-peers "$(PYTHON)" "$(PEERS)"
	@touch $@

bench: $(READY) $(PEERS_READY) ## Measure this project and its peers, write results and docs (IMDBCLF_DATA; ARGS="--only predict")
	@$(BIN)/python -m benchmarks $(ARGS)
	@$(BIN)/python -m benchmarks.docs

bench-quick: $(READY) $(PEERS_READY) ## The same in a few minutes; writes nothing
	@$(BIN)/python -m benchmarks --quick $(ARGS)

behaviour: $(READY) ## Run the shipped behaviour tests on three recipes: docs/check.md (IMDBCLF_DATA)
	@$(BIN)/python -m benchmarks.behaviour
	@$(BIN)/python -m benchmarks.docs

exports: $(READY) $(PEERS_READY) ## Size, differences and speed of all exports: docs/export.md (IMDBCLF_DATA; ARGS="--lecture RUN --strong RUN")
	@$(BIN)/python -m benchmarks.exports $(ARGS)
	@$(BIN)/python -m benchmarks.docs

explanations: $(READY) $(PEERS_READY) ## Compare the exact effects of words with LIME and SHAP: docs/explain.md (IMDBCLF_DATA)
	@$(BIN)/python -m benchmarks.explanations
	@$(BIN)/python -m benchmarks.docs

profile: $(READY) ## Measure where the time of a run goes: docs/performance.md (IMDBCLF_DATA)
	@$(BIN)/python -m benchmarks.performance
	@$(BIN)/python -m benchmarks.docs

bench-serve: $(READY) $(PEERS_READY) ## Measure imdbclf serve and other servers with wrk: docs/serve.md (IMDBCLF_DATA; ARGS="--lecture RUN --strong RUN")
	@$(BIN)/python -m benchmarks.serve $(ARGS)
	@$(BIN)/python -m benchmarks.docs

lecture-sweep: $(READY) ## Run the lecture's 36 networks with 25 seeds: docs/lecture-sweep.md (IMDBCLF_DATA)
	@$(BIN)/python -m benchmarks.lecture_sweep
	@$(BIN)/python -m benchmarks.docs

statistics: $(READY) $(PEERS_READY) ## Why seeds differ, what helps, and which intervals hold: docs/statistics.md (IMDBCLF_DATA)
	@$(BIN)/python -m benchmarks.seeds
	@$(BIN)/python -m benchmarks.coverage
	@$(BIN)/python -m benchmarks.docs

ladder: $(READY) $(PEERS_READY) ## From the lecture to the strongest recipe, one change per rung, into docs/ladder.md (IMDBCLF_DATA)
	@$(BIN)/python -m benchmarks.ladder $(ARGS)
	@$(BIN)/python -m benchmarks.docs

report-picture: $(READY) ## Train the lecture, and take the pictures of its report and its page (IMDBCLF_DATA; Chromium)
	@rm -rf dist/lecture && mkdir -p dist
	@$(BIN)/imdbclf train experiment=lecture hydra.run.dir=dist/lecture
	@$(BIN)/imdbclf evaluate dist/lecture --report dist/lecture/report.html --false-negative-cost 5
	@chromium --headless --no-sandbox --hide-scrollbars --window-size=760,1060 --screenshot=docs/report.png \
	  "file://$(CURDIR)/dist/lecture/report.html"
	@$(BIN)/imdbclf export dist/lecture dist/lecture/page.html --to web
	@chromium --headless --no-sandbox --hide-scrollbars --window-size=760,790 --virtual-time-budget=5000 \
	  --screenshot=docs/page.png "file://$(CURDIR)/dist/lecture/page.html"

course: $(READY) ## Make the pictures of docs/lecture/ with the commands of its pages (IMDBCLF_DATA)
	@$(BIN)/python -m benchmarks.course

notebook: $(READY) ## Execute notebooks/lecture.ipynb on the sample, or on IMDBCLF_DATA; show what it prints
	@$(BIN)/python .ci/notebook.py

site: $(READY) ## Build the documentation as a site, offline, into dist/site (CHECKPOINT=RUN: its page classifies with it)
	@bash .ci/site "$(BIN)" "$(CHECKPOINT)"

docs: $(READY) ## Write what was measured into docs/ and README (benchmarks/*.json)
	@$(BIN)/python -m benchmarks.docs

docs-check: $(READY) # Part of lint: docs/ and README show what was measured.
	@$(BIN)/python -m benchmarks.docs --check

clean: ## Remove .venv*, caches and dist; outputs/ stays
	rm -rf $(VENV) $(RAY) $(LOWEST) $(PEERS) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
