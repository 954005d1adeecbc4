PYTHON := .venv/bin/python
BIN := .venv/bin
ARGS ?=
REGION ?= neimenggu

.DEFAULT_GOAL := help
.PHONY: help serve test check bench demo lock clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

serve: ## prepare everything and serve on 127.0.0.1:8000
	@.ci/bootstrap runtime
	@$(PYTHON) -m web serve $(ARGS)

test: ## all tests (ARGS="-k plan" for some)
	@.ci/bootstrap dev
	@$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder $(ARGS)

# Every check runs, so that one run shows everything; it fails if any failed.
check: ## ruff, mypy, import-linter, core check, kb check
	@.ci/bootstrap dev
	@failed=; \
	for step in "$(BIN)/ruff check ." "$(BIN)/ruff format --check ." "$(BIN)/mypy" "$(BIN)/lint-imports" \
	  "$(PYTHON) -m core check -q" "$(PYTHON) -m kb check"; do \
	  echo "== $$step"; $$step || failed="$$failed\n  $$step"; \
	done; \
	[ -z "$$failed" ] || { printf "failed:$$failed\n"; exit 1; }

bench: ## all benchmarks beside their goals (ARGS="--only acts")
	@.ci/bootstrap dev
	@$(PYTHON) -m tests.bench $(ARGS)

demo: ## a region's walks and pictures of its pages (REGION=fujian)
	@.ci/bootstrap dev
	@$(PYTHON) -m tests.demonstration --region $(REGION) $(ARGS)

lock: ## write the lock anew from pyproject.toml (ARGS=--upgrade for newer versions)
	@.ci/bootstrap dev
	@for what in runtime dev; do \
	  extra=; [ $$what = dev ] && extra="--extra dev -c .ci/lock/runtime.txt"; \
	  $(BIN)/uv pip compile pyproject.toml $$extra --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --no-annotate $(ARGS) -q -o .ci/lock/$$what.txt >/dev/null \
	    || exit 1; \
	done

clean: ## remove the environment, caches and the demonstration data
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
