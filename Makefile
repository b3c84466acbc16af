# The commands people learn; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

# What one may set: make test JOBS=8, make install PREFIX=/usr, ...
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
DESTDIR ?=
WERROR ?= OFF
SETUP ?= yes
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 1800
FAULT_EVERY ?= 97
BUILD ?= build

RESULTS := $(BUILD)/results
CONFIGURE = cmake -G Ninja -S . -DMW_WERROR=$(WERROR) --log-level=WARNING
MAKE_IN = cmake --build
CTEST = ctest -j $(JOBS) --output-on-failure --no-tests=error \
  --test-output-size-passed 1000000 --test-output-size-failed 1000000

help: ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile

# ---- Set-up ---------------------------------------------------------------
# The packages of a command are looked for once; a stamp saves the next run
# the look. setup-fuzz: also what make fuzz needs.
setup: $(BUILD)/.packages
setup-%: $(BUILD)/.packages-%
	@:
$(BUILD)/.packages: packages.apt
	@if [ $(SETUP) = yes ]; then tests/kit/packages.sh; fi
	@mkdir -p $(BUILD) && touch $@
$(BUILD)/.packages-%: packages.apt
	@if [ $(SETUP) = yes ]; then tests/kit/packages.sh $*; fi
	@mkdir -p $(BUILD) && touch $@
# Toolchains of the bindings, as far as Debian has them; without one, its
# language is skipped and says so.
languages:
	@$(MAKE) -s setup-languages || echo 'not all languages will be here'

demo: setup languages ## stream real text to consumers in every language here (INPUT=file)
	@$(CONFIGURE) -B $(BUILD)/release
	@$(MAKE_IN) $(BUILD)/release -j $(JOBS) -t meshwork meshwork_static meshwork_program demo_provider demo_consumer_c demo_consumer_cpp demo_counter demo_member_cpp demo_coordinator demo_worker_c demo_worker_cpp
	@cmake --install $(BUILD)/release --prefix $(abspath $(BUILD))/stage > /dev/null
	@echo 'Consumers, members and workers in other languages:' && examples/demo/languages $(BUILD)/release $(BUILD)/stage
	@examples/demo/run $(BUILD)/release
	@examples/demo/shared $(BUILD)/release
	@examples/demo/mesh $(BUILD)/release

# ---- Builds, a folder each ------------------------------------------------
release: setup ## build library, program, examples and tests in build/release
	@$(CONFIGURE) -B $(BUILD)/release -DMW_FAULT_EVERY=$(FAULT_EVERY)
	@$(MAKE_IN) $(BUILD)/release -j $(JOBS)

install: setup ## install to PREFIX (default /usr/local), DESTDIR honoured
	@$(CONFIGURE) -B $(BUILD)/install -DMW_TESTS=OFF -DMW_EXAMPLES=OFF -DCMAKE_INSTALL_PREFIX=$(PREFIX)
	@$(MAKE_IN) $(BUILD)/install -j $(JOBS)
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD)/install

docs: release ## write docs/FUNCTIONS.md, OPTIONS.md and ERRORS.md anew
	@$(MAKE_IN) $(BUILD)/release -t docs

clean: ## remove everything that was built
	@rm -rf $(BUILD)

# ---- Speed and memory -------------------------------------------------------
bench: setup-bench ## measure against the baselines (PAIRS=9 ONLY=echo,doors,memory,publish,storm QUICK=yes)
	@$(CONFIGURE) -B $(BUILD)/release -DMW_BENCH=ON
	@$(MAKE_IN) $(BUILD)/release -j $(JOBS) -t bench_programs
	@python3 -B tests/bench/run.py --programs $(BUILD)/release/bench --out $(BUILD)/bench \
	  $(if $(PAIRS),--pairs $(PAIRS)) $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick)

bench-host: setup-bench ## channels and shares against ZeroMQ, Redis, netcluster, cluster-client (PAIRS=9 ONLY=events,invoke QUICK=yes)
	@$(CONFIGURE) -B $(BUILD)/release -DMW_BENCH=ON
	@$(MAKE_IN) $(BUILD)/release -j $(JOBS) -t bench_programs
	@python3 -B tests/bench/host.py --programs $(BUILD)/release/bench --out $(BUILD)/bench/host \
	  $(if $(PAIRS),--pairs $(PAIRS)) $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick)

bench-mesh: setup-bench languages ## calls between nodes against ZeroMQ, nng, NATS, Moleculer, socket.io, gRPC-Go, tonic (PAIRS=9 ONLY=calls,messages,nodes,crowd,links,languages QUICK=yes)
	@$(CONFIGURE) -B $(BUILD)/release -DMW_BENCH=ON
	@$(MAKE_IN) $(BUILD)/release -j $(JOBS) -t bench_programs meshwork_static meshwork_program
	@cmake --install $(BUILD)/release --prefix $(abspath $(BUILD))/stage > /dev/null
	@python3 -B tests/bench/mesh.py --programs $(BUILD)/release/bench --out $(BUILD)/bench/mesh \
	  $(if $(PAIRS),--pairs $(PAIRS)) $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick)

bench-bindings: setup languages ## echo in each language against its own servers (PAIRS=5 ONLY=node,go,rust,python QUICK=yes)
	@$(CONFIGURE) -B $(BUILD)/release
	@$(MAKE_IN) $(BUILD)/release -j $(JOBS) -t meshwork meshwork_static meshwork_program
	@cmake --install $(BUILD)/release --prefix $(abspath $(BUILD))/stage > /dev/null
	@examples/demo/languages $(BUILD)/release $(BUILD)/stage
	@python3 -B tests/bench/bindings.py --release $(BUILD)/release --stage $(BUILD)/stage --out $(BUILD)/bench \
	  $(if $(PAIRS),--pairs $(PAIRS)) $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick)

