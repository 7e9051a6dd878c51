.DEFAULT_GOAL := help
.PHONY: help browser install lock format lint types imports template openapi configuration build budget test check assurance mutation bench up invoke events logs trace reset deploy demo smoke token reconcile migrate restore hostile fuzz clean client dashboard pictures

export PATH := $(CURDIR)/.venv/bin:$(PATH)

help: ## list the commands
	@grep -hE '^[a-z ]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+)[a-z ]*:.*## (.*)/  \1\t\2/' | expand -t 18

.venv/.installed: tools/scripts/install pyproject.toml tools/requirements/development.txt layers/dependencies/requirements.txt
	@tools/scripts/install

# checkov has its own environment, because its requirements and ours conflict.
.venv/checkov/.installed: .venv/.installed tools/requirements/checkov.txt
	@uv venv --quiet --allow-existing --python .venv/bin/python .venv/checkov
	@uv pip sync --quiet --python .venv/checkov/bin/python --require-hashes tools/requirements/checkov.txt
	@touch $@

# Benchmarks and drawings need packages that developers and CI do without.
.venv/bench/.installed: .venv/.installed tools/bench/requirements.txt
	@uv venv --quiet --allow-existing --python .venv/bin/python .venv/bench
	@uv pip sync --quiet --compile-bytecode --python .venv/bench/bin/python --require-hashes \
		tools/requirements/development.txt tools/bench/requirements.txt
	@uv pip install --quiet --python .venv/bench/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

install: .venv/.installed ## create the development environment in .venv

lock: install ## pin all requirements with hashes; ARGS are passed on
	tools/scripts/lock $(ARGS)

format: install ## format the code and fix what ruff can fix
	ruff format .
	ruff check --fix .

# Python scripts without a file extension, which the tools do not find by themselves.
SCRIPTS = tools/scripts/smoke_built tools/scripts/invoke_built tools/scripts/import_built layers/dependencies/trim

lint: install ## check format and style
	ruff format --check . $(SCRIPTS)
	ruff check . $(SCRIPTS)

types: install ## check types
	mypy
	mypy tools/scripts/smoke_built
	mypy tools/scripts/import_built
	mypy layers/dependencies/trim

imports: install ## check that imports follow the layers of the architecture
	lint-imports

# Without a browser, its tests are skipped with the reason. CI fails without one.
browser:
	@tools/scripts/browser >/dev/null || [ -z "$$CI" ]

# Without npm, the tests of the JavaScript client are skipped with the reason. CI fails without it.
client: clients/js/node_modules/.package-lock.json ## install the development packages of clients/js
	@:

clients/js/node_modules/.package-lock.json: clients/js/package-lock.json
	@if command -v npm >/dev/null; then cd clients/js && npm ci --silent --ignore-scripts --no-audit --no-fund && \
	  touch node_modules/.package-lock.json; else [ -z "$$CI" ]; fi

# Two processes. Tests with the same xdist_group run in the same process.
PYTEST = pytest -n 2 --dist loadgroup

test: install browser client ## run the tests, about six and a half minutes; ARGS="tests/unit -k bind"
	$(PYTEST) $(ARGS)

assurance: install browser client ## run the exhaustive tests and mutation testing, about half an hour
	$(PYTEST) -m assurance $(ARGS)
	$(PYTEST) tests/fuzz --hypothesis-profile=assurance
	@python -m tests.mutation

mutation: install ## change the code at random and count the changes that tests notice; ARGS="--sample 0" for all
	@python -m tests.mutation $(ARGS)

fuzz: install ## run the fuzz tests with 20,000 examples each, about half an hour
	pytest tests/fuzz --hypothesis-profile=long $(ARGS)

hostile: install ## process hostile images: DIR=folder, or generated ones; ARGS="--failed"
	@python -m tests.hostile $(if $(DIR),"$(DIR)") $(ARGS)

bench: .venv/bench/.installed ## measure everything and write docs/performance.md; ARGS="--only cost"
	@tools/scripts/bench $(ARGS)
	@.venv/bench/bin/python -m tools.bench $(ARGS)

template build deploy: export SAM_CLI_TELEMETRY = 0

