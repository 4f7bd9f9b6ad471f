# `make demo` and `make test` need nothing but Python 3.11 or newer: each makes its own environment.
PYTHON ?= python3
# The oldest NumPy that is supported, 2.0, is not made for a Python newer than 3.12.
OLDEST_PYTHON ?= $(or $(shell for p in python3.11 python3.12; do \
	$$p -c '' 2>/dev/null && echo $$p && break; done), $(PYTHON))
DEMO := .venv
TEST := .venv-test
OLDEST := .venv-oldest
DEV := .venv-dev
BENCH := .venv-bench
CASES := 1000
SEED := 0

.PHONY: help demo test test-oldest test-extras check fuzz kill notebook bench clean

help:  ## List what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(DEMO)/ready  ## Train a sparse autoencoder on handwritten digits and explain its gradients
	$(DEMO)/bin/minigrad autoencoder --out runs/demo

test: $(TEST)/ready  ## Run the whole test suite
	$(TEST)/bin/python -m pytest

test-oldest: $(OLDEST)/ready  ## Run it with the oldest versions of what minigrad needs
	$(OLDEST)/bin/python -m pytest

test-extras:  ## Install the package with each of its extras alone, and use it
	$(PYTHON) tests/check_extras.py

notebook: $(DEMO)/ready  ## Open the tutorials in Jupyter
	$(DEMO)/bin/python -m pip install --quiet -e '.[tutorials]'
	$(DEMO)/bin/jupyter lab tutorials

check: $(DEV)/ready  ## Lint, types, floors and doctests, with the real Keras and PyTorch beside
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/mypy --strict minigrad
	$(DEV)/bin/lint-imports
	$(DEV)/bin/python -m pytest --cov=minigrad --cov-report=term

fuzz: $(DEV)/ready  ## Try random models, changes and programs against references (some minutes)
	$(DEV)/bin/python -m tests.fuzz --cases $(CASES) --seed $(SEED)

kill: $(TEST)/ready  ## Kill a training process 50 times while it checkpoints; nothing may be lost
	$(TEST)/bin/python tests/training/kill_training.py --kills 50

bench: $(BENCH)/ready  ## Compare with PyTorch, JAX, MyGrad and HIPS autograd, side by side
	$(BENCH)/bin/python -m benchmarks.run

clean:  ## Remove the environments and everything that was produced
	rm -rf $(DEMO) $(TEST) $(OLDEST) $(DEV) $(BENCH) runs .pytest_cache .mypy_cache .ruff_cache .hypothesis

# An environment is ready once its marker is newer than pyproject.toml; a broken install leaves none.
$(DEMO)/ready: EXTRAS =
$(TEST)/ready: EXTRAS = [test]
$(OLDEST)/ready: EXTRAS = [test]
$(OLDEST)/ready: CONSTRAINTS = -c tests/oldest.txt
$(OLDEST)/ready: PYTHON := $(OLDEST_PYTHON)
$(OLDEST)/ready: tests/oldest.txt
$(DEV)/ready: EXTRAS = [dev]
$(BENCH)/ready: EXTRAS = [bench]
%/ready: pyproject.toml
	@echo "Making the environment $* (once; this installs NumPy and what else is needed)"
	$(PYTHON) -m venv $*
	$*/bin/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS) -e '.$(EXTRAS)'
	@touch $@
