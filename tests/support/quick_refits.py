"""Refits in this process, by the tests' clock: the fit is replaced by draws from the prior, the report by an invented one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from forecast import workspace as places
from forecast.cli import main
from forecast.cli._context import Environment
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.inputs import Inputs
from forecast.jobs import explain, run
from forecast.runs import manifest, refit_attempts, store
from tests.conftest import NOW
from tests.support import fake_sampler
from tests.support.prior_forecasts import prior_forecast

MOVED = explain.moved
"""The real one, which these refits leave out."""


def fitted(inputs: Inputs, *_: Any) -> Forecast:
    """A forecast that says of itself that it was made from these inputs."""
    made = prior_forecast()
    return replace(made, origin_state=replace(made.origin_state, data=inputs.data, priors=inputs.priors))


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """No sampler, and of the report only report.json, made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "fit", fitted)
        patch.setattr(run, "build_report", fake_sampler.report)
        patch.setattr(run, "write_report_files", lambda report, folder: (folder / "report.json").write_text(json.dumps(report.document())))
        patch.setattr(run, "write_posterior", lambda *_: None)
        patch.setattr(run, "pack", lambda _: {})
        patch.setattr("forecast.report.run_index._chart", lambda *_: "")
        patch.setattr("forecast.jobs.explain.moved", lambda previous, *_: {"from_run": previous.name, "unexplained": []})
        yield


def command(root: Path, *words: str, minutes: float = 0) -> Result:
    """`forecast WORDS`, so many minutes after the tests' time."""
    environment = Environment(clock=lambda: NOW + timedelta(minutes=minutes), environ={}, cwd=root)
    return CliRunner().invoke(main, list(words), obj=environment, prog_name="forecast")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A workspace in which the first refit has just ended, and what it said. To be copied."""
    root = tmp_path_factory.mktemp("refit") / "workspace"
    places.create_workspace(root)
    return root, command(root, "refit")


@pytest.fixture
def root(first: tuple[Path, Result], tmp_path: Path) -> Path:
    shutil.copytree(first[0], tmp_path / "workspace", symlinks=True)
    return tmp_path / "workspace"


def latest(root: Path) -> Path:
    found = store.latest(root / "reports")
    assert found is not None
    assert manifest.verify(found) == ()
    return found


def decided(result: Result) -> dict[str, Any]:
    decision: dict[str, Any] = json.loads(result.stdout)["decision"]
    return decision


def last(root: Path) -> refit_attempts.Attempt:
    found = refit_attempts.last(root / "reports")
    assert found is not None
    return found


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
