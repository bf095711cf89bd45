# `make demo` and `make test` do everything on a fresh machine with Python 3.11; `make help` lists the rest.
#
#   PYTHON=python3.12       the Python that the environment is made with
#   TORCH_INDEX=ADDRESS     a further package index for torch, e.g. that of its CPU builds
#   ARGS="-k tiles -x"      passed on to pytest
#   PYTHON_BLENDER=...      the Python of `make blender`; Blender 5 is for Python 3.11 alone

PYTHON ?= python3
PYTHON_BLENDER ?= $(shell command -v python3.11 || echo $(PYTHON))
TORCH_INDEX ?=
ARGS ?=

VENV := .venv
BLENDER := .venv-blender
BPY := bpy==5.0.1
TYPESCRIPT := typescript@7.0.2
TSC = npm exec --yes --prefer-offline --package=$(TYPESCRIPT) -- tsc
CONSTRAINTS := constraints.txt
BIN = $(VENV)/bin
INDEX := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) $(INDEX)
CODE := src tests tools $(wildcard examples benchmarks)

.PHONY: demo test test-unit test-long test-oldest check check-page format install blender browser clean help
.DELETE_ON_ERROR:

demo: $(VENV)/.runtime  ## stylize the bundled pictures into demo/
	$(BIN)/python examples/demo.py

test: $(VENV)/.dev  ## all tests but the long ones (under 10 minutes on two cores)
	$(BIN)/python -m pytest -m "not long" $(ARGS)

test-unit: $(VENV)/.dev  ## unit and contract tests (under 3 minutes)
	$(BIN)/python -m pytest -m "not long" tests/unit tests/contract $(ARGS)

test-long: $(VENV)/.dev  ## the long tests
	$(BIN)/python -m pytest -m long $(ARGS)

test-oldest:  ## unit, contract and parity tests with the oldest releases that are supported
	$(MAKE) VENV=.venv-oldest CONSTRAINTS=constraints-oldest.txt EXTRA=test oldest

.PHONY: oldest
oldest: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not long" tests/unit tests/contract $(wildcard tests/parity) $(ARGS)

check: $(VENV)/.dev  ## lint, format, types, layers, repeated code, bounds
	$(BIN)/ruff check --quiet --output-format concise $(CODE)
	$(BIN)/ruff format --check --quiet --output-format concise $(CODE) || { echo "run: make format"; exit 1; }
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pylint src
	$(BIN)/python tools/bounds.py src tools
	@if $(MAKE) --silent typescript > /dev/null 2>&1; then $(MAKE) --no-print-directory check-page; \
	elif [ -n "$(CI)" ] && [ -z "$(SFUMATO_NO_NODE)" ]; then \
		echo "!!! There is no TypeScript here (by npm), which checks the studio's page; SFUMATO_NO_NODE=1 goes without." >&2; exit 1; \
	else echo "!!! There is no TypeScript here (by npm): THE TYPES OF THE STUDIO'S PAGE WERE NOT CHECKED." >&2; fi

check-page:  ## the types of the studio's page; needs node and npm, and fetches TypeScript once
	$(TSC) -p tools/page.json

.PHONY: typescript
typescript:
	$(TSC) --version

format: $(VENV)/.dev  ## put imports and layout in order
	$(BIN)/ruff check --quiet --select I --fix $(CODE)
	$(BIN)/ruff format --quiet $(CODE)

install: $(VENV)/.dev  ## only make the environment

blender: $(BLENDER)/.bpy  ## an environment with Blender (1 GB), for its tests: SFUMATO_BLENDER_PYTHON=.venv-blender/bin/python

browser:  ## install chromium, for the studio's tests, by the system's packages (Debian, Ubuntu; wants root)
	@command -v chromium > /dev/null || { apt-get -qq update && apt-get -qq install --yes --no-install-recommends chromium > /dev/null; }
	@chromium --version

clean:  ## remove the environments and all that is made
	rm -rf .venv .venv-oldest $(BLENDER) build dist demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The environment is made anew only when what it holds changes.
EXTRA := dev
$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Sfumato needs Python 3.11 or newer; $(PYTHON) is older or missing. Try: make PYTHON=python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.python pyproject.toml $(CONSTRAINTS)
	$(INSTALL) --upgrade pip
	@$(BIN)/python tools/torch_size.py $(CONSTRAINTS) "$(or $(MAKECMDGOALS),demo)" $(INDEX)
	$(INSTALL) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(INSTALL) --editable ".[$(EXTRA)]"
	@touch $@

# Of its own: it wants another NumPy than the rest, and its licence is the GPL.
$(BLENDER)/.bpy:
	@$(PYTHON_BLENDER) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Blender 5 needs Python 3.11, and $(PYTHON_BLENDER) is another. Try: make blender PYTHON_BLENDER=python3.11" >&2; exit 1; }
	$(PYTHON_BLENDER) -m venv $(BLENDER)
	$(BLENDER)/bin/python -m pip install --quiet --disable-pip-version-check "$(BPY)"
	@touch $@
