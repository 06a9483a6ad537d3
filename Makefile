# make alone prints this help; every target says what it is for.
PYTHON ?= python3
BIN := .venv/bin

# compiled once and kept, whatever the machine says otherwise: the suite starts dozens of processes, and each would compile the house anew
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

help: ## print this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: .venv/run ## run the town: web server, worker and WeChat sandbox, with the demo town (PORT, SANDBOX_PORT, DATA_DIR, DATABASE_URL)
	@exec $(BIN)/python -m server.run

test: check suite ## everything CI checks: format, lint, floors, types, and the suite on SQLite and PostgreSQL

check: .venv/test ## format check, ruff, import-linter, mypy: all four, whatever the first ones say
	@failed=; \
	for look in "ruff format --check" "ruff check" "lint-imports --no-cache" "mypy"; do \
		echo "$(BIN)/$$look"; $(BIN)/$$look || failed="$$failed  $$look\n"; \
	done; \
	[ -z "$$failed" ] || { printf "make check: these failed (make fix mends what can be mended):\n$$failed"; exit 1; }

suite: .venv/test ## the suite alone (ARGS="-k seats" picks tests)
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

fix: .venv/test ## format, and mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/test ## measure against the bars; prints a table, keeps JSON in var/bench
	$(BIN)/python -m tests.bench $(ARGS)

migration: .venv/test ## write the next migration for changed tables (MESSAGE="tools"); brings the local database up to date first
	@[ -n "$(MESSAGE)" ] || { echo 'say what changes: make migration MESSAGE="tools"'; exit 1; }
	$(BIN)/flask db upgrade
	$(BIN)/flask db migrate -m "$(MESSAGE)"
	@written=$$(ls models/migrations/versions/[0-9]*.py | tail -1); $(BIN)/ruff format --quiet "$$written"; echo "read it: $$written"

lock: .venv/test ## compile the pinned requirements anew, for every Python we support
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header requirements-dev.in -o requirements-dev.txt

clean: ## remove the environment and caches; var/ stays
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -not -path './var/*' -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv .venv

.venv/run: requirements.txt | .venv/bin/python
	@echo "installing what the product needs into .venv …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/test: requirements-dev.txt requirements.txt | .venv/bin/python
	@echo "installing what the tests need into .venv …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/run

.PHONY: help run test check suite fix bench migration lock clean
