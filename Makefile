# Two commands: `make demo` and `make test`. Everything is set up in .venv from the versions in constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
# The contract and the laws, which are tested once more as processors with fewer instructions round; not what words say,
# what chance draws and what is refused, which no rounding changes, nor long examples, whose like the other promises run,
# and trainings.
ROUNDED := $(addprefix tests/,contract maths nets edit restore analyse degrade encode)
ALIKE := in_words or hold_the_truth or every_field or examples_work or is_deterministic or leaves_its_input_alone or resumes
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Tests start hundreds of processes: what one has compiled, the next need not.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test lint types page slow bench docs zoo clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    set up and train a digit painter for two minutes, then look into demo/report.html"
	@echo "make test    set up and check everything: format, lint, types, tests, and how other processors round"
	@echo "make slow    the tests that take minutes"
	@echo "make bench   measure speed and quality, write docs/benchmarks.md"
	@echo "make docs    write the command reference anew"
	@echo "make zoo     train the bundled weights anew"

.venv/base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "danqing needs Python 3.11 or later (PYTHON=python3.12 make demo)" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing danqing and what it needs (a few minutes, once)"
	@$(PIP) torch
	@$(PIP) --editable .
	@touch $@

.venv/test: .venv/base
	@$(PIP) --editable '.[test]'
	@touch $@

demo: .venv/base
	@$(BIN)/danqing demo --out demo --force

test: .venv/test
	@$(MAKE) --jobs 2 lint types page
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not slow" -n 2 --dist worksteal
	OMP_NUM_THREADS=1 $(BIN)/python tools/tiers.py $(ROUNDED) -m "not slow" -k "not ($(ALIKE))" -n 2 --dist worksteal

lint: .venv/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/test
	$(BIN)/mypy

page: .venv/test
	$(BIN)/python -m tools.page
	$(BIN)/python -m tools.browser

slow: .venv/test
	OMP_NUM_THREADS=1 $(BIN)/pytest -m slow

bench: .venv/test
	$(BIN)/python -m bench

docs: .venv/base
	$(BIN)/python docs/make_reference.py
	$(BIN)/python docs/make_types.py

zoo: .venv/base
	test -f runs/photographs/manifest.json || $(BIN)/python -m danqing.zoo.photographs runs/photographs
	test -f runs/characters/manifest.json || $(BIN)/python -m danqing.zoo.characters runs/characters
	test -f runs/ming-to-kai/manifest.json || $(BIN)/python -m danqing.zoo.character_pairs runs/ming-to-kai ming kai
	test -f runs/emoji/manifest.json || $(BIN)/python -m danqing.zoo.emoji runs/emoji
	$(BIN)/python -m danqing.zoo.retrain danqing/zoo/recipes/*.json

clean:
	rm -rf .venv demo runs bench/.envs
