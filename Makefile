# Every target sets up what it needs first; `make` alone prints this list.
SHELL := /bin/sh
PYTHON ?= python3
JOB ?= olist_daily_job
TARGET ?= dev
SOURCE ?=
RUN_DATE ?=
FEED ?=
ROUNDS ?= 3
BATCHES ?= 4
SEED ?= 0
VARS ?=
PARAMS ?=
PARTS ?=
REMOTE ?= databricks
A ?= latest
B ?=
OPTIONS ?=
Q ?=
FILE ?=
READY := .venv/.ready
READY_REMOTE := .venv-remote/.ready
LOCAL := .venv/bin/python -m local
# Two workers; tests/conftest.py says which tests stay together, and puts the longest first.
TESTS := .venv/bin/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder
SET_UP := $(wildcard local/setup/*.py) local/lakelocal/versions.py local/pyproject.toml local/ipython_kernel_config.py

# What a run is given, here and elsewhere. A folder of this machine becomes a URL; a volume stays as it is.
FOLDER = $(if $(filter /Volumes/% dbfs:/% s3://% abfss://% gs://%,$(SOURCE)),$(SOURCE),file:$(abspath $(SOURCE)))
RUN = run $(JOB) --target $(TARGET) --strict \
  $(if $(SOURCE)$(RUN_DATE)$(VARS)$(PARAMS),--check notebooks/05_check_parameters.ipynb) \
  $(if $(SOURCE),--var source=$(FOLDER)) $(if $(RUN_DATE),--param run_date=$(RUN_DATE)) \
  $(foreach v,$(VARS),--var $(v)) $(foreach p,$(PARAMS),--param $(p))

.DEFAULT_GOAL := help
.PHONY: help setup setup-remote run-local run-remote diff validate sql up down status lab test test-all check verify-cdc reset bench

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## install packages, Delta's jars and, if needed, Java into .venv (called by the other targets)

$(READY): environment.yml constraints.txt $(SET_UP) local/lakelocal/server/jars.sha256
	@PYTHONPATH=local $(PYTHON) -m local.setup

setup-remote: $(READY_REMOTE) ## install databricks-connect into .venv-remote (Python 3.12, or PYTHON312=path)

$(READY_REMOTE): environment-remote.yml constraints-remote.txt $(SET_UP)
	@PYTHONPATH=local $(PYTHON) -m local.setup --remote

run-local: export LOCAL_REMOTE =
run-local: $(READY) ## run a job here: JOB= TARGET= SOURCE=folder RUN_DATE=YYYY-MM-DD VARS="k=v ..." PARAMS="k=v ..."
	@$(LOCAL) $(RUN)

# The URL goes by the environment, where make has put it: a command line shows a token to everyone on the machine.
# A workspace may lack the catalog, which only set-up creates; here it is the state folder.
run-remote: export LOCAL_REMOTE = $(REMOTE)
run-remote: $(READY_REMOTE) ## the same, with Spark in a Databricks workspace or at REMOTE="sc://host:port/;token=..."
	@.venv-remote/bin/python -m local $(RUN) --before notebooks/00_setup.ipynb

diff: $(READY) ## did two runs make the same tables? A= B= (12, latest, TARGET:12, folder/of/state:12) OPTIONS="--rows 20"
	@$(LOCAL) diff $(A) $(B) --target $(TARGET) $(OPTIONS) || { code=$$?; [ $$code -ne 1 ] || \
	  echo 'The runs differ: exit code 1, which make shows as an error of its own.' >&2; exit $$code; }

validate: $(READY) ## find everything that is wrong with the bundle: TARGET= (default: all) JOB= (default: all)
	@$(LOCAL) validate $(if $(filter command environment,$(origin JOB)),$(JOB)) \
	  $(if $(filter command environment,$(origin TARGET)),--target $(TARGET))

up: $(READY) ## start the Spark Connect server of TARGET
	@$(LOCAL) up --target $(TARGET)

down: $(READY) ## stop the server of TARGET; tables are kept
	@$(LOCAL) down --target $(TARGET)

status: $(READY) ## is the server of TARGET running?
	@$(LOCAL) status --target $(TARGET)

sql: export STATEMENT = $(Q)
sql: $(READY) ## SQL on the tables of TARGET: Q="SELECT ..." or FILE=path.sql; a shell without either
	@$(LOCAL) sql --target $(TARGET) $(if $(Q),"$$STATEMENT") $(if $(FILE),--file $(FILE))

lab: $(READY) ## JupyterLab on notebooks, runbooks and executed notebooks, with spark, dbutils and display in each
	@$(LOCAL) lab notebooks/00_setup.ipynb

test: check ## all checks, and all tests except the slow ones
	@$(TESTS) -m "not slow"

test-all: export HYPOTHESIS_PROFILE = long
test-all: check ## all checks and tests, including kills, a cluster, databricks-connect and long property tests; for a release
	@$(TESTS)

check: $(READY) ## style of code and notebooks, types, what every place runs, GitHub workflows
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check local notebooks/lakehouse notebooks/pipelines tests
	@.venv/bin/mypy
	@.venv/bin/python -m tests.portability
	@.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

verify-cdc: export VERIFIED_FEED = $(FEED)
verify-cdc: $(READY) ## replay the change feeds in other orders, compare the tables: FEED= ROUNDS= BATCHES= SEED= TARGET=
	@.venv/bin/python -m tests.verify_cdc --target $(TARGET) --rounds $(ROUNDS) --batches $(BATCHES) --seed $(SEED) \
	  --feed "$$VERIFIED_FEED"

bench: $(READY) ## measure the costs, compared with Declarative Pipelines and others: PARTS="main daily" OPTIONS="--repeat 1" (--help)
	@.venv/bin/python -m tests.bench $(PARTS) $(OPTIONS)

reset: $(READY) ## delete everything that local runs left behind, printing what
	@$(LOCAL) reset
