# The commands of Tenon. `make quickstart` and `make test` set up everything they need.
BUILD ?= build
JOBS ?= $(shell nproc)

.PHONY: all build quickstart test check check-quick golden bench bench-quick docs install clean packages

all: build

packages:
	@bash tools/install_packages.sh tools/packages.txt

$(BUILD)/build.ninja: | packages
	@bash tools/install_arrow.sh
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE="-O2 -DNDEBUG" -DTENON_WARNINGS_AS_ERRORS=ON \
	  -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=10 > $(BUILD)-configure.log 2>&1 \
	  || { cat $(BUILD)-configure.log; exit 1; }
	@mv $(BUILD)-configure.log $(BUILD)/configure.log

# The command line program: build/tenon.
build: packages $(BUILD)/build.ninja
	@ninja -C $(BUILD) -j $(JOBS) tenon_cli

# Trains 784-128-64-10 on Fashion-MNIST and shows what it learned and what it cost.
quickstart: build
	$(BUILD)/tenon train --model mlp --hidden 128,64 --data fashion-mnist --epochs 12 \
	  --batch-size 128 --optimizer adam --learning-rate 1e-3 --seed 1 --out runs/quickstart --overwrite

test: packages $(BUILD)/build.ninja
	@ninja -C $(BUILD) -j $(JOBS)
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

# Formatting, structure, CUDA texts, a second build by clang with ASan and UBSan, its tests, lint.
check: packages $(BUILD)/build.ninja
	@bash tools/install_packages.sh tools/packages_check.txt
	@BUILD=$(BUILD) bash tools/check.sh

# The part of `make check` that takes seconds.
check-quick:
	@bash tools/check.sh quick

# Rewrites the golden texts; read the diff before committing it.
golden: $(BUILD)/build.ninja
	@ninja -C $(BUILD) -j $(JOBS)
	@TENON_UPDATE_GOLDEN=1 ctest --test-dir $(BUILD) -R 'golden|codegen' --output-on-failure

# Peers of the race, in a Python environment of their own. On x86-64, PyPI's torch brings CUDA with it;
# PIP_OPTIONS can name an index of packages for the CPU alone.
RACE_ENV = .cache/race-env
$(RACE_ENV)/ready: benchmarks/race/requirements.txt
	@echo "installing PyTorch, JAX, TensorFlow and ONNX Runtime into $(RACE_ENV) (some GB, once)"
	@python3 -m venv $(RACE_ENV) && $(RACE_ENV)/bin/pip install -q $(PIP_OPTIONS) -r $< && touch $@

# The race against PyTorch, JAX and Keras (docs/benchmarks.md); more by RACE="--workloads C6 --keep".
bench: build $(RACE_ENV)/ready
	@$(RACE_ENV)/bin/python benchmarks/race/race.py --tenon $(BUILD)/tenon --out benchmarks/RESULTS.md $(RACE)

QUICK_ENV = .cache/bench-quick
$(QUICK_ENV)/ready: benchmarks/race/requirements_quick.txt
	@echo "installing NumPy into $(QUICK_ENV) (once)"
	@python3 -m venv $(QUICK_ENV) && $(QUICK_ENV)/bin/pip install -q $(PIP_OPTIONS) -r $< && touch $@

# C1, C2 and C5 against the last committed figures, for use while working.
bench-quick: build $(QUICK_ENV)/ready
	@$(QUICK_ENV)/bin/python benchmarks/race/quick.py --tenon $(BUILD)/tenon $(QUICK)

docs:
	@bash tools/install_packages.sh tools/packages_check.txt
	@mkdir -p docs/html && doxygen docs/Doxyfile && echo "docs/html/index.html"

install: build
	@ninja -C $(BUILD) tenon && cmake --install $(BUILD)

clean:
	rm -rf $(BUILD) $(BUILD)-check $(BUILD)-check-threads
