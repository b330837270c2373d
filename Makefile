# run, test and lint create .venv and keep it up to date; from the second time on that takes only a moment.
BIN := .venv/bin
WITH = @python=$$(./setup/find-python) && "$$python" setup/install.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test lint constraints clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## /\1@/' | awk -F@ '{ printf "make %-12s %s\n", $$1, $$2 }'

run:  ## play: start everything and say where to listen (PORT=8001, ARGS="--synth-workers 2", TORCH=cuda)
	$(WITH) all
	@exec $(BIN)/auralis up $(if $(PORT),--port $(PORT)) $(ARGS)

# The services' tests run after the gates, not at the same time: they are timed, but mostly wait for each other. Whole
# systems and browsers come last, one by one: what plays in real time needs a processor exactly when it is due.
test: lint  ## lint, then run every test, browser tests included; or only some (ARGS="-k ring")
	@./setup/chromium
ifdef ARGS
	@exec $(BIN)/pytest $(ARGS)
else
	@$(BIN)/pytest --numprocesses auto --dist loadfile tests/unit tests/gates
	@$(BIN)/pytest --numprocesses auto --dist loadfile tests/integration
	@exec $(BIN)/pytest tests/e2e
endif

lint:  ## check style, types and the boundaries between packages
	$(WITH) dev
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/mypy --no-error-summary setup/*.py tests/smoke.py
	@$(BIN)/mypy --no-error-summary --explicit-package-bases examples
	@$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache
	@echo "lint: ruff, mypy and import-linter have nothing to say"

constraints:  ## update the pinned versions in constraints.txt
	@python=$$(./setup/find-python) && "$$python" setup/constraints.py

clean:  ## remove .venv and everything built
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
