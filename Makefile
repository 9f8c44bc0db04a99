# Every target sets up what it needs: a virtual environment in .venv with the exact packages of requirements.txt.
# `make` lists the targets. Another Python than the first that fits: make book PYTHON=python3.12

PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python, \
	$(shell $(p) -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null && echo $(p))))
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY := .venv/installed
NBGRADER := .venv/nbgrader/installed
PINS := requirements.txt code/constraints.txt pyproject.toml
NOTEBOOKS := $(BIN)/python book/tools/notebooks.py

# One thread for matrix products: with more, small ones get slower, and sums may round differently.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help book test serve lab notebooks full bench bench-site bench-classroom nbgrader cluster lint lock clean

help:                  ## list the targets
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1:\2/p' Makefile | while IFS=: read name what; do \
		printf '  %-15s %s\n' $$name "$$what"; done

book: $(READY)         ## build the site and say where it is
	@$(BIN)/python book/live/build.py
	@echo "Building the site"
	@$(BIN)/jupyter-book build -q -W -n --keep-going . > _build.log 2>&1 || { \
		grep -vE '^ *$$|^Running Jupyter-Book|^Source Folder|^Config Path|^Output Path' _build.log; rm -rf _build/.doctrees _build.log; \
		echo "The site has not been built: see the warnings above."; exit 1; }
	@rm -f _build.log
	@$(BIN)/python -c "from pathlib import Path; p = Path('_build/html/index.html'); print(f'The site is built: {p}\n{p.resolve().as_uri()}')"

# In the order of the files: by the number of its tests, a whole chapter in the browser would come last, alone.
test: $(READY)         ## run all tests, and every notebook with its outputs compared
	@echo "Running the tests and every notebook"
	@$(BIN)/python -m pytest -q -rs -n auto --dist loadscope --no-loadscope-reorder \
		--nbval --nbval-current-env --nbval-cell-timeout=180 code/tests chapters

serve: book            ## build the site and serve it on 127.0.0.1:8000
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

lab: .venv/lab         ## open the chapters in JupyterLab
	@$(BIN)/jupyter lab --notebook-dir=.

notebooks: $(READY)    ## run the notebooks and store their outputs; one: make notebooks NB=chapters/01-logistic-regression.ipynb
	@$(NOTEBOOKS) $(NB)

full: $(READY)         ## run chapter 8's experiments on all of MNIST and store the numbers
	@$(BIN)/python book/tools/full_mnist.py

bench: .venv/bench     ## compare the speed of byhand with scikit-learn and PyTorch
	@$(BIN)/python book/tools/bench.py

bench-site: book       ## measure every page with Lighthouse and axe, as a phone on a slow line
	@$(BIN)/python book/tools/bench_site.py

bench-classroom: $(NBGRADER) ## grade 1,000 made-up submissions, and some by nbgrader, and compare
	@$(BIN)/python book/tools/bench_classroom.py

cluster: .venv/cluster ## install Dask, which spreads grading over several machines

nbgrader: $(NBGRADER)  ## install nbgrader in an environment of its own, for the tests that compare with it

lint: $(READY)         ## check style, spelling and the form of the notebooks
	@$(BIN)/ruff check --quiet .
	@$(BIN)/codespell
	@$(NOTEBOOKS) --check
	@echo "lint: nothing to mend"

lock: .venv/lock       ## pin again what the packages of requirements.txt and pyproject.toml need
	@grep -v '^-' requirements.txt | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--fork-strategy fewest --all-extras --no-header --no-annotate -o code/constraints.txt pyproject.toml -

clean:                 ## remove the site and the caches (.venv stays)
	@rm -rf _build .pytest_cache .ruff_cache .hypothesis
	@find code book -name __pycache__ -prune -exec rm -rf {} +

$(READY): $(PINS)
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; found: $$(python3 --version 2>&1 || echo no python3)"; exit 1; }
	@$(PYTHON) book/tools/environment.py
	@touch $@

.venv/lab .venv/bench .venv/lock .venv/cluster: $(READY)
	@$(BIN)/python book/tools/environment.py $(@F)
	@touch $@

$(NBGRADER): $(READY) code/tests/nbgrader-requirements.txt
	@$(BIN)/python book/tools/environment.py nbgrader
	@touch $@
