# The same few targets for people and for CI. Each sets up what it needs from a fresh clone.
# Assumed: make and Python >= 3.10; for engines that are built here, Go. Nothing is installed outside .venv and the cache.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
BENCH_BIN := .venv-bench/bin
BENCH_READY := .venv-bench/.ready
OLDEST := .venv-oldest
ARGS ?=
# Its own node and its own bundled program: nothing is asked of the network.
PYRIGHT := PYRIGHT_PYTHON_GLOBAL_NODE=0 PYRIGHT_PYTHON_USE_BUNDLED_PYRIGHT=1 PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright
say = @printf '\033[1m==> %s\033[0m\n' "$(1)" >&2

.PHONY: help demo test check fix engines test-oldest test-engines bench mutants artefacts lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(READY): constraints.txt pyproject.toml tools/make_venv.py
	$(call say,setting up .venv from constraints.txt)
	@$(PYTHON) tools/make_venv.py .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Break the demo shop, watch the alert fire, follow its runbook (ARGS=--once to end by itself)
	@$(BIN)/obs demo $(ARGS)

test: $(READY) ## Run the tests that need no engine
	$(call say,tests without engines)
	@$(BIN)/pytest -n auto -m "not engines" $(ARGS)

check: $(READY) ## Format, lint, types, import contracts, drift and coverage of generated files, docs
	$(call say,format)
	@$(BIN)/ruff format --check .
	$(call say,lint)
	@$(BIN)/ruff check .
	$(call say,types)
	@$(BIN)/mypy
	$(call say,public face under pyright)
	@$(PYRIGHT) --pythonpath $(BIN)/python --project tests/typing
	$(call say,import contracts)
	@$(BIN)/lint-imports --no-cache
	$(call say,drift of generated files)
	@$(BIN)/obs generate specs/shop specs/stack --out . --check
	@$(BIN)/python docs/render_reference.py --check
	$(call say,lint of specs and generated files)
	@$(BIN)/obs lint specs alerts dashboards runbooks
	@$(BIN)/obs lint specs alerts dashboards runbooks --coverage --min-coverage 100

fix: $(READY) ## Format, apply safe lint fixes and regenerate committed artefacts
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(MAKE) artefacts

artefacts: $(READY) ## Regenerate dashboards/, alerts/, runbooks/ and the command reference
	@$(BIN)/obs generate specs/shop specs/stack --out .
	@$(BIN)/python docs/render_reference.py

engines: $(READY) ## Build or find the real engines
	$(call say,engines)
	@$(BIN)/obs stack install $(ARGS)
	@$(if $(ARGS),,$(BIN)/obs stack install docker-compose)

$(OLDEST)/.ready: constraints-oldest.txt pyproject.toml tools/make_venv.py
	$(call say,setting up $(OLDEST) from constraints-oldest.txt)
	@$(PYTHON) tools/make_venv.py $(OLDEST)
	@$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints-oldest.txt
	@$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

test-oldest: $(OLDEST)/.ready ## Run the integrations' tests against the oldest supported versions
	$(call say,integrations with the oldest supported versions)
	@$(OLDEST)/bin/pytest -n auto -m "not engines" tests/integrations $(ARGS)

test-engines: $(READY) ## Run the tests against the real engines: Debian's old ones and the newest built with Go
	$(call say,engines)
	@$(BIN)/obs stack install --route debian prometheus promtool alertmanager amtool
	@$(BIN)/obs stack install --route debian postgres redis-server
	@$(BIN)/obs stack install --route go
	@$(BIN)/obs stack install --route go docker-compose
	$(call say,tests with engines)
	@$(BIN)/pytest -n 2 --dist loadgroup -m engines $(ARGS)

$(BENCH_READY): bench/constraints.txt pyproject.toml tools/make_venv.py
	$(call say,setting up .venv-bench from bench/constraints.txt)
	@$(PYTHON) tools/make_venv.py .venv-bench
	@$(BENCH_BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bench/constraints.txt
	@$(BENCH_BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

bench: $(BENCH_READY) ## Measure ratios against peers in one run, peers in .venv-bench (ARGS="--quick" or "--write" into the docs)
	@$(BENCH_BIN)/python -m bench.run $(ARGS)

mutants: $(READY) ## Break the generator of alerts in thousands of ways and write what the frozen stories notice into the docs
	$(call say,mutants of src/obs/generate/derive)
	@nice -n 10 $(BIN)/python -m tests.mutations.run --write $(ARGS)

# What constraints-oldest.txt pins at the lower bounds of pyproject.toml.
INTEGRATIONS := sentry fastapi starlette httpx flask django grpc celery requests sqlalchemy redis

lock: $(READY) ## Pin every dependency again (versions and hashes, no addresses)
	@$(PYTHON) tools/make_venv.py .venv-lock
	@.venv-lock/bin/python -m pip install --quiet uv
	@.venv-lock/bin/uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.10 \
		--generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --upgrade --quiet \
		--output-file constraints.txt > /dev/null
	@.venv-lock/bin/uv pip compile pyproject.toml $(addprefix --extra ,$(INTEGRATIONS)) --universal --python-version 3.10 \
		--resolution lowest-direct --no-annotate --no-header --no-emit-index-url --quiet --output-file .venv-lock/oldest.txt > /dev/null
	@.venv-lock/bin/uv pip compile .venv-lock/oldest.txt tests/integrations/oldest.in --universal --python-version 3.10 \
		--generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --upgrade --quiet \
		--output-file constraints-oldest.txt > /dev/null
	@for image in runbooks shop; do \
		.venv-lock/bin/uv pip compile src/obs/stack/compose/images/$$image.in --constraint constraints.txt --universal --python-version 3.11 \
			--generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --upgrade --quiet \
			--output-file src/obs/stack/compose/images/$$image.txt > /dev/null; done
	@.venv-lock/bin/uv pip compile pyproject.toml bench/requirements.in --extra tools --constraint constraints.txt --universal --python-version 3.10 \
		--generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --upgrade --quiet \
		--output-file bench/constraints.txt > /dev/null

clean: ## Remove what the targets above made in this checkout
	rm -rf .venv .venv-bench .venv-lock $(OLDEST) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