template: install .venv/checkov/.installed ## validate the templates and workflows with cfn-lint, SAM, checkov and schemas
	cfn-lint *.yaml .github/deploy-role.yaml
	check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	check-jsonschema --quiet --builtin-schema vendor.github-actions .github/actions/*/action.yml
	sam validate --lint --region eu-central-1
	tools/scripts/checkov

openapi: install ## generate docs/openapi.yaml from the code
	@python -m tools.openapi

dashboard: .venv/bench/.installed ## draw docs/images/dashboard.svg from dashboard.yaml with sample data
	@.venv/bench/bin/python -m tools.dashboard

pictures: install ## take docs/images/profile.png and console.png in Chromium, from a stack of their own
	@python -m tools.pictures

configuration: install ## generate docs/configuration.md from the template
	@python -m tools.configuration

build: install ## build functions and layers for both architectures, and invoke each built function once
	sam build
	python -I -S tools/scripts/import_built .aws-sam/build/Dependencies$(if $(filter x86_64,$(shell uname -m)),X86,Arm64)Layer
	tools/scripts/smoke_built

deploy: install ## build and deploy a stage of samconfig.toml, and protect it: STAGE=staging ARGS="--no-confirm-changeset"
	@python -m tools.stages check "$(STAGE)"
	sam build --config-env "$(STAGE)"
	@python -m tools.gradual "$(STAGE)"
	sam deploy --config-env "$(STAGE)" $(ARGS)
	@python -m tools.stages protect "$(STAGE)"

budget: install ## record the imports of each function; a test fails when they grow
	@python -m tests.cold_start.budget

check: lint types imports template test ## run everything that CI checks, except the build

# The folder that belongs to one running stack: its addresses and logs. Another folder allows a second stack.
STATE = .local
KEPT = $(if $(filter-out 1,$(KEEP)),$(KEEP),$(STATE)/kept)

up: install ## run the whole service on this machine: PARAMS="PurgeDelaySeconds=2 …" DEBUG=1 KEEP=1 PORTS=4000
	@exec python -m tools.local --params "$(PARAMS)" --ports "$(PORTS)" --state "$(STATE)" \
	  $(if $(DEBUG),--debug $(DEBUG)) $(if $(KEEP),--keep "$(KEPT)") \
	  $(if $(CONTAINERS),--containers $(CONTAINERS))

reset: install ## delete what `make up KEEP=1` keeps: KEEP=folder
	@python -m tools.local.kept "$(KEPT)"

# Every shell sets USER to the name of the machine's user, so only USER from the command line counts.
token: PERSON = $(if $(filter command,$(origin USER)),$(USER),ada)
token: install ## print a token of a development user: USER=grace AS=cognito ARGS="--expired"
	@python -m tools.local.token "$(PERSON)" --state "$(STATE)" $(if $(AS),--as $(AS)) $(ARGS)

invoke: install ## run one function here, against the running stack: FUNCTION=bind_avatar EVENT=file
	@python -m tools.local.invoke "$(FUNCTION)" $(if $(EVENT),--event "$(EVENT)") --state "$(STATE)"

events: install ## print a fresh, valid event: FUNCTION=bind_avatar, or one for each function
	@python -m tools.local.events $(FUNCTION) --state "$(STATE)"

logs: install ## follow the running stack's logs: FUNCTION=bind_avatar UPLOAD=id ARGS="--no-follow"
	@python -m tools.local.logs --function "$(FUNCTION)" --upload "$(UPLOAD)" --state "$(STATE)" $(ARGS)

trace: install ## print the life of one upload, from the running stack's logs: UPLOAD=id
	@python -m tools.local.trace "$(UPLOAD)" --state "$(STATE)"

demo: install ## run the whole flow against the local stack and check every step
	@python -m tools.local.demo --state "$(STATE)" $(ARGS)

# TOKEN reaches the command through the environment, so that neither make nor the list of processes shows it.
smoke: export TOKEN := $(TOKEN)
smoke: install ## run the main job against a deployed API: URL=https://… or STAGE=staging, TOKEN=…
	@python -m tools.smoke $(if $(STAGE),--stage "$(STAGE)",--url "$(URL)") $(ARGS)

reconcile: install ## report orphans and missing objects, on the local stack or on AWS: ARGS="--mend"
	@python -m tools.local.reconcile --state "$(STATE)" $(ARGS)

migrate: install ## bring rows of version 0.1.0 up to date, on the local stack or on AWS: ARGS="--stack NAME --apply"
	@python -m tools.migrate --state "$(STATE)" $(ARGS)

restore: install ## copy rows of restored tables into a stack's tables: ARGS="--stack NAME --users T --uploads T --apply"
	@python -m tools.restore --state "$(STATE)" $(ARGS)

clean: ## delete everything that was built or installed
	rm -rf .venv .uv .aws-sam .local build clients/js/node_modules clients/js/examples/built .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
