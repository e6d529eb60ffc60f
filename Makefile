# Everything a developer or a reader runs. Each target builds what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
TEST := $(VENV)/.test
BENCH := .venv-bench

.DEFAULT_GOAL := help
.PHONY: help demo test check format lock pictures golden diagrams texts bench clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; say where it is: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements/runtime.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/runtime.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(TEST): $(RUNTIME) requirements/test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/test.txt
	@touch $@

demo: $(RUNTIME)  ## a publication, an issue, every region's mail in a built-in inbox
	$(BIN)/mailer demo

test: $(TEST)  ## every test
	$(BIN)/python -m pytest -n auto

check: $(TEST)  ## the whole gate
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/python -m pytest -n auto

format: $(TEST)  ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

pictures: $(TEST)  ## draw the README's pictures from a rendered edition
	$(BIN)/python tools/pictures.py

golden: $(TEST)  ## write tests/golden anew, what every template set makes of one issue
	$(BIN)/python -m tests.golden.drawing

diagrams: $(TEST)  ## draw the state diagrams of the documents from the tables
	$(BIN)/python tools/diagrams.py

texts: $(TEST)  ## collect the pages' sentences into templates/locales/*.po for translation
	$(BIN)/python tools/texts.py

# An environment of its own: what the rivals need must not change how the tests run.
$(BENCH)/.installed: requirements/runtime.txt requirements/bench.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  -r requirements/runtime.txt -r requirements/bench.txt
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

bench: $(BENCH)/.installed  ## measure beside other senders, write benchmarks/RESULTS.md (ARGS=--quick)
	@benchmarks/tools.sh
	$(BENCH)/bin/python benchmarks/everything.py $(ARGS)

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate
lock:  ## resolve the requirements anew (needs uv)
	$(LOCK) pyproject.toml --group build -o requirements/runtime.txt
	$(LOCK) pyproject.toml --group build --extra postgresql --group test -c requirements/runtime.txt \
	  -o requirements/test.txt
	$(LOCK) benchmarks/rivals.in -c requirements/runtime.txt -o requirements/bench.txt

clean:  ## remove what was built
	rm -rf $(VENV) $(BENCH) benchmarks/.node benchmarks/RESULTS.quick.md demo-output test-output tests/node/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
