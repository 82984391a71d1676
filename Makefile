# Every target needs only Python 3.11+ and make; the rest goes into .venv.
#   make train      train LeNet-5 on handwritten digits and show the result
#   make test       run the tests (no torch needed)
#   make parity     install torch and compare with it
#   make notebooks  run every notebook of the course, and hold its figures to their goals
#   make modes      run the tests of what computes again: NumPy only, and each vector unit
#   make lint       what CI and the pre-commit hook run
# Another interpreter: make PYTHON=python3.12 train

PYTHON ?= python3
JOBS ?= 2
TORCH := 2.13.0

# One thread for NumPy's matrix products, unless told otherwise. Only the references use them: two
# threads spin against each other as soon as anything else wants a core (measured: an epoch of 0.25 s
# takes 35), and they round differently.
export OPENBLAS_NUM_THREADS ?= 1

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install

TESTS = $(BIN)/python -m pytest -q -m "not parity and not notebook" -n $(JOBS) --dist worksteal
MODELS := tests/autograd tests/nn tests/optim
LESSER_UNITS := from autograd.kernels.native.target import available; print(*available()[1:])

# A stamp is newer than pyproject.toml exactly when that set of packages is installed.
VENV_MADE := $(VENV)/.stamp-venv
RUN_READY := $(VENV)/.stamp-run
DEV_READY := $(VENV)/.stamp-dev
TORCH_READY := $(VENV)/.stamp-torch-$(TORCH)

.DELETE_ON_ERROR:
.PHONY: help train test notebooks parity modes lint format bench bench-quick dev clean

help:
	@sed -n 's/^#   //p' Makefile

train: $(RUN_READY)
	$(BIN)/python -m nn train lenet5

test: $(DEV_READY)
	$(BIN)/python -m pytest -m "not parity and not notebook" -n $(JOBS) --dist worksteal

notebooks: $(DEV_READY)
	$(BIN)/python -m pytest -m notebook -n $(JOBS) --dist worksteal

# Everything that computes, on plain NumPy, and then in every vector unit below the CPU's best one.
modes: $(DEV_READY)
	AUTOGRAD_KERNELS=reference $(TESTS) $(MODELS)
	for unit in $$($(BIN)/python -c "$(LESSER_UNITS)"); do \
	  echo "AUTOGRAD_SIMD=$$unit, one thread"; \
	  AUTOGRAD_SIMD=$$unit AUTOGRAD_NUM_THREADS=1 $(TESTS) $(MODELS) tests/kernels || exit 1; \
	done

parity: $(TORCH_READY)
	$(BIN)/python -m pytest -m parity -n $(JOBS) --dist worksteal

lint: $(DEV_READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(DEV_READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(TORCH_READY)
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python -m benchmarks run step. --rivals torch,closures --threads 1 --threads 2

# Beside what is installed; with `make parity` before it, beside PyTorch.
bench-quick: $(DEV_READY)
	$(BIN)/python -m benchmarks run --quick

dev: $(DEV_READY)

clean:
	rm -rf $(VENV) build dist dagrad.egg-info runs
	rm -rf .pytest_cache .ruff_cache .hypothesis
	find autograd nn optim benchmarks notebooks tests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(VENV_MADE):
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no '$(PYTHON)' here; dagrad needs Python 3.11 or newer." >&2; \
	  echo "Name one: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "dagrad needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot create a virtual environment: its venv or ensurepip module is missing." >&2; \
	  echo "On Debian or Ubuntu: sudo apt install python3-venv" >&2; \
	  echo "Or name another Python: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(RUN_READY): pyproject.toml | $(VENV_MADE)
	$(PIP) -e '.[data,plot]'
	@touch $@

# The dev extra holds the two extras that `make train` needs, so it satisfies both stamps.
$(DEV_READY): pyproject.toml | $(VENV_MADE)
	$(PIP) -e '.[dev]'
	@touch $(RUN_READY) $@

$(TORCH_READY): | $(DEV_READY)
	$(PIP) torch==$(TORCH)
	@touch $@
