"""Each prior at both ends of its range gives finite numbers; beyond it the refusal names the prior and the range."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pytest

from forecast.data.as_of import as_of
from forecast.data.tables import origin
from forecast.forecasting.driver_simulation import simulate_drivers
from forecast.forecasting.ladder_forecast import forecast_from_history
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.parameter_draws import from_prior
from forecast.forecasting.predictive_checks import log_likelihood
from forecast.forecasting.question_forecasts import DisclosureDelay
from forecast.model.events import fit_events
from forecast.model.hyperparameters import elasticity_priors, leverage_settings, tolerance_priors
from forecast.model.leverage import compute_leverage
from forecast.model.opposition import OppositionPriors, fit_opposition
from forecast.priors.catalogue import CATALOGUE, CHANCES, COUNTS, LARGEST, MONTHS, SHARPEST, SPREAD, PriorDefinition
from forecast.priors.distributions import Beta, Distribution, Fixed, Gamma, HalfNormal, LogNormal, Normal, Quantiles
from forecast.priors.load import Priors
from forecast.priors.parsing import parse_prior
from forecast.priors.specs import SpecError
from tests.support.synthetic import data, origin_state, priors

STATED = {name: entry for name, entry in CATALOGUE.items() if issubclass(entry.families[0], Distribution)}


def largest(entry: PriorDefinition) -> float:
    return next(most for unit, most in LARGEST.items() if entry.unit.startswith(unit))


def ends(entry: PriorDefinition) -> Iterator[str]:
    """Texts of the prior with each of its numbers at an end of its range."""
    spread = "months" if entry.unit == "months" else "chance"
    low, high = MONTHS if spread == "months" else CHANCES
    for family in entry.families:
        if family is Normal:
            most = largest(entry)
            yield from (f"Normal({m}, {sd})" for m, sd in itertools.product((-most, most), (SHARPEST, most)))
        elif family is HalfNormal:
            yield from (f"HalfNormal({sd})" for sd in (SHARPEST, largest(entry)))
        elif family in (Beta, Gamma):
            yield from (f"{family.__name__}({a}, {b})" for a, b in itertools.product(COUNTS, COUNTS))
        elif family is LogNormal:
            needed = min(entry.needs, default=1.0)
            medians = itertools.product((low, high), (SHARPEST, SPREAD))
            yield from (f"LogNormal({m}, {sd})" for m, sd in medians)
            yield f"LogNormal({high}, {SPREAD}, shift={needed - 0.1})"
        elif family is Quantiles:
            middle = 30.0 if spread == "months" else 0.5
            yield f"quantiles({low}, {middle}, {high!r})"
            yield f"quantiles({low}, {low * 1.01}, {low * 1.02})"
            yield f"quantiles({high / 1.04}, {high / 1.02}, {high})" if spread == "months" else "quantiles(0.99999, 0.999998, 0.999999)"
        elif family is Fixed:
            yield from (f"Fixed({v})" for v in ((low, high) if spread == "months" else (SHARPEST, 1)))


CASES = [(name, text) for name, entry in STATED.items() for text in ends(entry)]


def of(prefix: str) -> list[tuple[str, str]]:
    return [case for case in CASES if case[0].startswith(prefix)]


def some(cases: list[tuple[str, str]], every: int) -> list[Any]:
    """One case in so many is quick; the others take part in the slow tests."""
    return [pytest.param(*case, marks=[pytest.mark.slow] if i % every else []) for i, case in enumerate(cases)]


def edited(name: str, text: str) -> Priors:
    return priors().replace({name: parse_prior(name, text)})


def finite(*values: object) -> None:
    for value in values:
        assert np.isfinite(np.asarray(value, float)).all()


@pytest.mark.parametrize(("name", "text"), CASES)
def test_draws_and_quantiles_are_finite(name: str, text: str) -> None:
    spec = edited(name, text).distribution(name)
    draws = spec.sample(np.random.default_rng(1), 1000)
    finite(draws, spec.interval())
    assert not np.isnan(spec.logpdf(draws)).any()


@cache
def early() -> tuple[tuple, int]:  # type: ignore[type-arg]
    then = as_of(data(), date(2013, 3, 28))
    return then.polls, origin(then)


POLLED = [c for c in of("opposition.") if c[0] not in ("opposition.effect", "opposition.mobilisation")]


@pytest.mark.parametrize(("name", "text"), some(POLLED, 7))
def test_opposition_is_sampled_soundly(name: str, text: str) -> None:
    polls, at = early()
    fit = fit_opposition(polls, at, OppositionPriors.of(edited(name, text)), np.random.default_rng(3))
    drawn = fit.draws(np.random.default_rng(4), 200)
    finite(fit.mean, fit.sd, fit.mcse, fit.hyper, drawn.d, drawn.wording, drawn.log_likelihood)
    assert (fit.sd > 0).all()
    assert fit.k_hat < 0.7
    assert fit.effective >= 400


@pytest.mark.slow
@pytest.mark.parametrize("sds", [(0.02, 0.02), (SHARPEST, 0.3), (0.3, SHARPEST)])
def test_tight_spreads_leave_enough_effective_draws_of_the_bundled_polls(sds: tuple[float, float]) -> None:
    tight = priors().replace({"opposition.poll_noise": HalfNormal(sds[0]), "opposition.house_sd": HalfNormal(sds[1])})
    fit = fit_opposition(data().polls, origin(data()), OppositionPriors.of(tight), np.random.default_rng(5))
    assert fit.k_hat < 0.7
    assert fit.effective >= 400


def small_pool(changed: OriginState):  # type: ignore[no-untyped-def]
    future = replace(changed.future, log_deaths=changed.future.log_deaths[:200], opposition=changed.future.opposition[:200])
    return simulate_drivers(changed.start, future, changed.rates, changed.settings, changed.data.calendar, changed.origin, 5, n=200)


@pytest.mark.parametrize(("name", "text"), some([c for c in of("events.") if c[0] != "events.determination"], 6))
def test_events_are_sampled_soundly_and_simulated(name: str, text: str) -> None:
    s, rng = origin_state(), np.random.default_rng(2)
    rates = fit_events(
        s.data.events,
        s.data.administrations,
        s.origin,
        s.drivers.log2_deaths,
        s.leverage.value,
        elasticity_priors(edited(name, text)),
        rng,
        {},
    )
    finite(rates.eta, rates.rate)
    assert rates.k_hat < 0.7
    assert rates.effective >= 400
    pool = small_pool(replace(s, rates=rates))
    finite(pool.leverage, pool.mobilisation, pool.opposition, pool.mobilising)


@pytest.mark.parametrize(("name", "text"), of("leverage.half_life"))
def test_leverage_and_its_paths_are_finite(name: str, text: str) -> None:
    s = origin_state()
    settings = leverage_settings(edited(name, text), s.data.scales)
    pressed = compute_leverage(s.data.events, s.origin, settings)
    pool = small_pool(replace(s, settings=settings, leverage=pressed, start=replace(s.start, leverage=pressed)))
    finite(pressed.value, pool.leverage)


TOLERANCE = [c for c in CASES if CATALOGUE[c[0]].model == "tolerance" or c[0] == "outside_view.selection"]


@pytest.mark.parametrize(("name", "text"), TOLERANCE)
def test_the_density_of_the_record_and_the_recursion_are_finite(name: str, text: str) -> None:
    s = origin_state()
    history, constants = s.histories["main"], tolerance_priors(edited(name, text))
    finite(*constants.constants().values())
    draws = from_prior(constants, s.origin, 40, np.random.default_rng(6))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        density = log_likelihood(draws, history)
        result = forecast_from_history(s, draws, _pool(), history)
    finite(density)
    for k in range(1, 6):
        p = result.reached(k, 12)
        assert ((p >= 0) & (p <= 1 + 1e-9)).all()


@cache
def _pool():  # type: ignore[no-untyped-def]
    return origin_state().pool()


@pytest.mark.parametrize(("name", "text"), of("exposure.delay"))
def test_exposure_is_finite(name: str, text: str) -> None:
    drawn = DisclosureDelay.draw(edited(name, text), 100, np.random.default_rng(7))
    assert all(np.isfinite(np.asarray(v, float)).all() for v in vars(drawn).values() if isinstance(v, np.ndarray))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("opposition.walk_sd", "HalfNormal(1e6)"),
        ("opposition.walk_sd", "HalfNormal(1e-5)"),
        ("opposition.start", "Normal(7, 1)"),
        ("events.demand", "Normal(1e6, 1)"),
        ("leverage.effect", "Normal(0, 21)"),
        ("leverage.effect", "Normal(-21, 1)"),
        ("ladder.rise.3", "quantiles(1e-7, 0.1, 0.2)"),
        ("ladder.stay.2", "quantiles(0.01, 1, 10)"),
        ("ladder.stay.2", "quantiles(10, 10.00002, 10.00004)"),
        ("ladder.skip_up.3", "Beta(0.001, 1)"),
        ("drift.half_life", "LogNormal(12, 4)"),
        ("leverage.half_life.security", "Fixed(1e5)"),
        ("companion.designation", "Gamma(1, 1e-5)"),
        ("outside_view.selection", "Fixed(1e-4)"),
        ("outside_view.widening", "Table(rise_low=0.4, rise_high=1e6, stay_low=0.3, stay_high=0.5)"),
    ],
)
def test_beyond_its_range_a_prior_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(SpecError) as e:
        parse_prior(name, text)
    assert name in str(e.value)
    assert " from " in str(e.value)
    assert " to " in str(e.value)


def test_the_bundled_priors_lie_well_inside() -> None:
    """Three times as far from zero and as wide, no normal prior is refused, nor a spread ten times as large."""
    for name in STATED:
        spec = priors().distribution(name)
        if isinstance(spec, Normal):
            parse_prior(name, f"Normal({3 * spec.mean}, {3 * spec.sd})")
        elif isinstance(spec, HalfNormal):
            parse_prior(name, f"HalfNormal({10 * spec.sd})")
