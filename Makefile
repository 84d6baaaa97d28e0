# `make forecast` and `make test` work on a fresh machine with git, make and a Python 3; see .ci/environment.
# `make check PYTHON=3.12` runs under that Python, in an environment of its own: .venv-3.12/.
PYTHON =
VENV = .venv$(if $(PYTHON),-$(PYTHON))
RUN = $(VENV)/bin/python -m
# Files go to two processes whole, so that what a file shares is made once; tests/conftest.py says in which order.
TWO = -n 2 --dist loadfile --no-loadscope-reorder
# Python keeps what it has compiled, whatever the shell says: compiling the tests anew at each run takes half of the time to collect them.
export PYTHONDONTWRITEBYTECODE =

.PHONY: forecast test check check-lowest fast soak compare bench lock environment clean

forecast: environment  ## fit the model to the bundled data and publish a report
	$(VENV)/bin/forecast run --publish

test: environment  ## all tests but the longest
	$(RUN) pytest $(TWO)

check: environment  ## what is quick: style, types, fast tests
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(MAKE) fast

check-lowest:  ## the fast tests with the lowest versions that pyproject.toml allows
	$(MAKE) PYTHON=lowest fast

fast: environment
	$(RUN) pytest $(TWO) -m 'not slow and not soak'

soak: environment  ## the longest tests, by hand before an issue is called done
	$(RUN) pytest -m soak

compare: environment  ## does a refactoring change a number? `make compare WITH=COMMIT OPTIONS='--keep DIR'`
	$(RUN) tests.compare_versions $(WITH) $(OPTIONS)

bench:  ## how fast is it, and than what? In an environment of its own; `make bench OPTIONS=--help` lists the options
	$(MAKE) PYTHON=bench environment
	.venv-bench/bin/python -m tests.benchmarks $(OPTIONS)

environment: $(VENV)/.made

$(VENV)/.made: requirements.lock pyproject.toml .ci/environment
	sh .ci/environment $(PYTHON)

lock:  ## pin anew, after a change of pyproject.toml; `make lock UPGRADE=--upgrade` takes newer releases
	@PATH="$$PWD/.uv/bin:$$PATH" uv --version >/dev/null 2>&1 || sh .ci/environment
	PATH="$$PWD/.uv/bin:$$PATH" uv pip compile $(UPGRADE) --quiet --no-emit-index-url --no-emit-find-links --universal \
	    --python-version 3.12 --generate-hashes --custom-compile-command 'make lock' \
	    --group dev --extra distributed --extra plots pyproject.toml -o requirements.lock

clean:  ## remove what make has made, but for the reports
	rm -rf .venv .venv-* .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
