# Each target does all of its own set-up first; a second run finds it done. Logs and stamps: .make/
#   make run                  the whole system with simulated callers and agents; ARGS="--calls 6" is handed on
#   make test                 every test, on a real Asterisk, PostgreSQL, SIPp and Chromium
#   make test-fast            the tests that need none of these
#   make check                lint, types and import contracts
#   make web asterisk lock    the browser app; an Asterisk; requirements.lock anew

.DEFAULT_GOAL := help
.PHONY: help run test test-fast check web asterisk lock
ARGS ?=
PY := .venv/bin/python
NPM := tools/npm.sh

help:
	@sed -n 's/^#   //p' Makefile

run:
	@tools/setup.sh run
	@exec .venv/bin/hotline demo $(ARGS)

test:
	@tools/setup.sh test
	@$(NPM) run test
	@tools/test.sh $(ARGS)

test-fast:
	@tools/setup.sh test-fast
	@$(NPM) run test
	@$(PY) -m pytest -n logical --dist loadscope tests/pure tests/peers tests/faults $(ARGS)

check:
	@tools/setup.sh check
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@$(NPM) run typecheck

web asterisk lock:
	@tools/setup.sh $@
