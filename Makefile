# `make demo` and `make test` need Python 3.11 or newer, with venv, and nothing else.
PYTHON ?= python3
VENV ?= .venv
CORES ?= 2
KESM_RESULTS ?= results-kesm
BIN = $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo kesm kesm-methods gallery walkthrough partial-report annotate verify view test test-fuzz test-faults test-lock coverage test-slurm test-storage test-unet test-browser web lint dry-run format docs pictures lock clean test-memory test-mutants test-crate

demo: $(VENV)/runtime
	snakemake --cores $(CORES)
	@echo "Open results/report.html"

# The published tile, in a folder of its own.
kesm: $(VENV)/runtime
	snakemake --cores $(CORES) --directory $(KESM_RESULTS) --configfile config/kesm.yaml
	@echo "Open $(KESM_RESULTS)/results/report.html"

# Which method to trust on it.
kesm-methods: $(VENV)/runtime
	snakemake --cores $(CORES) --directory $(KESM_RESULTS) --configfile config/kesm-methods.yaml
	@echo "Open $(KESM_RESULTS)/results/report.html"

# What a run of the demo has made so far, while it goes on; of another configuration, CONFIG=my.yaml.
partial-report:
	$(BIN)/python scripts/partial_report.py $(if $(CONFIG),--configfile $(CONFIG))

# Tiles to paint in, from results/; the random ones with OPTIONS=--random. docs/annotating.md has the rest.
annotate: $(VENV)/runtime
	python scripts/annotate.py $(OPTIONS)

# Whether results/ is whole, up to date and nothing else; of another configuration, CONFIG=my.yaml.
verify: $(VENV)/runtime
	python scripts/verify.py $(if $(CONFIG),--configfile $(CONFIG))

# The results in the browser, with deep zoom; RESULTS=folder, SAMPLE=, TILE= and METHOD= say what comes first.
view: $(VENV)/runtime
	$(BIN)/python scripts/view.py $(RESULTS) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(TILE),--tile $(TILE)) \
	  $(if $(METHOD),--method $(METHOD)) $(if $(PORT),--port $(PORT))

# The longest files first, so that no worker is left with one at the end.
test: $(VENV)/development
	python -m pytest tests/workflow tests/unit

# Runs that are killed at random moments, five times, other faults of machines, and two runs that must be
# equal; KILLS=100 for more, and SOAK=60 for as many kills of a study of 500 samples and a volume, each
# of some 20 s.
test-faults: $(VENV)/development
	TILEWISE_KILLS=$(or $(KILLS),5) TILEWISE_SOAK=$(or $(SOAK),0) \
	  python -m pytest tests/workflow/test_killed.py tests/workflow/test_faults.py \
	  tests/workflow/test_reproducible.py

# Some 10,000 damaged files and documents, and properties on drawn examples; FUZZ=10 for ten times as many.
test-fuzz: $(VENV)/development
	TILEWISE_FUZZ=$(or $(FUZZ),1) python -m pytest tests/fuzz tests/properties

# The locks have a wheel of each package for each Python, or a source that all of them build; nothing is installed.
test-lock: $(VENV)/development
	for python in 3.11 3.12 3.13; do for lock in requirements requirements-dev requirements-storage \
	  requirements-browser requirements-unet; do echo "$$lock, Python $$python"; uv pip install --quiet --dry-run \
	  --system-certs --python-version $$python --target $(VENV)/none --no-deps --require-hashes --only-binary :all: \
	  --no-binary connection-pool --no-binary pims --requirement envs/$$lock.txt || exit 1; done; done

