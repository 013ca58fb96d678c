# Each target sets up what it needs in .venv first; a second run only does what changed.
# Nothing but .venv is imported, and its modules stay compiled: every step starts seconds sooner.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE
ifneq ($(filter C POSIX,$(LC_ALL)),)  # else Python reads the paths of .venv as ASCII
export LC_ALL := C.UTF-8
endif
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
JOBS ?= 2

.DEFAULT_GOAL := book
.PHONY: book pdf environment serve lab test test-full test-code test-notebooks test-torch test-site test-setup test-newest test-oldest mutants bench bench-site refresh lock clean

book: environment  # the site; what is already there stays if the build fails
	@$(BIN)/python book/_ext/build.py
	@echo "The book is at _build/html/index.html"

pdf: book  # the book on paper, offered by the site's home page; needs a Chromium
	@$(BIN)/python book/_ext/paper.py
	@echo "The book is at _build/book.pdf"

serve: book  # the site at http://localhost:8000, opened in the browser
	$(BIN)/python -m webbrowser -t http://localhost:8000 >/dev/null & \
	$(BIN)/python -m http.server 8000 --bind localhost --directory _build/html

lab: environment  # the notebooks in JupyterLab
	@test "$$(id -u)" != 0 || { echo "JupyterLab refuses root: be another user, or run" \
	"$(BIN)/jupyter lab --allow-root --notebook-dir=book"; exit 1; }
	$(BIN)/jupyter lab --notebook-dir=book

test: test-code test-notebooks test-site

test-full: test  # and the tests that take minutes, and ten times the examples of each property
	$(PYTEST) -q -n $(JOBS) -m "slow or not slow" --hypothesis-profile=full tests/unit
	$(PYTEST) -q -n $(JOBS) -m slow tests/book

test-code: environment  # style, types, unit tests with every branch of the numeric modules reached
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(PYTEST) -q -n $(JOBS) tests/unit --cov --cov-report=term-missing:skip-covered
	$(PYTEST) -q kl_lib kl_book README.md --doctest-glob=README.md

test-notebooks: environment  # every cell re-run and compared, every claim checked, every assert made to fail
	$(PYTEST) -q -n $(JOBS) --dist loadfile --nbval book tests/book
	$(BIN)/python book/_ext/stamp.py

test-torch: .venv-torch/ready  # PyTorch's arrays and gradients, and a cluster of Dask, in an environment of their own
	.venv-torch/bin/python -m pytest -q tests/arrays

test-site: pdf  # the built pages in a browser, and on paper
	$(PYTEST) -q -n $(JOBS) --dist loadgroup tests/site

test-setup: environment  # an empty folder and an empty cache, while everything has a newer, broken release
	$(PYTEST) -q -n $(JOBS) tests/setup

test-newest: environment  # unit tests, cells and claims, outputs not compared, and a site, on the newest releases
	$(PYTHON) -m venv .venv-newest && .venv-newest/bin/pip install --quiet --upgrade "pip>=25.1"
	.venv-newest/bin/pip install --quiet --upgrade --group book --group test .
	.venv-newest/bin/python -m pytest -q -n $(JOBS) tests/unit
	.venv-newest/bin/python -m pytest -q --nbval-lax book tests/book/test_claims.py -k "not same_text"
	.venv-newest/bin/jupyter-book build -W --keep-going --all --quiet --path-output .venv-newest .

test-oldest: environment  # unit tests on the oldest releases that pyproject.toml allows, everything else as locked
	$(PYTHON) -m venv .venv-oldest
	$(BIN)/uv pip sync --quiet --python .venv-oldest/bin/python requirements.txt
	$(BIN)/uv pip compile --quiet --python .venv-oldest/bin/python --no-header --upgrade --only-binary :all: --no-deps \
	--resolution lowest-direct --extra book pyproject.toml -o .venv-oldest/oldest.txt
	$(BIN)/uv pip install --quiet --python .venv-oldest/bin/python --no-deps -r .venv-oldest/oldest.txt .
	$(BIN)/uv pip check --python .venv-oldest/bin/python
	.venv-oldest/bin/python -m pytest -q -n $(JOBS) tests/unit

mutants: environment .venv-mutants/ready  # break the numeric modules on purpose: what do the tests notice?
	.venv-mutants/bin/python tests/mutants.py --jobs $(JOBS)

bench: .venv-bench/ready  # accuracy and speed beside other libraries, in an environment of their own
	PYTHONPATH=tests .venv-bench/bin/python benchmarks/run.py

bench-site: book  # this site beside the same notebooks built with Jupyter Book's defaults
	PYTHONPATH=book/_ext $(BIN)/python benchmarks/pages.py

refresh: environment  # re-execute the notebooks and store their outputs
	$(BIN)/python book/_ext/refresh.py

lock: environment  # resolve the pins of requirements.txt anew
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --universal --fork-strategy fewest \
	--python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --upgrade --quiet \
	--group book --group lab --group test pyproject.toml -o requirements.txt
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --universal --python-version 3.11 \
	--prerelease explicit --no-annotate --no-emit-index-url --upgrade --quiet benchmarks/requirements.in \
	| grep -vE "^(nvidia|cuda|triton)" > benchmarks/requirements.txt  # what torch itself pins, where it needs it
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --universal --python-version 3.11 \
	--no-annotate --no-emit-index-url --upgrade --quiet --group torch pyproject.toml \
	| grep -vE "^(nvidia|cuda|triton)" > tests/arrays/requirements.txt

clean:
	rm -rf _build .venv book/_ext/node_modules

environment:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) book/_ext/environment.py .venv

.venv-bench/ready: benchmarks/requirements.txt pyproject.toml
	$(PYTHON) -m venv --clear .venv-bench && .venv-bench/bin/pip install --quiet -r benchmarks/requirements.txt
	.venv-bench/bin/pip install --quiet --no-build-isolation --no-deps -e . && touch $@

# PyTorch for processors, from its own index; where that is out of reach, what pip finds.
.venv-torch/ready: tests/arrays/requirements.txt pyproject.toml | environment
	$(PYTHON) -m venv --clear .venv-torch
	$(BIN)/uv pip install --quiet --python .venv-torch/bin/python --torch-backend cpu -r $< \
	|| .venv-torch/bin/pip install --quiet -r $<
	.venv-torch/bin/pip install --quiet --no-build-isolation --no-deps -e . && touch $@

.venv-mutants/ready:
	$(PYTHON) -m venv --clear .venv-mutants && .venv-mutants/bin/pip install --quiet cosmic-ray==8.7.0 && touch $@
