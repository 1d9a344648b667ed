# Few verbs; each does its own set-up. Needs python3 (3.11 or newer) with pip, and make.
PY ?= python3
UV := .tools/bin/uv
VENV := .venv
BENCH := .venv-bench
SNOWFLAKE := .venv-snowflake
WHEELHOUSE := dist/wheelhouse
export UV_SYSTEM_CERTS ?= 1
# byte code is written once at install, so that every later start is fast
unexport PYTHONDONTWRITEBYTECODE
# uv does not read pip's settings: a mirror that is set only there is handed over
INDEX = UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(PY) -m pip config get global.index-url 2>/dev/null)}}"
COMPILE = $(INDEX) $(UV) pip compile -q --universal --generate-hashes --no-annotate --no-header \
	--no-emit-package landbridge pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all test-account lint bench fault-campaign histories fuzz lock wheelhouse clean

help: ## what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' $(MAKEFILE_LIST) | expand -t 16

$(UV):
	@$(PY) -c 'import sys; sys.exit("needs Python 3.11 or newer: make PY=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	@echo "fetching uv into .tools"
	@$(PY) -m pip install -q --disable-pip-version-check --root-user-action=ignore --target .tools uv

# one rule for all environments: each is made from its own lock file, then landbridge is put in
$(VENV)/.installed: requirements.lock
$(BENCH)/.installed: requirements-bench.lock
$(SNOWFLAKE)/.installed: requirements-snowflake.lock
%/.installed: $(UV) pyproject.toml
	@echo "making $* from $(filter %.lock,$^)"
	@$(UV) venv -q --allow-existing --python $(PY) $*
	@$(INDEX) $(UV) pip sync -q --python $* --require-hashes --compile-bytecode $(filter %.lock,$^)
	@$(UV) pip install -q --python $* --no-deps --no-build-isolation -e .
	@touch $@

setup: $(VENV)/.installed ## make .venv with landbridge and all that its tests need

demo: setup ## carry a warehouse across a gap of files into a real PostgreSQL, and prove that it arrived
	$(VENV)/bin/landbridge demo

test: setup $(SNOWFLAKE)/.installed ## every test, on real servers that start and stop by themselves
	$(VENV)/bin/pytest -q -n 2 --dist worksteal

test-all: test ## and those of Snowflake once more, with the older major version of its connector
	$(SNOWFLAKE)/bin/pytest -q -n 2 --dist worksteal -m snowflake

test-account: setup ## the suites of a connector on the real account that the variables SNOWFLAKE_* name
	$(VENV)/bin/pytest -q -m account tests/accounts

lint: setup ## style, format, types, and that imports run downhill only
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: $(BENCH)/.installed ## speed and memory, each as a ratio to something known
	$(BENCH)/bin/python benchmarks/run.py $(ARGS)

fault-campaign: setup ## kill runs at every crash point and at random instants, and compare after one rerun
	$(VENV)/bin/python tests/faults/campaign.py

histories: setup ## 204 random histories of tables that change, parcels that are lost and sides that are killed
	LANDBRIDGE_HISTORIES=34 $(VENV)/bin/pytest -q -n 2 tests/engine/test_histories.py

fuzz: setup ## harm parcels at every layer for an hour, and see that each is refused or read as it was sealed
	$(VENV)/bin/python tests/fuzz/fuzz.py $(ARGS)

lock: $(UV) ## resolve pyproject.toml anew into the lock files: versions and hashes, no addresses
	@$(COMPILE) --all-extras --group dev -o requirements.lock
	@$(COMPILE) --all-extras --group bench -o requirements-bench.lock
	@$(COMPILE) --all-extras --group snowflake -o requirements-snowflake.lock

wheelhouse: setup ## wheels to carry to a machine without network: pip install --no-index --find-links
	@rm -rf $(WHEELHOUSE) && mkdir -p $(WHEELHOUSE)
	@$(INDEX) $(UV) pip compile -q --python $(VENV) --generate-hashes --no-annotate --no-header \
		--no-emit-package landbridge --all-extras --constraint requirements.lock pyproject.toml -o dist/runtime.lock
	@$(PY) -m pip wheel -q --disable-pip-version-check --no-deps --require-hashes -r dist/runtime.lock -w $(WHEELHOUSE)
	@$(PY) -m pip wheel -q --disable-pip-version-check uv -w $(WHEELHOUSE)  # makes environments without python3-venv
	@$(UV) build -q --wheel --no-build-isolation --python $(VENV) -o $(WHEELHOUSE)
	@cd $(WHEELHOUSE) && rm -f .gitignore && sha256sum *.whl > SHA256SUMS && du -sh .

clean: ## remove what these verbs made
	rm -rf $(VENV) $(BENCH) $(SNOWFLAKE) .tools dist demo-run bench-run .*_cache .import_linter_cache .hypothesis
