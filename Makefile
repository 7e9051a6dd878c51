.DEFAULT_GOAL := help
.PHONY: help browser install lock format lint types imports template openapi configuration test assurance fuzz hostile mutants bench check up token demo reconcile build clean

export PATH := $(CURDIR)/.venv/bin:$(PATH)

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

.venv/.installed: tools/scripts/install pyproject.toml tools/requirements/development.txt layers/dependencies/requirements.txt
	@tools/scripts/install

# Apart, because its requirements and ours exclude each other.
.venv/checkov/.installed: .venv/.installed tools/requirements/checkov.txt
	@uv venv --quiet --allow-existing --python .venv/bin/python .venv/checkov
	@uv pip sync --quiet --python .venv/checkov/bin/python --require-hashes tools/requirements/checkov.txt
	@touch $@

install: .venv/.installed ## the development environment, in .venv

lock: install ## pin the requirements, with hashes
	tools/scripts/lock $(ARGS)

format: install ## rewrite the code the one way
	ruff format .
	ruff check --fix .

# Python without an ending, which the tools would not find by themselves.
SCRIPTS = tools/scripts/smoke_built tools/scripts/invoke_built tools/scripts/import_built layers/dependencies/trim

lint: install
	ruff format --check . $(SCRIPTS)
	ruff check . $(SCRIPTS)

types: install
	mypy
	mypy tools/scripts/smoke_built
	mypy tools/scripts/import_built
	mypy layers/dependencies/trim

imports: install
	lint-imports

# Without a browser its tests are skipped, with the reason; CI must have one.
browser:
	@tools/scripts/browser >/dev/null || [ -z "$$CI" ]

# Over two processes: half the time on two cores, and more would share what is looked at as a whole.
SPREAD = -n 2 --no-loadscope-reorder

test: install browser ## all tests
	pytest $(SPREAD) $(ARGS)

assurance: install browser ## all tests, bugs seeded as well: docs/assurance.md says what they explored
	pytest $(SPREAD) --mutants --assurance=docs/assurance.md $(ARGS)

fuzz: install ## the parsers, fed with 20,000 examples each: half an hour
	pytest tests/fuzz --hypothesis-profile=long $(ARGS)

hostile: install ## images put through processing: DIR=folder, or those made for it; ARGS="--failed"
	@python -m tests.hostile $(if $(DIR),"$(DIR)") $(ARGS)

mutants: install ## bugs, seeded one at a time in a copy: each must be caught
	pytest tests/mutants --mutants $(SPREAD) $(ARGS)

bench: install ## measures everything against its peers, and writes docs/performance.md: half an hour; ARGS="--only cost"
	@tools/scripts/bench $(ARGS)
	@.venv/bench/bin/python -m tools.bench $(ARGS)

template build: export SAM_CLI_TELEMETRY = 0

template: install .venv/checkov/.installed ## check template.yaml with cfn-lint, sam validate and checkov
	cfn-lint template.yaml alarms.yaml
	sam validate --lint --region eu-central-1
	tools/scripts/checkov

openapi: install ## docs/openapi.yaml, from the code
	@python -m tools.openapi

configuration: install ## write docs/configuration.md from the template's parameters
	@python -m tools.configuration

# The machine's own architecture, so that what is built can be tried out on it; `sam build` alone builds for arm64.
build: install ## functions and layers, as they would be deployed, and tried out
	sam build --parameter-overrides Architecture=$(if $(filter x86_64,$(shell uname -m)),x86_64,arm64)
	python -I -S tools/scripts/import_built .aws-sam/build/DependenciesLayer
	tools/scripts/smoke_built

check: lint types imports template test ## what CI does

# Where a local stack keeps its state: one stack per folder.
STATE = .local

up: install ## run the whole service on this machine: PARAMS="PurgeDelaySeconds=2 …" PORTS=4000 STATE=folder
	@exec python -m tools.local --params "$(PARAMS)" --ports "$(PORTS)" --state "$(STATE)"

# USER is in every shell's environment, and is not who is meant.
token: PERSON = $(if $(filter command,$(origin USER)),$(USER),ada)
token: install ## print a development user's token: USER=grace ARGS="--expired"
	@python -m tools.local.token "$(PERSON)" --state "$(STATE)" $(ARGS)

demo: install ## walk through the whole service without a browser, checking every step
	@python -m tools.local.demo --state "$(STATE)" $(ARGS)

reconcile: install ## print orphaned and missing objects and rows, here or on AWS: ARGS="--mend"
	@python -m tools.local.reconcile --state "$(STATE)" $(ARGS)

clean: ## forget everything that was built or installed
	rm -rf .venv .uv .aws-sam .local build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
