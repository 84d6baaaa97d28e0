"""Every public name has an example in its docstring, and the example runs."""

from __future__ import annotations

import doctest
import importlib
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

import forecast
from forecast.domain import Question
from forecast.forecasting.forecast_result import Forecast
from forecast.model.hyperparameters import tolerance_priors
from forecast.workspace import Workspace

NAMES = {name: getattr(importlib.import_module(module), name) for name, module in forecast.PUBLIC.items() if name != "build_model"}
CLASSES = (Forecast, Question.parse_id)  # tests/forecasting/test_forecast_result.py runs their examples


def run_examples(documented: Any, **names: Any) -> None:
    """Run the examples of a docstring with these names beside those of its module."""
    module = importlib.import_module(documented.__module__)
    tests = doctest.DocTestFinder(recurse=False).find(documented, documented.__name__, globs={**vars(module), **names})
    examples = [test for test in tests if test.examples]
    assert examples, f"{documented.__name__} has no example"
    printed: list[str] = []
    for test in examples:
        failed, _ = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=printed.append)
        assert not failed, "".join(printed)


def test_every_public_name_has_an_example() -> None:
    documented = [*NAMES.values(), *CLASSES]
    assert [each.__name__ for each in documented if ">>> " not in (each.__doc__ or "")] == []


def test_the_example_of_a_workspace_runs(workspace: Workspace) -> None:
    run_examples(NAMES["load_workspace"], workspace=workspace.data.parent)


@pytest.mark.slow
def test_examples_of_a_forecast_run(bundled: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The drivers are fitted once, and draws of the prior stand for those of the sampler."""
    from tests.support.prior_forecasts import prior_forecast

    result = prior_forecast()
    inputs = forecast.load_workspace(bundled)
    monkeypatch.setattr("forecast.jobs.run.build_origin_state", lambda *_: result.origin_state)
    run_examples(NAMES["simulate"], inputs=inputs)
    run_examples(NAMES["fit"], inputs=inputs, fit=lambda *_, **__: result)
    run_examples(NAMES["write_report"], result=result, folder=tmp_path, UTC=UTC)
    run_examples(forecast.build_model, result=result, tolerance_priors=tolerance_priors)
