"""Linear algebra runs in one thread, unless the user says otherwise: it is faster so, and gives the same bits on any number of cores."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("given", "threads"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "2"}, "2")])
def test_the_number_of_threads_is_set_before_numpy_is_imported(given: dict[str, str], threads: str) -> None:
    code = "import os, sys, forecast; assert 'numpy' not in sys.modules; print(os.environ['OPENBLAS_NUM_THREADS'])"
    environ = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")} | given
    assert subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True).stdout.strip() == threads
