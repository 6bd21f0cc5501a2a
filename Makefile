# `make rebuild` and `make test` set everything up by themselves, from a fresh clone with Python 3.11 or newer.
VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
TESTS := $(VENV)/.installed-for-tests
JOBS  ?= auto
ROWS  ?= 1_000_000
ARTICLES ?= 20_000

# tests start many processes, each of which would compile all that it imports
unexport PYTHONDONTWRITEBYTECODE

.PHONY: rebuild check-dataset test test-fast test-thorough lint format check bench bench-rebuilding bench-validate bench-import bench-versions bench-loading bench-sites lock clean
.DEFAULT_GOAL := test

rebuild: $(STAMP)          ## compile seeds/ into dataset/
	@$(BIN)/dateline rebuild --sweep

check-dataset: $(STAMP)    ## is dataset/, as committed, what seeds/ give?
	@$(BIN)/dateline rebuild --check

test: $(TESTS)             ## all tests: fast ones first, then the slow ones, the longest first
	@$(BIN)/python -m pytest -n $(JOBS) -m "not slow and not fuzz"
	@DATELINE_FUZZ_SECONDS=4 $(BIN)/python -m pytest -n $(JOBS) --dist loadgroup --no-loadscope-reorder -m "slow or fuzz"

test-fast: $(STAMP)        ## the fast tests alone
	@$(BIN)/python -m pytest -n $(JOBS) -m "not slow"

test-thorough: $(TESTS)    ## all tests, and of those that try very many cases all of them (an hour)
	@DATELINE_THOROUGH=1 DATELINE_FUZZ_SECONDS=40 $(BIN)/python -m pytest -n $(JOBS)

lint: $(TESTS)             ## lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(STAMP)           ## put the code in its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMP)            ## compile seeds beside DuckDB, polars, datasets; `make bench ARTICLES=200_000 BENCH=--write` keeps the figures
	@$(BIN)/python benchmarks/compile.py --articles $(ARTICLES) $(BENCH)

bench-rebuilding: $(STAMP) ## what a rebuild costs after edits; `make bench-rebuilding ARTICLES=200_000 BENCH=--write` keeps the figures
	@$(BIN)/python benchmarks/rebuilding.py --articles $(ARTICLES) $(BENCH)

bench-validate: $(STAMP)   ## validate against pandas and SQL by hand; `make bench-validate ROWS=5_000_000 BENCH=--write`
	@$(BIN)/python benchmarks/validate.py --rows $(ROWS) $(BENCH)

bench-import: $(STAMP)     ## how fast each importer reads; `make bench-import BENCH=--write` keeps the figures
	@$(BIN)/python benchmarks/importing.py --documents 2000 $(BENCH)

bench-versions: $(STAMP)   ## what diff and publishing of a second version cost; `make bench-versions BENCH=--write` keeps the figures
	@$(BIN)/python benchmarks/versions.py $(BENCH)

bench-loading: $(TESTS)    ## what dateline.load costs beside load_dataset; `make bench-loading BENCH=--write` keeps the figures
	@$(BIN)/python benchmarks/loading.py $(BENCH)

bench-sites: $(TESTS)      ## what a site of 10,000 articles costs; `make bench-sites BENCH=--write` keeps the figures
	@$(BIN)/python benchmarks/sites.py $(BENCH)

lock:                      ## write constraints.txt anew from the newest versions
	rm -rf $(VENV)-lock && python3 -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --upgrade -e '.[build,agreement,score,s3,spark,uima,spacy,plot,site,bio,baselines,bench,test,dev]'
	{ echo "# versions for reproducible builds; written by make lock"; $(VENV)-lock/bin/python -m pip freeze --exclude-editable; } > constraints.txt
	rm -rf $(VENV)-lock

clean:                     ## remove what make set up
	rm -rf $(VENV) .dateline

$(STAMP): pyproject.toml constraints.txt
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Dateline needs Python 3.11 or newer as python3; this one is $$(python3 --version 2>&1)" >&2; exit 2; }
	@echo "setting up $(VENV) (once, about a minute)"
	@test -x $(BIN)/python || python3 -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[build,agreement,score,site,bench,test,dev]'
	@touch $@

# what only tests need, some of it large
$(TESTS): $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[spark,uima,spacy,plot,baselines,s3]'
	@touch $@