# ---- Tests ----------------------------------------------------------------
# A set leaves its results as RESULTS/<set>.xml; summary.py adds them up.
define run_sets
@rm -rf $(RESULTS) && mkdir -p $(RESULTS); failed=0; \
for set in $(1); do \
  echo "== $$set"; $(MAKE) -s set-$$set || failed=1; \
done; \
python3 tests/kit/summary.py $(RESULTS) $(1) || failed=1; exit $$failed
endef
junit = $(CTEST) --test-dir $(BUILD)/$(1) --output-junit $(abspath $(RESULTS))/$(2).xml

test: setup languages ## build and run the tests; ends with one line of counts
	$(call run_sets,release bindings asan tsan)

test-full: export CHAOS_ROUNDS = 10
test-full: setup languages ## every test under every sanitizer
	$(call run_sets,release bindings asan-full tsan-full)

bindings: setup languages ## the tests of the bindings: Node, Go, Rust, Python
	$(call run_sets,bindings)

asan: setup ## unit, stress and scenario tests under ASan and UBSan
	$(call run_sets,asan-full)

tsan: setup ## unit, stress and scenario tests under TSan
	$(call run_sets,tsan-full)

abi: setup ## the checks of the C border: exports, headers, layers, layout, install
	$(call run_sets,abi)

set-release: release
	@$(call junit,release,release) -LE bindings

fault: setup ## every allocation and system call fails once, also with TLS (make test: a sample there)
	$(call run_sets,fault)

set-fault: FAULT_EVERY = 1
set-fault: release
	@$(call junit,release,fault) -L fault

set-bindings: release
	@$(call junit,release,bindings) -L bindings

set-abi: release
	@$(call junit,release,abi) -L abi

set-asan: build-asan
	@$(MAKE_IN) $(BUILD)/asan -j $(JOBS) -t set_unit set_scenario set_sim
	@$(call junit,asan,asan) -L 'unit|scenario|sim'

set-asan-full: build-asan
	@$(MAKE_IN) $(BUILD)/asan -j $(JOBS) -t set_unit set_stress set_scenario set_sim
	@$(call junit,asan,asan-full) -L 'unit|stress|scenario|sim'

set-tsan: build-tsan
	@$(MAKE_IN) $(BUILD)/tsan -j $(JOBS) -t set_stress
	@$(call junit,tsan,tsan) -L stress

set-tsan-full: build-tsan
	@$(MAKE_IN) $(BUILD)/tsan -j $(JOBS) -t set_unit set_stress set_scenario
	@$(call junit,tsan,tsan-full) -L 'unit|stress|scenario'

build-asan: setup
	@$(CONFIGURE) -B $(BUILD)/asan -DMW_SANITIZE=address -DMW_PROGRAM=OFF -DMW_EXAMPLES=OFF

build-tsan: setup
	@$(CONFIGURE) -B $(BUILD)/tsan -DMW_SANITIZE=thread -DMW_PROGRAM=OFF -DMW_EXAMPLES=OFF

fuzz: setup-fuzz ## fuzz every parser for FUZZ_SECONDS (60) each; corpus in tests/fuzz/corpus
	@$(CONFIGURE) -B $(BUILD)/fuzz -DMW_FUZZ=ON -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
	  -DMW_PROGRAM=OFF -DMW_EXAMPLES=OFF -DMW_TESTS=OFF
	@$(MAKE_IN) $(BUILD)/fuzz -j $(JOBS) -t set_fuzz
	@tests/fuzz/run.sh $(BUILD)/fuzz $(FUZZ_SECONDS) $(JOBS)

sim: setup ## 10,000 mesh members on a virtual clock, targets and what was seen (MEMBERS=10000 SEED=1 ONLY=join)
	@$(CONFIGURE) -B $(BUILD)/release
	@$(MAKE_IN) $(BUILD)/release -j $(JOBS) -t sim
	@$(BUILD)/release/tests/sim/sim $(if $(MEMBERS),--members $(MEMBERS)) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

soak: release ## SOAK_SECONDS (1800) of traffic; memory and descriptors have to stay flat
	@python3 tests/soak/run.py $(BUILD)/release/tests/soak/soak $(SOAK_SECONDS)

conformance: release ## Autobahn's cases against provider and consumer (needs a Python 2.7)
	@python3 tests/conformance/run.py --provider $(BUILD)/release/tests/conformance/echo_provider \
	  --consumer $(BUILD)/release/tests/conformance/echo_consumer --build $(BUILD)/conformance

interop: release ## ws, undici, websockets, Chromium, network-cluster and cluster-client as our peers
	@python3 tests/interop/run.py --provider $(BUILD)/release/tests/conformance/echo_provider \
	  --consumer $(BUILD)/release/tests/conformance/echo_consumer --agent $(BUILD)/release/tests/scenario/scenario_agent --build $(BUILD)/interop

# A stamp is no by-product: make must not clear it away.
.PRECIOUS: $(BUILD)/.packages-%
.PHONY: languages bench-host bench-mesh bench-bindings bindings set-bindings fault conformance interop sim soak help setup demo release install docs clean bench test test-full asan tsan abi fuzz \
  set-release set-abi set-asan set-asan-full set-tsan set-tsan-full build-asan build-tsan
