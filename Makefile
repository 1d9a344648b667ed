# Few verbs; each does its own set-up. Needs python3 (3.11 or newer) with pip, and make.
PY ?= python3
UV := .tools/bin/uv
VENV := .venv
export UV_SYSTEM_CERTS ?= 1
# byte code is written once at install, so that every later start is fast
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench lock clean

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(UV):
	$(PY) -m pip install -q --disable-pip-version-check --root-user-action=ignore --target .tools uv

$(VENV)/.installed: $(UV) requirements.lock pyproject.toml
	$(UV) venv -q --allow-existing --python $(PY) $(VENV)
	$(UV) pip sync -q --python $(VENV) --require-hashes --compile-bytecode requirements.lock
	$(UV) pip install -q --python $(VENV) --no-deps --no-build-isolation -e .
	@touch $@

setup: $(VENV)/.installed ## make .venv with landbridge and all that its tests need

lock: $(UV) ## resolve pyproject.toml anew into the lock files: versions and hashes, no addresses
	$(UV) pip compile -q --universal --generate-hashes --no-annotate --no-header --all-extras --group dev \
		--no-emit-package landbridge pyproject.toml -o requirements.lock
