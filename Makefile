# Each target sets up what it needs; a second call finds it there and does nothing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
ARGS ?=

.PHONY: help setup lessons test lint lab site class lock clean
.DEFAULT_GOAL := help

help:
	@echo "make lessons   run every lesson headless; results and HTML in build/  (ARGS='gans --jobs 2')"
	@echo "make test      check the code, the notebooks and the exercises        (ARGS='-k metrics')"
	@echo "make lab       open JupyterLab on your own copies of the lessons"
	@echo "make site      build the book of executed lessons in build/site"
	@echo "make class     make a teacher's course in my-class, ready to hand out"
	@echo "make lint      ruff alone"
	@echo "make lock      pin every package anew in requirements.lock"
	@echo "make clean     remove build/ and the virtual environment"

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; \
	  sys.exit(None if (3, 11) <= v < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed; this is %d.%d. Try make PYTHON=python3.12" % v)'
	@echo "Setting up the locked environment in $(VENV) (about 2 GB, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.lock)"
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "Ready."

lessons: $(READY)
	@$(BIN)/lessons run $(ARGS)

test: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pytest $(ARGS)

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

lab: $(READY)
	@$(BIN)/lessons start my-lessons
	@$(BIN)/jupyter lab --notebook-dir my-lessons $(ARGS)

site: $(READY)
	@$(BIN)/lessons site $(ARGS)

class: $(READY)
	@$(BIN)/lessons class create my-class $(ARGS)
	@$(BIN)/lessons class release my-class $(ARGS)

lock: $(READY)
	@$(BIN)/uv pip compile pyproject.toml --extra all --universal --python-version 3.11 \
	  --no-header --no-annotate --no-emit-index-url --quiet --upgrade --output-file requirements.lock
	@echo "requirements.lock is new; run make test before you commit it."

clean:
	rm -rf build $(VENV)
