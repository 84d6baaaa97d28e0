"""The result of a fit, as a notebook reads it."""

from __future__ import annotations

import doctest

import pytest

from forecast import domain, progress
from forecast.errors import UsageError
from forecast.forecasting import forecast_result
from forecast.progress import listener_of, silent
from tests.support.prior_forecasts import prior_forecast


@pytest.mark.parametrize("module", [domain, forecast_result], ids=lambda module: module.__name__)
def test_the_examples_in_docstrings_are_so(module: object) -> None:
    found = doctest.testmod(module, extraglobs={"result": prior_forecast()})  # type: ignore[arg-type]
    assert found.attempted > 0
    assert found.failed == 0


def test_probabilities_are_those_of_the_questions() -> None:
    result = prior_forecast()
    rows = {row["question"]: row for row in result.questions()}
    assert list(rows) == list(result.answers)
    assert result.probability("hold-3-6m") == rows["hold-3-6m"]["probability"] == result.answers["hold-3-6m"].probability
    assert result.probability() == result.headline.probability
    for row in rows.values():
        assert row["low"] <= row["high"]


def test_an_unknown_question_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="reach-4-12m"):
        prior_forecast().probability("reach-4-12")


def test_the_posterior_is_a_tree_by_reading() -> None:
    result = prior_forecast()
    assert set(result.posterior.children) == set(result.readings)
    for name, reading in result.readings.items():
        assert result.posterior[name]["posterior"].to_dataset().identical(reading.posterior["posterior"].to_dataset())


def test_progress_is_printed_a_line_a_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    listener = listener_of(True)
    for done in (None, 0.0, 0.04, 0.11, 0.12, 1.0):
        listener("fit", done, "main")
    assert capsys.readouterr().err == "fit: main\nfit 0 %: main\nfit 11 %: main\nfit 100 %: main\n"
    assert listener_of(False) is silent
    assert listener_of(progress.silent) is silent
