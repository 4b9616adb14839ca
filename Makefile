# One-word tasks, for people and for CI. `make label` and `make test` set up all they need in .venv.
PYTHON ?= python3
BIN := .venv/bin
FILES ?= examples/article.txt
REAL ?= ../shared/real/validation.jsonl

.PHONY: label test lint check train encoder eval bench peers engines

label: .venv/installed
	$(BIN)/paratype label --format table $(FILES)

test: .venv/installed-dev
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not engines"

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: .venv/installed-dev
	$(BIN)/python -m training check $(if $(wildcard $(REAL)),--real $(REAL))

train: .venv/installed-dev
	$(BIN)/python -m training train

encoder: .venv/installed-dev
	$(BIN)/python -m pip install --quiet --editable ".[encoder]"
	$(BIN)/python -m training encoder

eval: .venv/installed-dev
	$(BIN)/python -m eval run

bench: .venv/installed-dev
	$(BIN)/python -m pip install --quiet --editable ".[bench]"
	$(BIN)/python -m eval bench

peers: .venv/installed-dev
	$(BIN)/python -m pip install --quiet --editable ".[bench]"
	$(BIN)/python -m eval peers

engines: .venv/installed-engines
	$(BIN)/python -m pytest tests/engines

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/installed-engines: pyproject.toml | .venv/installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev,engines]"
	touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $@ .venv/installed
