# Every target first sets up what it needs: an empty clone, Python 3.11, pip and make are enough.
export UV_PYTHON_DOWNLOADS := never
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MEMBERS := shared agent hub firmware-sim
MOSQUITTO := $(shell command -v mosquitto || ls /usr/sbin/mosquitto 2>/dev/null)

.PHONY: help setup demo test browser chromium tour test-mlflow check chaos powercut kill soak docs bench-hub bench-console bench-delivery bench-agent bench-drift lock mosquitto strace wrk exports clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## make .venv with everything pinned, and the four members in it

$(STAMP): requirements.txt $(MEMBERS:%=%/pyproject.toml)
	@test -x $(BIN)/uv || { echo "setting up .venv (once, about a minute) ..."; \
	  $(PYTHON) -m venv --without-pip $(VENV) && \
	  $(PYTHON) -m pip --python $(BIN)/python install --quiet uv; }
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps $(MEMBERS:%=-e ./%)
	@touch $@

demo: setup ## watch the whole loop happen on real data (a minute or two)
	@$(BIN)/fleetloop demo

mosquitto:
	@command -v mosquitto >/dev/null || test -x /usr/sbin/mosquitto || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq mosquitto >/dev/null; } || \
	  printf '\n*** mosquitto could not be installed: tests against it will be SKIPPED.\n*** Install it with: apt-get install mosquitto\n\n'

chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  printf '\n*** chromium could not be installed: tests in a browser will be SKIPPED.\n*** Install it with: apt-get install chromium\n\n'

browser: setup chromium ## do every daily job in a browser on real processes; axe-core looks at every page (minutes)
	@$(BIN)/python -m pytest -p no:randomly tests/browser/day.py

tour: setup chromium ## take the pictures of docs/tour.md anew, on the way through the daily jobs (minutes)
	@mkdir -p docs/images/tour
	@FLEETLOOP_TOUR=$(CURDIR)/docs/images/tour $(BIN)/python -m pytest -p no:randomly tests/browser/day.py

# Empty is "keep it": else every worker and every process of a test compiles the whole project anew.
test: export PYTHONDONTWRITEBYTECODE :=
test: setup mosquitto strace chromium ## run every test (a third worker, since some mostly wait)
	@$(BIN)/python -m compileall -q $(MEMBERS) tests/support
	@$(BIN)/python -m pytest -n 3 --dist worksteal

MLFLOW := build/mlflow-venv
test-mlflow: setup ## export runs to a real MLflow server, in an environment of its own (minutes, 1 GB)
	@test -x $(MLFLOW)/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python $(MLFLOW)
	@$(BIN)/uv pip install --quiet --python $(MLFLOW)/bin/python -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(MLFLOW)/bin/python mlflow
	@$(BIN)/uv pip install --quiet --python $(MLFLOW)/bin/python --no-deps $(MEMBERS:%=-e ./%)
	@$(MLFLOW)/bin/python -m pytest tests/integration/test_mlflow_server.py

.PHONY: test-arm
test-arm: setup ## answer as C programs on an emulated 32-bit ARM processor (needs apt-get, or what it names)
	@command -v arm-linux-gnueabihf-gcc >/dev/null && command -v qemu-arm >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	      gcc-arm-linux-gnueabihf libc6-dev-armhf-cross qemu-user >/dev/null; }
	@$(BIN)/python -m pytest -q tests/integration/test_c_program_arm.py

FUZZ := build/fuzz-venv
FUZZ_CASES := 10000
.PHONY: fuzz-api
fuzz-api: setup ## ask a real hub 10,000 odd things over HTTP with schemathesis, in an environment of its own (minutes)
	@test -x $(FUZZ)/bin/schemathesis || { $(BIN)/uv venv --quiet --python $(BIN)/python $(FUZZ) && \
	  $(BIN)/uv pip install --quiet --python $(FUZZ)/bin/python schemathesis; }
	@PYTHONPATH=tests $(BIN)/python tests/fuzz/run.py $(FUZZ_CASES)

ASYNCAPI := build/asyncapi
.PHONY: asyncapi
asyncapi: setup ## check docs/asyncapi.json with the official parser (needs node and npm; once 50 MB)
	@test -d $(ASYNCAPI)/node_modules/@asyncapi/parser || \
	  npm install --silent --no-audit --no-fund --prefix $(ASYNCAPI) @asyncapi/parser@3.6.6
	@$(BIN)/python -m pytest -q -rs tests/integration/test_asyncapi_parser.py

