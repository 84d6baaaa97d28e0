"""Choices of method by the weighted draws of the main reading: which are answered so, and that the weights are those of the choice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forecast import workspace as places
from forecast.arrays.psis import pareto_smooth
from forecast.forecasting.ladder_forecast import forecast_from_history
from forecast.forecasting.multiverse import Universe, UniverseResult, disputed_act, universes
from forecast.forecasting.predictive_checks import log_likelihood
from forecast.priors.outside_view import read_alternatives
from forecast.reweighting.universe_weights import CHOICE_MCSE, weigh_universe
from tests.support.bundled_state import bundled_origin_state
from tests.support.prior_forecasts import prior_forecast

SOME = 400


@pytest.fixture(scope="module")
def choices() -> dict[str, Universe]:
    origin_state = bundled_origin_state()
    found = universes(origin_state, disputed_act(origin_state), read_alternatives(places.bundled_root() / "priors"))
    return {choice.label: choice for choice in found}


def weigh(choice: Universe, level: int = 3) -> UniverseResult | None:
    made = prior_forecast()
    return weigh_universe(made.origin_state, made.readings["main"], made.pool, choice, level, 3)


def test_the_published_choice_is_the_published_number(choices: dict[str, Universe]) -> None:
    found = weigh(choices["as published (main reading)"], 4)
    assert found is not None
    assert not found.weighted
    assert found.probability == pytest.approx(prior_forecast().answers["reach-4-3m"].by_reading["main"], rel=1e-12)


def test_a_skip_that_is_ruled_out_is_exact(choices: dict[str, Universe]) -> None:
    made, choice = prior_forecast(), choices["no going on through 3"]
    main = made.readings["main"]
    found = weigh(choice, 4)
    skips = main.draws.skip_up.copy()
    skips[:, 2] = 0.0
    expected = forecast_from_history(made.origin_state, replace(main.draws, skip_up=skips), made.pool, main.history).reached(4, 3)
    assert found is not None
    assert found.weighted
    assert found.probability == pytest.approx(expected.mean(), rel=1e-12)


def test_another_scale_of_pressure_weighs_by_the_likelihood_of_the_record(choices: dict[str, Universe]) -> None:
    made, choice = prior_forecast(), choices["pressure capped at 1"]
    # draws that differ little, as those of a posterior do, so that the rule accepts them
    main = made.readings["main"]
    near = replace(main.draws, leverage=0.02 * main.draws.leverage, leverage_on_falls=0.02 * main.draws.leverage_on_falls)
    history = choice.history(made.origin_state)
    weights = pareto_smooth(log_likelihood(near, history) - log_likelihood(near, main.history))
    ladder = forecast_from_history(made.origin_state, near, made.pool, history, link=choice.link)
    found = weigh_universe(made.origin_state, replace(main, draws=near), made.pool, choice, 5, 3)
    assert weights.k_hat < 0.7
    assert found is not None
    assert found.probability == pytest.approx(weights.weights @ ladder.reached(5, 3), rel=1e-9)
    assert found.mcse is not None
    assert 0 < found.mcse < 2 * CHOICE_MCSE


@pytest.mark.parametrize("label", ["pressure symmetric", "pressure off", "weak priors", "opposition off", "leverage only (model S)"])
def test_what_draws_cannot_reach_is_fitted(label: str, choices: dict[str, Universe]) -> None:
    assert choices[label].edits is None
    assert weigh(choices[label]) is None


def test_a_choice_that_the_weights_carry_badly_is_fitted(choices: dict[str, Universe]) -> None:
    assert weigh(choices["coded as known at the time"]) is None
