# SeisBook: `make book` builds the book from its sources on this machine, `make test` checks everything.
PYTHON ?= python3
BIN := .venv/bin
# Real bulletins, if this machine keeps a copy in a folder beside the checkout; otherwise the tests that need them are skipped.
SEISBOOK_DATA_DIR ?= $(realpath ../shared/data)
# Trainings as small as the chapters' gain little from a second thread and lose all of it on a machine that is busy.
export OMP_NUM_THREADS ?= 1
export PYTHONWARNINGS := ignore::DeprecationWarning

.PHONY: help book test lint unit chapters html torture structure data pdf zip site paper check-results verify workshop lock clean
.DEFAULT_GOAL := help

help:
	@echo "make book   execute every chapter (quick profile) and build the HTML book"
	@echo "make test   lint, unit tests, chapters executed twice, HTML build and its checks"
	@echo "make torture  kill runs, break disks, damage inputs in a copy of the project; prints a table (ten minutes)"
	@echo "make structure  print the packages of the library, floor by floor: purpose, size, imports"
	@echo "make data   download the real bulletins (checked by hash) into the user's cache"
	@echo "make pdf    the whole book as a PDF, with the committed outputs (needs LaTeX)"
	@echo "make zip    its HTML pages in one file, for a USB stick"
	@echo "make check-results  say which results still follow from the code and the data"
	@echo "make verify  run a sample of the others again, and stamp what comes out as recorded (half an hour if all are)"
	@echo "make paper  recompute what is stale (all of it: a night of one core); stop it at any time, the same command goes on"
	@echo "make workshop  one zip to teach from without a network: HTML, learners' notebooks, source, packages"
	@echo "make lock   choose new versions of everything and write the lock files, with hashes"
	@echo "make clean  remove what was built; the environment stays"

define CHECK
import shutil, sys
if sys.version_info < (3, 11):
    sys.exit(f"SeisBook needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}. "
             "Install a newer one and run: make PYTHON=python3.11 book")
try:
    import ensurepip, venv
except ImportError:
    sys.exit("This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv")
free = shutil.disk_usage(".").free / 1e9
if free < 4:
    sys.exit(f"Only {free:.1f} GB of disk are free here; the environment and the built book need 4 GB. Free some space first.")
endef
export CHECK

.venv/.installed: requirements.lock requirements-cuda.lock pyproject.toml
	@$(PYTHON) -c "$$CHECK"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked environment into .venv (2 GB, a few minutes)"
	@./postBuild $(BIN)/python # which calls pip install --require-hashes
	@touch $@

book: .venv/.installed
	@$(BIN)/seisbook book run --profile quick --jobs 2
	@$(BIN)/seisbook book build

test: lint unit chapters html

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

unit: export SEISBOOK_DATA_DIR := $(SEISBOOK_DATA_DIR)
unit: .venv/.installed
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not html"

# Executed once by papermill, then again by nbval: cells tagged nbval-check-output must print the same twice. And once
# more with the exercises' solutions and their checks.
chapters: export SEISBOOK_DATA_DIR := $(SEISBOOK_DATA_DIR)
chapters: .venv/.installed
	$(BIN)/seisbook book run --profile quick --jobs 2
	$(BIN)/python -m pytest -p no:cacheprovider -n 2 --dist loadfile --nbval-lax --nbval-current-env --nbval-cell-timeout=600 _build/quick
	$(BIN)/seisbook workshop teachers --jobs 2

html: export SEISBOOK_DATA_DIR := $(SEISBOOK_DATA_DIR)
html: .venv/.installed
	$(BIN)/seisbook book build
	$(BIN)/python -m pytest -n 2 --dist loadfile -m html

# In a temporary copy of the project, seeded, on the loopback interface alone; `make unit` runs a sample.
torture: .venv/.installed
	@$(BIN)/python -m tests.torture

# Reads the source files alone, so that it needs no environment.
structure:
	@$(PYTHON) -m tests.structure

data: .venv/.installed
	@$(BIN)/seisbook data fetch

pdf zip: .venv/.installed
	@$(BIN)/seisbook book build --to $@

# For the web: the committed outputs, buttons that open a chapter of REPOSITORY elsewhere, pages that will stand at SITE.
site: .venv/.installed
	@$(BIN)/seisbook book build --outputs committed --repository "$(REPOSITORY)" --site "$(SITE)"
check-results verify paper: export SEISBOOK_DATA_DIR := $(SEISBOOK_DATA_DIR)
check-results: .venv/.installed
	@$(BIN)/seisbook results --check

verify: .venv/.installed
	@$(BIN)/seisbook results --verify

paper: .venv/.installed
	@$(BIN)/seisbook results --renew

_build/workshop/wheelhouse/.made: requirements.lock
	@echo "Collecting the packages that participants install without a network (0.5 GB)"
	@rm -rf _build/workshop/wheelhouse
	@$(BIN)/python -m pip wheel --quiet --no-deps --require-hashes --requirement requirements.lock --wheel-dir _build/workshop/wheelhouse || \
		{ echo "If it is torch that does not match its hash: no package source offers this machine PyTorch for processors." \
		"Name one that does in PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL."; exit 1; }
	@touch $@

workshop: book _build/workshop/wheelhouse/.made
	@$(BIN)/seisbook workshop zip

# KEEP names lock files whose versions are kept.
lock:
	@$(PYTHON) -c "$$CHECK"
	rm -rf _build/lock && $(PYTHON) -m venv _build/lock
	_build/lock/bin/pip install --quiet --no-deps --require-hashes --requirement .ci/uv.lock
	_build/lock/bin/python .ci/lock $(KEEP:%=--constraint %)

clean:
	rm -rf _build
