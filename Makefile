# What to type. Everything that is installed goes into .venv; `make test` may also install system packages, and says so.
# Needs Python 3.11 or newer, git and make; nothing else.

.DEFAULT_GOAL := help
.PHONY: help demo test lint pytest test-long test-kill test-vllm bench ui clean system weights

VENV := .venv
BIN := $(VENV)/bin
# Hundreds of processes are started by the tests: where a shell forbids to keep bytecode, each would compile all of chainlab.
export PYTHONDONTWRITEBYTECODE :=
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-input --quiet

# Stamps: what .venv holds. Newer than the package's settings and the page's sources, or made again.
RUN := $(VENV)/.installed-local
DEV := $(VENV)/.installed-dev
PAGE := $(shell find inspector_ui -type f -not -path '*/node_modules/*' -not -path '*/tools/*' -not -name '*.test.ts*' \
	-not -name 'check.py' 2>/dev/null)
SOURCES := pyproject.toml hatch_build.py $(PAGE)

help:
	@echo 'make demo         a chain on the built-in model, then its trace in the browser (CI=1: no browser; FILE=path: your text)'
	@echo 'make test         the whole suite: lint, types, page, tests'
	@echo 'make lint         ruff, mypy --strict, the page (types, tsc, oxlint, vitest)'
	@echo 'make pytest       the Python tests alone (ARGS="tests/engine -x" for some of them)'
	@echo 'make test-long    what goes by numbers, in full: replays of 4,000 random chains, 200 noise controls, every screen in both sizes and themes'
	@echo 'make test-kill    kill -9 a running chain 100 times (KILLS=n), and a backtest of 50 runs: nothing acknowledged may be lost'
	@echo 'make test-vllm    install a real vLLM (CPU, 2.5 GB) into .venv-vllm and run chains with LoRA adapters on it'
	@echo 'make bench        the benchmarks of docs/benchmarks.md'
	@echo 'make ui           build the inspector page if it is missing or old'
	@echo 'make clean        remove .venv, .venv-vllm, caches and the built page; traces stay'

# FILE and CI reach the command by the environment: a path may hold anything.
demo: $(RUN)
	@$(BIN)/chainlab demo $(if $(FILE),--file "$$FILE")

# A slip of style does not keep the tests from being run, but the whole fails.
test: $(DEV) system weights
	@lint=0; $(MAKE) --no-print-directory lint || lint=1; \
	$(MAKE) --no-print-directory pytest || exit 1; \
	[ $$lint = 0 ] || { echo 'chainlab: the tests pass, but lint does not: see above' >&2; exit 1; }

# Each of them is run, whatever the others say.
lint: $(DEV)
	@ok=true; for check in 'ruff check' 'mypy' 'python inspector_ui/check.py'; do \
	  echo "$$check"; $(BIN)/$$check || ok=false; \
	done; $$ok

# A file is never split between workers: the built-in model and the browser are loaded once per file. Four workers keep
# two cores at work, for tests of live updates, waits and limits mostly wait.
pytest: $(DEV)
	$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),-n 4 --dist loadfile --no-loadscope-reorder -q)

test-long: $(DEV)
	CASES=4000 CONTROLS=200 LONG=1 $(BIN)/python -m pytest -n 2 --dist loadfile -q tests/replay/test_property.py \
	  tests/lab/test_noise_control.py tests/browser/test_inspector.py tests/browser/test_replay_page.py \
	  tests/browser/test_timeline.py

test-kill: $(DEV)
	KILLS=$(or $(KILLS),100) $(BIN)/python -m pytest tests/kill -q -s

# vLLM pins what chainlab must not: it has an environment of its own.
test-vllm: $(DEV) weights
	@tests/vllm/install.sh .venv-vllm
	VLLM_VENV=.venv-vllm $(BIN)/python -m pytest tests/vllm -v $(ARGS)

bench: $(DEV)
	$(BIN)/python -m tests.benchmarks.run $(ARGS)

# The build hook decides: it builds when the page is missing or older than its sources.
ui: $(RUN)
	@$(PIP) --no-deps -e .
	@echo 'chainlab: the inspector page is built'

clean:
	rm -rf $(VENV) .venv-vllm .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build *.egg-info chainlab/inspector/static
	rm -rf inspector_ui/node_modules inspector_ui/tools/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------------------------------------------------------------

$(VENV)/bin/python:
	@for python in python3.13 python3.12 python3.11 python3; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    echo "chainlab: making $(VENV) with $$($$python --version)"; \
	    $$python -m venv $(VENV) && exit 0; \
	    rm -rf $(VENV); \
	    echo "chainlab: $$python has no venv module (on Debian and Ubuntu: apt-get install python3-venv)" >&2; \
	    exit 1; \
	  fi; \
	done; \
	echo 'chainlab: needs Python 3.11 or newer; tried python3.13, python3.12, python3.11 and python3' >&2; \
	exit 1

$(RUN): $(SOURCES) | $(VENV)/bin/python
	@echo 'chainlab: installing chainlab[local] into $(VENV) and building the inspector page (about a minute the first time)'
	@$(PIP) -e '.[local]'
	@touch $@

$(DEV): $(SOURCES) | $(VENV)/bin/python
	@echo 'chainlab: installing chainlab[dev,local] into $(VENV) and building the inspector page (about two minutes the first time)'
	@$(PIP) -e '.[dev,local]'
	@touch $(RUN) $@

# A real browser and a real PostgreSQL for the tests that ask for them. $(1): what is missing; $(2): its Debian package.
define install
	if command -v apt-get >/dev/null 2>&1; then \
	  echo 'chainlab: there is no $(1): installing it (apt-get install $(2))'; \
	  as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$as_root apt-get update -qq && $$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(2) >/dev/null; \
	else \
	  echo 'chainlab: there is no $(1) and no apt-get: install it yourself; until then its tests are skipped (CI=1: they fail)'; \
	fi
endef

system:
	@[ -x /usr/bin/chromium ] || { $(call install,Chromium at /usr/bin/chromium,chromium); }
	@command -v postgres >/dev/null 2>&1 || [ -x "$$(pg_config --bindir 2>/dev/null)/initdb" ] \
	  || { $(call install,PostgreSQL server,postgresql); }

weights: $(DEV)
	@$(BIN)/chainlab models pull