# Lines and branches of each package that unit tests of all of these go through, in percent: a floor is what
# was measured, rounded down. What jobs add is not counted; the slowest tests of the plan, which go through
# nothing else, are left out.
FLOORS = decide:98 plan:97 quality:97 read:97 score:98 segment:97 store:98 view:97
SLOWEST = any_variant_may_take or grown_by_the_reach or changes_no_other_block or as_if_it_were_alone
coverage: $(VENV)/development
	coverage erase
	printf '%s\n' plan segment decide read view store quality score | xargs -I '{}' -P 4 \
	  coverage run -m pytest -n 0 'tests/unit/{}' -k 'not ($(SLOWEST))'
	coverage combine --quiet
	for floor in $(FLOORS); do coverage report --include="scripts/tilewise/$${floor%:*}/*" \
	  --fail-under=$${floor#*:} || exit 1; done

# What jobs take at their peak, beside the memory that they declare; CASE=planes for some of the cases.
test-memory: $(VENV)/development
	python -m pytest -n 0 -s tests/memory -k "$(CASE)"

# Do tests notice when a package of the library computes something else? PACKAGE=score MUTANTS=200
test-mutants: $(VENV)/development
	python benchmarks/mutants.py $(or $(PACKAGE),score) --mutants $(or $(MUTANTS),200)

# The crate of the demo's results, by an independent validator, which reads contexts from the net.
test-crate: demo $(VENV)/crate/ready
	$(VENV)/crate/bin/rocrate-validator --no-interactive validate --no-paging \
	  --profile-identifier workflow-run-crate --requirement-severity required results

# On a real Slurm cluster of one node, which is installed and started; as root, on Debian or Ubuntu.
test-slurm: $(VENV)/development
	python -m pytest -n 0 tests/slurm

# With images and results in object storage: a server of S3 on this machine, in an environment of its own.
test-storage: $(VENV)/storage/ready
	$(VENV)/storage/bin/python -m pytest -n 0 tests/storage

# The report and the viewer in a browser: Chromium, as `apt install chromium` installs it, driven by Playwright.
test-browser: $(VENV)/browser/ready
	$(VENV)/browser/bin/python -m pytest -n 0 tests/browser tests/unit/test_licenses.py

# Scripts and styles of the report and the viewer, from web/. They are committed, so that users need no npm.
web:
	cd web && npm ci --ignore-scripts && npm run check && npm run build

# U-Nets, with a build of PyTorch for processors alone, which PyPI does not have, in an environment of its own.
test-unet: $(VENV)/unet/ready
	$(VENV)/unet/bin/python -m pytest -n 0 tests/unit/test_licenses.py tests/unit/learn/test_unet.py \
	  tests/workflow/test_trained_networks.py

lint: $(VENV)/development
	ruff check .
	ruff format --check .
	mypy
	snakefmt --check --compact-diff Snakefile workflow
	snakemake --lint

# docs/gallery.md with its pictures, one of which is that of the README: reports of real runs in a browser.
gallery: demo kesm-methods $(VENV)/browser/ready
	$(VENV)/browser/bin/python docs/gallery.py demo=results/report.html \
	  kesm=$(KESM_RESULTS)/results/report.html

# docs/walkthrough.md: runs the code that it shows, and writes outputs and pictures into it anew.
walkthrough: $(VENV)/runtime
	PYTHONPATH=scripts python docs/walkthrough.py

# What would run, for each example configuration.
dry-run: $(VENV)/runtime
	snakemake --dry-run --quiet all
	snakemake --dry-run --quiet all --configfile config/kesm.yaml
	snakemake --dry-run --quiet all --configfile config/kesm-methods.yaml

format: $(VENV)/development
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow

# The reference of all configuration keys, from the schema and the docstrings.
docs: $(VENV)/development
	PYTHONPATH=scripts python docs/reference.py

# The pictures of docs/methods.md; its costs are written by benchmarks/methods.py.
pictures: $(VENV)/development
	PYTHONPATH=scripts:benchmarks:tests/workflow python docs/pictures.py

# One lock for Python 3.11 to 3.13 on every platform, without the address of any index.
lock: $(VENV)/development
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" envs/requirements.in --output-file envs/requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" envs/requirements-dev.in --constraint envs/requirements.txt \
	  --excludes envs/excluded-dev.in --output-file envs/requirements-dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" envs/requirements-storage.in \
	  --output-file envs/requirements-storage.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" envs/requirements-browser.in --constraint envs/requirements-dev.txt \
	  --output-file envs/requirements-browser.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" envs/requirements-crate.in \
	  --output-file envs/requirements-crate.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" envs/requirements-unet.in --constraint envs/requirements.txt \
	  --output-file envs/requirements-unet.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" envs/requirements-unet-cpu.in \
	  --constraint envs/requirements-dev.txt --output-file envs/requirements-unet-cpu.txt

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "tilewise needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	       "Install one and name it: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv/ensurepip. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime: envs/requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement envs/requirements.txt
	@touch $@

$(VENV)/development: envs/requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement envs/requirements-dev.txt
	@touch $@ $(VENV)/runtime

$(VENV)/storage/ready: envs/requirements-storage.txt | $(VENV)/bin/python
	$(BIN)/python -m venv $(VENV)/storage
	$(VENV)/storage/bin/python -m pip install --quiet --no-deps --require-hashes \
	  --requirement envs/requirements-storage.txt
	@touch $@

# It sees the packages of development, too.
$(VENV)/browser/ready: envs/requirements-browser.txt $(VENV)/development
	$(BIN)/python -m venv $(VENV)/browser
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
	  > "$$($(VENV)/browser/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/development.pth"
	$(VENV)/browser/bin/python -m pip install --quiet --no-deps --require-hashes \
	  --requirement envs/requirements-browser.txt
	@touch $@

$(VENV)/crate/ready: envs/requirements-crate.txt | $(VENV)/bin/python
	$(BIN)/python -m venv $(VENV)/crate
	$(VENV)/crate/bin/python -m pip install --quiet --no-deps --require-hashes \
	  --requirement envs/requirements-crate.txt
	@touch $@

$(VENV)/unet/ready: envs/requirements-unet-cpu.txt | $(VENV)/bin/python
	$(BIN)/python -m venv $(VENV)/unet
	$(VENV)/unet/bin/python -m pip install --quiet --no-deps --require-hashes \
	  --requirement envs/requirements-unet-cpu.txt
	@touch $@

clean:
	rm -rf $(VENV)
