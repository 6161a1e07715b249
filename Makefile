.DEFAULT_GOAL := help
.PHONY: run demo test setup check conformance failover bench docs docs-serve image help

PYTEST_ARGS ?=
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' odim_relay/__init__.py)
REVISION = $(shell git describe --always --dirty 2>/dev/null || echo unknown)

run: .venv/runtime.stamp ## Start everything, with a sample subscriber and sample events; Ctrl-C stops it
	.venv/bin/odim-relay up --demo

demo: .venv/runtime.stamp ## Show in a minute that a subscriber's outage loses no event; exit 0 only if all arrived exactly once
	.venv/bin/odim-relay up --outage

test: setup ## Run the whole test suite; it starts the servers it needs
	scripts/test-servers
	.venv/bin/python -m pytest $(PYTEST_ARGS)

setup: .venv/dev.stamp ## Make .venv with the project and its development tools

check: setup ## Format, lint, types, import floors, unit tests; no server
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/python -m pytest -q tests/unit

conformance: setup ## Hold the API against DMTF's validators, and show what they say; needs Redfish's schemas
	.venv/bin/python -m pytest -q -s -rs tests/conformance/redfish

failover: setup ## Kill, hang, cut off everything under load, and write docs/failover-report.md; CASES=... for some
	scripts/test-servers
	.venv/bin/python -m tests.failover $(CASES)

docs: setup ## Make a site of the documents, in site/
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict

docs-serve: setup ## Show that site while it is written, at http://127.0.0.1:8000
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs serve

bench: setup ## Run the benchmarks
	.venv/bin/python -m benchmarks

image: ## Build the container image, odim-relay:latest and by its version; needs Docker
	docker build --pull --tag odim-relay:latest --tag "odim-relay:$(VERSION)" \
		--build-arg "VERSION=$(VERSION)" --build-arg "REVISION=$(REVISION)" .

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/runtime.stamp: pyproject.toml constraints.txt
	scripts/setup runtime

.venv/dev.stamp: pyproject.toml constraints.txt
	scripts/setup dev
