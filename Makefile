# `make forecast` and `make test` work on a fresh machine with git, make and a Python 3; see .ci/environment.
PYTHON = .venv/bin/python
# Files go to two processes whole, so that what a file shares is made once; tests/conftest.py says in which order.
TWO = -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: forecast test check soak compare lock environment clean

forecast: environment  ## fit the model to the bundled data and publish a report
	.venv/bin/forecast run --publish

test: environment  ## all tests but the longest
	$(PYTHON) -m pytest $(TWO)

check: environment  ## what is quick: style, types, fast tests
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest $(TWO) -m 'not slow and not soak'

soak: environment  ## the longest tests, by hand before an issue is called done
	$(PYTHON) -m pytest -m soak

compare: environment  ## does a refactoring change a number? `make compare WITH=COMMIT OPTIONS='--keep DIR'`
	$(PYTHON) -m tests.compare_versions $(WITH) $(OPTIONS)

environment: .venv/.made

.venv/.made: requirements.lock pyproject.toml .ci/environment
	sh .ci/environment

lock:  ## pin anew, after a change of pyproject.toml; `make lock UPGRADE=--upgrade` takes newer releases
	@PATH="$$PWD/.uv/bin:$$PATH" uv --version >/dev/null 2>&1 || sh .ci/environment
	PATH="$$PWD/.uv/bin:$$PATH" uv pip compile $(UPGRADE) --quiet --no-emit-index-url --no-emit-find-links --universal \
	    --python-version 3.12 --generate-hashes --custom-compile-command 'make lock' \
	    --group dev --extra distributed --extra plots pyproject.toml -o requirements.lock

clean:  ## remove what make has made, but for the reports
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
