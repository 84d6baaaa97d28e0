"""What the README shows of a notebook draws a picture, with nothing but what the extra `plots` brings."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from packaging.requirements import Requirement

from forecast import workspace as places
from forecast.runs.draws_files import write_posterior

ROOT = places.PACKAGE.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.slow
def test_the_plot_of_the_readme_is_drawn(tmp_path: Path) -> None:
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "arviz" in block)
    (name,) = re.findall(r"reports/latest/(\S+?)\"", code)
    folder = tmp_path / "reports" / "latest"
    folder.mkdir(parents=True)
    draws = xr.Dataset({"leverage_effect": (("chain", "draw"), np.random.default_rng(1).normal(1.6, 0.8, (4, 100)))})
    diverging = xr.Dataset({"diverging": (("chain", "draw"), np.zeros((4, 100), bool))})
    write_posterior(folder, {"main": xr.DataTree.from_dict({"posterior": draws, "sample_stats": diverging})})
    assert (folder / name).is_file()
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "leverage_effect.png").read_bytes().startswith(b"\x89PNG")


def test_the_extra_is_pinned_and_brings_a_backend_that_arviz_names() -> None:
    (extra,) = (Requirement(text) for text in PROJECT["optional-dependencies"]["plots"])
    assert extra.extras <= set(metadata("arviz").get_all("Provides-Extra") or ())
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert all(re.search(rf"^{backend}==", lock, re.MULTILINE) for backend in extra.extras)


@pytest.mark.slow
def test_the_command_does_without_it() -> None:
    code = "import sys, forecast.jobs.run, forecast.report.html; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_readme_says_which_python_is_needed() -> None:
    least = PROJECT["requires-python"].removeprefix(">=")
    install = README.split("## Install it")[1].split("\n## ")[0]
    assert f"Python {least} or newer" in install
    assert "'.[plots]'" in install