HOME_ASSISTANT := build/home-assistant-venv
.PHONY: home-assistant
home-assistant: setup ## check what Home Assistant is told with its own schemas (needs Python 3.13; once 300 MB)
	@test -x $(HOME_ASSISTANT)/bin/python || { $(BIN)/uv venv --quiet --python 3.13 $(HOME_ASSISTANT) && \
	  $(BIN)/uv pip install --quiet --python $(HOME_ASSISTANT)/bin/python homeassistant==2025.4.4 paho-mqtt==2.1.0; }
	@$(BIN)/python -m pytest -q -rs tests/integration/test_home_assistant.py

check: setup ## format, lint, types, import rules, declared dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@for member in $(MEMBERS); do echo "deptry $$member"; (cd $$member && ../$(BIN)/deptry .) || exit 1; done

strace:
	@command -v strace >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq strace >/dev/null; } || \
	  printf '\n*** strace could not be installed: tests that kill at a system call will be SKIPPED.\n*** Install it with: apt-get install strace\n\n'

wrk:
	@command -v wrk >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq wrk >/dev/null; } || \
	  printf '\n*** wrk could not be installed: serving over HTTP cannot be measured.\n*** Install it with: apt-get install wrk\n\n'

kill: setup mosquitto strace ## kill real agents, hubs and brokers at every durable step (half an hour)
	@$(BIN)/python tests/kill/run.py

soak: setup ## change models under load for ten minutes: no call fails, no answer is mixed
	@$(BIN)/python tests/soak/run.py

docs: setup ## write the pages that are made from the code
	@$(BIN)/python -m fleetloop_hub.spec.reference docs/spec.md
	@$(BIN)/python -m fleetloop_agent.update.states_page docs/states.md
	@$(BIN)/python -m fleetloop_hub.delivery.rollouts_page docs/rollouts.md
	@PYTHONPATH=tests $(BIN)/python -m support.metrics_page docs/metrics.md
	@PYTHONPATH=tests $(BIN)/python -m support.openapi_page docs/openapi.json
	@PYTHONPATH=tests $(BIN)/python -m support.asyncapi_page docs/asyncapi.json
	@PYTHONPATH=tests $(BIN)/python -m support.people_page docs/people.md

powercut: setup ## cut the power in every story, run every wrong protocol, and print docs/reliability.md (some minutes)
	@PYTHONPATH=tests $(BIN)/python -m support.power_cut_page

CHAOS_SEEDS := 10000
chaos: setup ## tell 10,000 seeded stories of fleets in trouble (0.2 s of a core each: 15 to 20 minutes on two free ones)
	@$(BIN)/fleetloop-sim chaos --seeds $(CHAOS_SEEDS) --jobs 2

STORY :=
SEEDS := 1 2 3
.PHONY: stories
stories: setup ## tell every story on three seeds and with a hub that is killed, and write docs/stories.md (half an hour)
	@$(BIN)/python tests/stories/run.py --page docs/stories.md $(if $(STORY),--stories $(STORY)) --seeds $(SEEDS)

.PHONY: metrics-rules
metrics-rules: setup ## check and try the alert rules with Prometheus' promtool (needs apt-get, or promtool)
	@command -v promtool >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus >/dev/null; }
	@promtool check rules docs/grafana/alerts.yml
	@promtool test rules tests/integration/alert_rules.yml

bench-hub: setup ## measure the hub beside what it is compared with (some minutes, alone on the machine)
	@$(BIN)/python tests/bench/run.py hub artifacts catalog data

bench-console: setup mosquitto chromium ## measure the console of 5,000 devices (a quarter of an hour and 4 GB of disk the first time)
	@$(BIN)/python tests/bench/run.py hub console --page docs/performance.md

bench-delivery: setup mosquitto ## measure delivery beside a transfer per device (minutes, alone on the machine)
	@$(BIN)/python tests/bench/run.py delivery agent transfer
	@$(BIN)/python tests/bench/run.py delivery judge --page docs/performance.md

bench-agent: setup wrk ## measure serving, monitoring and footprint beside what else there is (half an hour, alone on the machine)
	@$(BIN)/python tests/bench/run.py agent --page docs/performance.md

bench-drift: setup ## measure drift detection beside what else there is (a quarter of an hour, alone on the machine; 4 GB, once)
	@$(BIN)/python tests/bench/run.py drift --page docs/performance.md

lock: ## pin requirements.txt anew from the members' pyproject files
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	  $(MEMBERS:%=--no-emit-package fleetloop-%) \
	  $(MEMBERS:%=%/pyproject.toml) --group dev -o requirements.txt

EXPORTS := build/exports-venv
exports: ## export tests/golden/onnx anew with PyTorch, XGBoost and LightGBM (minutes, 1 GB)
	@test -x $(EXPORTS)/bin/python || $(PYTHON) -m venv $(EXPORTS)
	@$(EXPORTS)/bin/pip install --quiet -r tests/exports/requirements.txt
	@$(EXPORTS)/bin/python tests/exports/export_models.py tests/golden/onnx

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist .state
