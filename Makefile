# Two commands: `make site` builds the page, `make test` checks everything. More: make help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Two test processes; files go to them whole, in the order that tests/conftest.py gives them.
TWO := -n 2 --dist loadfile --no-loadscope-reorder
LOCK = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header -q $(NEWER)
# What is pinned, and then this project, which takes nothing besides.
PINNED = $(PIP) install -qq --require-hashes -r $(1) && $(PIP) install -qq --no-deps --editable .

.DEFAULT_GOAL := help
.PHONY: help site serve lab test test-long check lock upgrade audit clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

site: $(VENV)/light ## Build the page from committed results (no torch)
	@$(BIN)/build-site
	@echo "look at it: make serve  (or open site/index.html)"

serve: $(VENV)/light ## Show the page at http://127.0.0.1:8000 as you write it
	@$(BIN)/build-site serve

lab: $(VENV)/lab ## Measure what is missing or stale of the embedded study (torch; some minutes)
	@$(BIN)/build-site run

test: $(VENV)/lab chromium ## Linter, types, contracts between the layers, all tests (about ten minutes)
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest $(TWO)

# Everything once more at length: a hundred thousand fuzzed inputs, two hundred edits in a preview,
# a hundred thousand lists, the whole post under the theme's successor, and what no test notices.
test-long: $(VENV)/lab chromium ## What `make test` does in short, at length (hours)
	FUZZ=20000 EDITS=200 LISTS=100000 $(BIN)/python -m pytest $(TWO) -m "long or not long"
	$(BIN)/python -m tests.mutation

check: ## Only linter, types and contracts (seconds)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: $(VENV)/light ## Pin every package that the page, and the lab, are made with
	$(PIP) install -q "uv>=0.5,<1"
	$(LOCK) -o requirements.lock
	$(LOCK) --extra lab --extra cluster --extra test -o requirements-lab.lock

upgrade: ## Take the newest packages that are allowed: pin them, and install the page's
	@$(MAKE) --no-print-directory lock NEWER=--upgrade
	@$(MAKE) --no-print-directory $(VENV)/light

audit: $(VENV)/light ## Known weaknesses of what is pinned
	$(PIP) install -q "pip-audit>=2.7,<3"
	$(BIN)/pip-audit --disable-pip --require-hashes -r requirements.lock -r requirements-lab.lock

clean: ## Remove the page, the cache and the environment; results stay
	rm -rf site .cache $(VENV)

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer, please")'
	@echo "making $(VENV)"; $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/light: $(VENV)/python pyproject.toml requirements.lock
	@echo "installing the page's packages"; $(call PINNED,requirements.lock)
	@touch $@

$(VENV)/lab: $(VENV)/light requirements-lab.lock
	@echo "installing the lab and what tests need: torch and its like, some minutes"; $(call PINNED,requirements-lab.lock)
	@touch $@

# The browser tests drive a system Chromium, best the one without windows: it is smaller, and starts
# and paints with less. On Debian and Ubuntu a missing one is installed.
.PHONY: chromium
chromium:
	@command -v chromium-headless-shell chromium chromium-browser google-chrome >/dev/null || { \
		SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); $$SUDO apt-get update -qq; \
		$$SUDO apt-get install -y -qq --no-install-recommends chromium-headless-shell >/dev/null || \
		$$SUDO apt-get install -y -qq --no-install-recommends chromium >/dev/null; }
