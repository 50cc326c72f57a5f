# make demo and make test need nothing done before, on a Debian-like machine with Python 3.11 or newer.

PYTHON ?= python3
# Of tests. Three for two cores, as CI has: two leave a quarter idle, with four their workers wait for each other.
PROCESSES ?= 3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# The name that a lock's first lines give as the way to make it.
export UV_CUSTOM_COMPILE_COMMAND := make lock
# As pip on Debian does: a company's own authority is in the system's list, not in uv's.
export UV_SYSTEM_CERTS := 1
# Many images set it; then every process compiles all it imports again, two seconds of a worker's start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test lint types check bench lock clean

help: ## Show the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 10

setup: .venv/.compiled ## Make .venv with everything pinned, and .venv/bin/rehuman

.venv/.venv:
	@deploy/system-packages setup $(PYTHON)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than 3.11: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

# The installer is ten times faster than pip; where there is none for this machine, pip does as well.
.venv/.installer: .venv/.venv requirements-setup.lock
	$(PIP) install -q --require-hashes -r requirements-setup.lock || echo "no uv here: pip will do"
	@touch $@

.venv/.packages: .venv/.installer requirements.lock
	$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock || \
		$(PIP) install -q --require-hashes -r requirements.lock
	@touch $@

.venv/.project: .venv/.packages pyproject.toml
	$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@

# The detectors as machine code; without a C compiler they run as plain Python.
.venv/.compiled: .venv/.project deploy/compile.py $(wildcard detectors/*.py detectors/*.pyx detectors/*.pxi streams/*.pyx streams/lanes/*.pyx)
	@$(BIN)/python deploy/compile.py
	@touch $@

demo: setup ## Watch it all on this machine; ARGS="--for 30" and so on
	@$(BIN)/rehuman demo $(ARGS)

test: setup ## Run every test on real parts; ARGS="-k name" and so on
	@deploy/system-packages test
	$(BIN)/pytest -n $(PROCESSES) $(ARGS)
	@# The same files as plain Python, which is also where the examples in their docstrings are run.
	DETECTORS=pure $(BIN)/pytest -n $(PROCESSES) detectors tests/detectors $(ARGS) $(if $(ARGS),|| [ $$? -eq 5 ])

lint: setup ## Check style and form
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup ## Check types
	$(BIN)/mypy

check: lint types test ## All that the continuous integration runs

bench: setup ## Measure everything in interleaved rounds (benchmarks/README.md); ARGS="--rounds 1" and so on
	@deploy/system-packages test
	$(BIN)/python -m benchmarks.pipeline $(ARGS)

lock: setup ## Pin the newest versions that fit, with hashes
	$(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --no-annotate \
		--extra calibrate --extra dev pyproject.toml -o requirements.lock
	echo uv | $(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --no-annotate \
		-o requirements-setup.lock -

clean: ## Remove everything that make made
	rm -rf detectors/*.so streams/*.so streams/lanes/*.so detectors/compiled.txt .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
