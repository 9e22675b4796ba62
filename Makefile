# Everything a person or CI runs. Needs Python 3.11 or newer with venv, make, and a package index; nothing else.

PYTHON  ?= python3
CONFIG  ?= configs/demo.toml
OUT     ?= results
SWEEP   ?=
UPGRADE ?=

VENV  := .venv
BIN   := $(VENV)/bin
BASE  := .venv-base
LOCK  := requirements/dev.txt
LEGACY      := .venv-legacy
LEGACY_LOCK := requirements/legacy.txt
# Newer than the lock once the environment holds what the lock says.
READY := $(VENV)/.ready
# Looked up when used, which is after the demo.
ARTIFACTS = $(shell find $(OUT) -name '*.tflite' -o -name '*.onnx' 2>/dev/null | sort)
FAST  := $(BIN)/python -m pytest -q -m "not slow and not data and not fuzz"
SLOW  := $(BIN)/python -m pytest -m "slow or data or fuzz"
# About half of what the slow tests take, most of it to judge the cases.
CASES := tests/test_cases.py tests/arm tests/browser tests/corpus tests/faults tests/properties tests/training
# About half of what the fast tests take.
HALF  := tests/conversion tests/data tests/formats tests/graph tests/model tests/quantise
PIP   := -m pip --disable-pip-version-check
COMPILE = $(BIN)/uv pip compile pyproject.toml $(UPGRADE) --quiet --universal --generate-hashes \
    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

# Bytecode is kept: half of what the fast tests take would go into compiling them.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo demo-train test test-fast test-base wheel legacy lint format bench lock clean

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  PYTHON=$(PYTHON) CONFIG=$(CONFIG) OUT=$(OUT) can be set, and SWEEP='--weights imagenet --data DIR' for the demo"

setup: $(READY) ## Make .venv from the pinned versions

demo: $(READY) ## Build, quantise, profile and tabulate the variants of CONFIG
	$(BIN)/mnet sweep $(CONFIG) --out $(OUT) $(SWEEP)

demo-train: $(READY) ## Draw pictures, train four variants on them, and report accuracy against latency
	$(BIN)/python scripts/draw_shapes.py $(OUT)/shapes
	$(BIN)/mnet sweep configs/shapes.toml --data $(OUT)/shapes --out $(OUT)/trained $(SWEEP)
	$(BIN)/mnet report $(OUT)/trained --out $(OUT)/trained/report

test: $(READY) legacy ## Run every test; those on real weights and images look in MNET_DATA
	$(MAKE) --no-print-directory test-fast
	@$(MAKE) --no-print-directory --keep-going --jobs 2 .test-cases .test-slow

# Two processes that share nothing: pytest-xdist would collect every test in both, and report each to a third.
test-fast: $(READY) ## Run the tests that start no TensorFlow and no process
	@$(MAKE) --no-print-directory --keep-going --jobs 2 .test-half .test-rest

.PHONY: .test-half .test-rest .test-cases .test-slow
.test-half:
	$(FAST) $(HALF)

.test-rest:
	$(FAST) $(HALF:%=--ignore=%)

.test-cases:
	$(SLOW) $(CASES)

.test-slow:
	$(SLOW) $(CASES:%=--ignore=%)

test-base: wheel ## Run what needs no TensorFlow where there is none, on the demo's artifacts
	@test -n "$(ARTIFACTS)" || { echo "no .tflite or .onnx under $(OUT); run first: make demo OUT=$(OUT)" >&2; exit 1; }
	wheel=$$(echo dist/*.whl) && \
	    $(BASE)/bin/python $(PIP) install --quiet --constraint $(BASE)/pins.txt "$$wheel[tflite,onnx,images]"
	! $(BASE)/bin/python -c "import tensorflow" 2>/dev/null
	$(BASE)/bin/mnet profile $(ARTIFACTS) --runs 20

wheel: $(READY) ## Make the wheel and the sdist in dist/, and try the wheel where there is nothing else
	rm -rf dist $(BASE)
	$(BIN)/python -m hatchling build -d dist
	$(PYTHON) -m venv $(BASE)
	sed -n 's/^\([a-z0-9-]*==[^\\]*\).*/\1/p' $(LOCK) > $(BASE)/pins.txt
	$(BASE)/bin/python $(PIP) install --quiet --constraint $(BASE)/pins.txt dist/*.whl
	cd $(BASE) && bin/mnet --version && bin/mnet plan > /dev/null && bin/mnet init --out project

legacy: $(LEGACY)/.ready ## Make .venv-legacy: tflite-runtime with NumPy 1, for the tests marked so

lint: $(READY) ## Check style, types, the lock, and the generated parts of the docs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python scripts/lock.py
	$(BIN)/python scripts/readme.py --check

format: $(READY) ## Format the code and write the generated parts of the docs
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIN)/python scripts/readme.py

bench: $(READY) ## Measure the figures that are promised; prints ratios
	set -e; for script in scripts/bench_*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

# Versions stay as they are unless pyproject.toml forbids them, or UPGRADE=--upgrade is given.
lock: $(READY) ## Write the pins after pyproject.toml has changed
	$(COMPILE) --extra all --extra camera --extra openvino --extra ethos --extra tflm --group dev --group bench --output-file $(LOCK)
	$(COMPILE) --extra tflite-legacy --output-file $(LEGACY_LOCK)
	$(BIN)/python scripts/lock.py

clean: ## Remove environments and caches; results stay
	rm -rf $(VENV) $(BASE) $(LEGACY) .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
	find mobilenet_edge tests scripts -name __pycache__ -prune -exec rm -rf {} +

$(READY): $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "mobilenet-edge needs Python 3.11 or newer, and $(PYTHON) is not; try: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "$(PYTHON) has no venv module; on Debian or Ubuntu: sudo apt install $$($(PYTHON) -c \
	    'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" >&2; exit 1; }
	@test -x $(BIN)/pip || { rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); }
	$(BIN)/python $(PIP) install --require-hashes -r $(LOCK)
	$(BIN)/python $(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $(READY)

# tflite-runtime ended with Python 3.11. On a newer one nothing is made, and the tests that need it are skipped.
$(LEGACY)/.ready: $(LEGACY_LOCK)
	@if $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 12))'; then \
	    echo "no $(LEGACY): tflite-runtime has no wheel for $$($(PYTHON) -V); with an older one: make legacy PYTHON=python3.11"; \
	else \
	    set -e; rm -rf $(LEGACY); $(PYTHON) -m venv $(LEGACY); \
	    $(LEGACY)/bin/python $(PIP) install --quiet --require-hashes -r $(LEGACY_LOCK); touch $@; \
	fi
