# Everything here needs make and Python 3.11 or newer; `make setup` brings the rest.
PYTHON ?= python3
BIN := .venv/bin
# Node, where it came from the Python package index.
export PATH := $(CURDIR)/.make/bin:$(PATH)
# Arguments for the program behind a target, such as `make run ARGS="--http-port 8000"`.
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup run setup-dev test test-page test-python test-covered lint lint-code lint-format lint-types lint-imports lint-page bench bench-short bench-rest weak-links load fuzz hostile wheels clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## the virtual environment, the locked packages and the page, as far as they are missing
	@$(PYTHON) tools/setup.py

run: setup ## set up, then serve http://localhost:7880 in dev mode, on loopback only
	@exec $(BIN)/lectern serve --dev $(ARGS)

setup-dev:
	@$(PYTHON) tools/setup.py --group dev

test: test-page test-python ## set up what tests need, then run them all (ARGS go to pytest)

test-page: setup-dev
	@if [ -f web/package.json ]; then cd web && npm test; fi

test-python: setup-dev
	@$(PYTHON) tools/system_packages.py
	$(BIN)/pytest $(ARGS)

# The packages whose every module must be reached by its own tests; not a part of `test`, which runs the same tests.
COVERED := sfu/wire sfu/bandwidth sfu/forwarding signaling/rooms signaling/history

test-covered: setup-dev ## the tests of the packages that decide, with the limit on each module's branch coverage
	$(BIN)/pytest $(addprefix tests/,$(COVERED)) --cov --cov-report=json:.make/coverage.json $(ARGS)
	$(BIN)/python tools/coverage_gate.py .make/coverage.json

lint: lint-code lint-format lint-types lint-imports lint-page ## linters, formatter, strict types, import rules, the page's own checks

lint-code: setup-dev
	$(BIN)/ruff check

lint-format: setup-dev
	$(BIN)/ruff format --check

lint-types: setup-dev
	$(BIN)/mypy

lint-imports: setup-dev
	$(BIN)/lint-imports --no-logo

lint-page: setup-dev
	@if [ -f web/package.json ]; then cd web && npm run check; fi

bench: setup-dev ## CPU per forwarded packet of the fan-out, the whole server and rooms of four; the most packets a second
	$(BIN)/python -m bench.fanout
	$(BIN)/python -m bench.server $(ARGS)
	$(BIN)/python -m bench.capacity
	$(BIN)/python -m bench.mesh

bench-short: setup-dev ## the same for less than two minutes; fails when something became a third dearer
	$(BIN)/python -m bench.short $(ARGS)

bench-rest: setup-dev ## how long REST calls take at 50 a second beside ten lessons
	$(BIN)/python -m bench.rest $(ARGS)

weak-links: setup-dev ## lessons in browsers over weak links, for bench/README.md: make weak-links ARGS="rates losses"
	@$(PYTHON) tools/system_packages.py
	$(BIN)/python -m tests.e2e.weak_links $(ARGS)

load: setup-dev ## load on a running server: make load ARGS="--host ws://HOST:7880 --rooms 2 --viewers 30"
	$(BIN)/python -m locust -f bench/locustfile.py --headless --only-summary $(ARGS)

fuzz: setup-dev ## every parser of network input for a minute each, or as ARGS say: "sctp rtp", "--inputs 10000000", "--seed 7"
	$(BIN)/python -m tests.fuzz $(ARGS)

hostile: setup-dev ## storms of one participant or stranger, each beside a victim room on a server of its own
	$(BIN)/pytest tests/hostile $(ARGS)

wheels: setup ## a wheel for any Linux on x86-64 and one for arm64, into dist/
	for machine in x86_64 aarch64; do LECTERN_WHEEL_MACHINE=$$machine .make/uv-* build --wheel --out-dir dist || exit 1; done

clean: ## remove everything that setup and the tools made
	rm -rf .make .venv web/node_modules web/dist dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache sfu/dataplane/_plane.abi3.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
