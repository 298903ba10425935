# `make run` and `make test` do all the set-up on a fresh machine: Python 3.11 or newer with venv is all they need.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
COMPILE := $(BIN)/pip-compile --quiet --all-extras --strip-extras --no-annotate --no-header --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

.PHONY: run install test check bench scores docs screenshots constraints system clean

run: install ## Start the studio on http://127.0.0.1:7860
	$(BIN)/kuamo serve

install: .venv/installed ## Set up .venv with kuamo and its engines

test: check ## What CI checks
	$(BIN)/python -m pytest

check: .venv/installed-dev system ## Style, types, constraints
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@cp constraints.txt .venv/compiled.txt
	@$(COMPILE) --output-file .venv/compiled.txt pyproject.toml 2>.venv/compile.log || (cat .venv/compile.log; exit 1)
	@sed 's/+cpu$$//' .venv/compiled.txt | diff constraints.txt - || \
	  (echo "constraints.txt is not what pyproject.toml asks for: run 'make constraints'"; exit 1)

bench: .venv/installed-dev ## Kuamo beside the plain way, one table a script
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

scores: .venv/installed-dev ## What the nano models get right on held-out data: a table, scores.json, the cards
	$(BIN)/python recipes/scores.py

screenshots: .venv/installed-dev system ## The pictures of the README
	$(BIN)/python docs/screenshots.py

docs: .venv/installed-dev ## The reference pages, from the command line, the settings and the catalogue
	$(BIN)/python docs/reference.py

constraints: .venv/installed-dev ## Versions that fit together, resolved anew
	$(COMPILE) --upgrade --output-file .venv/compiled.txt pyproject.toml
	@sed 's/+cpu$$//' .venv/compiled.txt > constraints.txt

# Debian packages that only the tests need: a browser, and a font with Chinese.
system:
	@missing=""; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	fc-list 2>/dev/null | grep -qi cjk || missing="$$missing fonts-noto-cjk"; \
	if [ -n "$$missing" ]; then \
	  echo "Installing for the tests:$$missing"; \
	  (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing) >/dev/null 2>&1 || \
	  echo "The tests that need$$missing will be skipped: installing packages is not permitted here."; \
	fi

.venv/bin/python:
	@echo "Setting up .venv (some minutes, once)"
	@$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	@$(PIP) --editable '.[data,models]' 2>.venv/install.log || (cat .venv/install.log; exit 1)
	@touch $@

.venv/installed-dev: .venv/bin/python pyproject.toml constraints.txt
	@$(PIP) --editable '.[data,models,dev]' 2>.venv/install.log || (cat .venv/install.log; exit 1)
	@touch $@ .venv/installed

clean: ## Remove what was set up and built
	rm -rf .venv build dist
