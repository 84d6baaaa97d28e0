"""Sensitivity of the headline: against edits of priors, against brute force on synthetic forecasts, and against what must hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.arrays.ladder import rise_logit, saturate_pressure
from forecast.arrays.psis import pareto_smooth
from forecast.domain import FIRST_MONTH
from forecast.forecasting.ladder_forecast import assign_paths, forecast_from_history, forecast_ladder
from forecast.forecasting.parameter_draws import ParameterDraws, from_prior
from forecast.forecasting.predictive_checks import log_likelihood as whole_likelihood
from forecast.model.hyperparameters import tolerance_priors
from forecast.model.tolerance_data import History
from forecast.priors.catalogue import CATALOGUE
from forecast.priors.distributions import Fixed, HalfNormal, Normal
from forecast.priors.specs import PriorSpec, Weights
from forecast.reweighting.draws_archive import pack
from forecast.reweighting.importance_ratios import PARAMETER_READERS, to_own_unit, with_parameter_fixed
from forecast.reweighting.prior_edits import reweight_to_priors
from forecast.sensitivity.analysis import RECORD, components
from forecast.sensitivity.power_scaling import THRESHOLD, DrawReweighter, PowerScaling, scale_component
from forecast.sensitivity.settings_sweep import sweeps, with_share
from forecast.sensitivity.target_question import Point, ReadingDraws, TargetQuestion, target_question
from forecast.sensitivity.tipping_points import EFFECTS, crossing, likelihood_ratio, shared_bias, tipping_point, weights_given_effect
from forecast.typing import Floats
from tests.support import synthetic
from tests.support.prior_forecasts import prior_forecast

HEADLINE = "reach-4-12m"


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    return pack(prior_forecast())


@pytest.fixture(scope="module")
def headline(arrays: dict[str, Any]) -> TargetQuestion:
    return target_question(arrays, prior_forecast().origin_state.priors, HEADLINE)


@pytest.fixture(scope="module")
def every(arrays: dict[str, Any], headline: TargetQuestion) -> list[PowerScaling]:
    return list(components(arrays, prior_forecast().origin_state.priors, headline))


@pytest.fixture(scope="module")
def scaled(every: list[PowerScaling]) -> dict[str, PowerScaling]:
    return {s.name: s for s in every}


def edited(arrays: dict[str, Any], name: str, spec: PriorSpec) -> float:
    priors = prior_forecast().origin_state.priors
    return reweight_to_priors(arrays, priors, priors.replace({name: spec}), HEADLINE).questions[HEADLINE].probability


# the headline, asked again


def test_the_headline_is_the_runs(headline: TargetQuestion) -> None:
    assert headline.probability == pytest.approx(prior_forecast().headline.probability, rel=1e-6)


def test_asked_again_it_is_the_recursion(headline: TargetQuestion) -> None:
    reading = headline.readings[1]
    paths = assign_paths(reading.subsample.size, len(headline.pool.leverage), 1, 5)
    history = reading.history
    found = forecast_ladder(
        reading.subsample, headline.pool, paths, history.level_now, history.just_risen_now, headline.origin, headline.administrations
    )  # fmt: skip
    np.testing.assert_allclose(headline.resimulate(reading).mean(1), found.reached(4, 12), rtol=1e-12)


# power-scaling


def test_every_prior_is_scaled_once_or_it_is_said_why_not(every: list[PowerScaling]) -> None:
    assert sorted(s.name for s in every if s.kind == "prior") == sorted(CATALOGUE)
    for s in every:
        assert bool(s.moves) != bool(s.note), s.name
        assert len(s.tilts) == (2 if s.kind == "prior" and s.moves else 0)


def test_a_power_of_one_changes_nothing(headline: TargetQuestion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.sensitivity.power_scaling.POWERS", (1.0, 1.0))
    found = scale_component(RECORD, "data", DrawReweighter(headline), np.array([r.record.by_month.sum(1) for r in headline.readings]))
    for move in found.moves:
        assert move.probability == pytest.approx(headline.probability, rel=1e-12)
        assert move.k_hat == -np.inf


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("leverage.effect", Normal(1.6, 0.8 / np.sqrt(1.25))),
        ("drift.sd", HalfNormal(0.5 / np.sqrt(1.25))),
        ("events.backlash", Normal(0.2, 0.3 / np.sqrt(1.25))),
        ("opposition.walk_sd", HalfNormal(0.15 / np.sqrt(1.25))),
    ],
)
def test_a_prior_raised_is_the_prior_made_narrower(
    arrays: dict[str, Any], scaled: dict[str, PowerScaling], name: str, spec: PriorSpec
) -> None:
    move = scaled[name].moves[1]
    tolerance = 1e-6 if name in PARAMETER_READERS else 0.002  # paths are redrawn by one and weighed by the other
    assert move.at == 1.25
    assert move.probability == pytest.approx(edited(arrays, name, spec), abs=tolerance)


def test_a_normal_tilted_is_a_normal_moved(arrays: dict[str, Any], scaled: dict[str, PowerScaling]) -> None:
    down, up = scaled["leverage.effect"].tilts
    assert down.probability == pytest.approx(edited(arrays, "leverage.effect", Normal(1.2, 0.8)), abs=1e-6)
    assert up.probability == pytest.approx(edited(arrays, "leverage.effect", Normal(2.0, 0.8)), abs=1e-6)


def test_a_prior_that_the_data_left_alone_is_seen_to_be_one(scaled: dict[str, PowerScaling]) -> None:
    """Here the draws come from the prior. A flat one has no weight to lose."""
    for name in PARAMETER_READERS:
        own = scaled[name].own
        assert own is not None
        assert (own.prior > THRESHOLD) == (name != "ladder.skip_up.1"), name


def test_the_parts_of_the_record_are_the_record(arrays: dict[str, Any], headline: TargetQuestion, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change of level and the quiet months: to first order their moves add up to that of the whole."""
    monkeypatch.setattr("forecast.sensitivity.power_scaling.POWERS", (0.9999, 1.0001))
    found = {}
    for s in components(arrays, prior_forecast().origin_state.priors, headline):
        if s.kind == "prior":
            break
        found[s.name] = s.moves[1].probability - headline.probability
    parts = [move for name, move in found.items() if name.startswith(f"{RECORD}.")]
    assert len(parts) > 5
    assert sum(parts) == pytest.approx(found[RECORD], abs=0.1 * max(map(abs, parts)))


# where it flips


def one_reading(draws: ParameterDraws, history: History, leverage: float = 1.0) -> TargetQuestion:
    """A forecast with one reading, on paths of constant pressure."""
    pool = synthetic.pool(n=20, leverage=leverage)
    bare = ReadingDraws("main", 1.0, history, draws, np.zeros(draws.size))
    made = TargetQuestion(HEADLINE, 4, 12, (bare,), pool, synthetic.ORIGIN, np.zeros(24, int))
    paths = assign_paths(draws.size, 20, 1)
    found = forecast_ladder(draws, pool, paths, history.level_now, history.just_risen_now, synthetic.ORIGIN, np.zeros(24, int))
    return replace(made, readings=(replace(bare, probabilities=found.reached(4, 12)),))


def flat_history(level: int = 3) -> History:
    """A record that says nothing of pressure, which there was none of."""
    n = synthetic.ORIGIN - FIRST_MONTH + 1
    return History(np.full(n, level), synthetic.drivers(n))


def test_the_value_at_which_it_flips_is_that_of_a_formula() -> None:
    """From 3, without falls, 4 is reached within a year with 1 − (1 − p)^12, and logit p = a_3 + v ℓ."""
    draws = synthetic.draws(
        400, log_stay=np.log(1e9), leverage=np.random.default_rng(1).normal(1.6, 0.8, 400), logit_rise=np.log(0.01 / 0.99)
    )
    found = tipping_point(one_reading(draws, flat_history(), leverage=0.8), synthetic.priors(), "leverage.effect")
    pressure, a = float(saturate_pressure(np.array(0.8))), float(rise_logit(np.array(0.01)))
    for c in found.crossings:
        p = 1 - (1 - c.line) ** (1 / 12)
        exact = (np.log(p) - np.log1p(-p) - a) / pressure
        if found.low <= exact <= found.high:
            assert c.value == pytest.approx(exact, abs=0.01)
            assert not c.rough
        else:
            assert c.value is None
    assert sum(c.value is not None for c in found.crossings) >= 2


@pytest.mark.slow
def test_draws_weigh_as_the_posterior_given_the_effect() -> None:
    """What the record leaves of the rise, once the effect of pressure is known: by draws of the posterior, and by draws of the prior."""
    n = synthetic.ORIGIN - FIRST_MONTH + 1
    levels = np.where(np.arange(n) < 120, 1, 2)
    levels[200:] = 1
    levels[215:] = 2
    pressure = np.where(np.arange(n) > 110, 1.0, 0.0)
    history = History(levels, synthetic.drivers(n, pressure=pressure))
    rng, prior, size = np.random.default_rng(5), Normal(1.6, 0.8), 5_000
    effect, rise = prior.sample(rng, size), rng.normal(-3.0, 1.0, size)

    def made(effect: Floats) -> ParameterDraws:
        return synthetic.draws(size, leverage=effect, logit_rise=np.column_stack([rise] * 5))

    chosen = rng.choice(size, 4_000, p=pareto_smooth(whole_likelihood(made(effect), history)).weights)
    posterior = made(effect).take(chosen)
    value = 0.6
    expected = float(pareto_smooth(whole_likelihood(made(np.full(size, value)), history)).weights @ rise)
    headline = one_reading(posterior, history)
    reading = headline.readings[0]

    z = np.linspace(-4.12, 4.12, 17)
    values = prior.mean + prior.sd * np.append(z, (value - prior.mean) / prior.sd)
    density = np.append(np.exp(-0.5 * z**2), 0.0)
    weights = weights_given_effect(reading, "leverage.effect", values, density)[-1]
    found = float(weights.weights @ reading.subsample.logit_rise[:, 1])
    assert abs(found - expected) < 0.08
    assert abs(float(reading.subsample.logit_rise[:, 1].mean()) - expected) > 0.1  # unweighted they are elsewhere


@pytest.mark.parametrize("name", [name for name in EFFECTS if name != "ladder.skip_up.3"])  # of that one rises and falls say nothing
def test_the_likelihood_at_a_value_is_that_of_draws_with_it(headline: TargetQuestion, name: str) -> None:
    reading = headline.readings[0]
    value = float(PARAMETER_READERS[name](reading.subsample).mean()) + 0.1
    fixed = with_parameter_fixed(reading.subsample, name, float(to_own_unit(name, np.array(value))))
    exact = whole_likelihood(fixed, reading.history) - whole_likelihood(reading.subsample, reading.history)
    # in single precision, which moves a weight by far less than a draw does
    np.testing.assert_allclose(likelihood_ratio(reading, name, value), exact, rtol=1e-5, atol=1e-4)


def test_a_crossing_between_points_that_the_draws_carry_badly_is_rough() -> None:
    curve = [Point.judge(v, p, 0.001, k, 0.5) for v, p, k in ((0.0, 0.01, 0.9), (1.0, 0.03, 0.2), (2.0, 0.2, 0.2))]
    rough, fine = crossing(curve, 0.02, 0.0), crossing(curve, 0.1, 0.0)
    assert (rough.rough, fine.rough) == (True, False)
    assert crossing(curve, 0.25, 0.0).value is None


def test_of_two_crossings_the_nearer_one_counts() -> None:
    curve = [Point.judge(v, p, 0.001, 0.2, 0.5) for v, p in ((-2.0, 0.2), (0.0, 0.05), (2.0, 0.2))]
    for now in (-1.0, 1.0):
        found = crossing(curve, 0.1, now)
        assert found.value is not None
        assert np.sign(found.value) == np.sign(now)


# the bias that all pollsters share


def test_without_an_effect_of_opposition_no_bias_matters() -> None:
    draws = synthetic.draws(400, opposition=0.0, logit_rise=np.random.default_rng(1).normal(-4, 0.5, (400, 5)))
    found = shared_bias(one_reading(draws, flat_history()))
    assert all(c.value is None for c in found.crossings)
    assert found.halved is None
    assert found.doubled is None
    np.testing.assert_allclose([p.probability for p in found.curve], found.curve[0].probability, rtol=1e-9)
    assert found.trusted == 2.0


def test_a_bias_that_the_record_cannot_see_lowers_the_odds_by_the_effect() -> None:
    """From 3, without falls, all draws alike, so that none fits the shifted record better: logit p = a_3 − β_D b."""
    draws = synthetic.draws(400, opposition=1.0, log_stay=np.log(1e9), logit_rise=np.log(0.05 / 0.95))
    found = shared_bias(one_reading(draws, flat_history()))
    a = float(rise_logit(np.array(0.05)))
    for point in found.curve:
        p = 1 / (1 + np.exp(-(a - point.value)))
        assert point.probability == pytest.approx(1 - (1 - p) ** 12, rel=1e-6)
    assert found.doubled is not None
    assert found.halved is not None
    assert found.doubled.value < 0 < found.halved.value


# settings


@pytest.fixture(scope="module")
def swept(arrays: dict[str, Any]) -> dict[tuple[str, str, float], Point]:
    """With every draw on all its paths, so that chance is no excuse."""
    priors = prior_forecast().origin_state.priors
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forecast.sensitivity.target_question.EACH", 1)
        found = sweeps(arrays, priors, target_question(arrays, priors, HEADLINE))
    return {(s.name, s.part, round(s.at.value, 6)): s.at for s in found}


@pytest.mark.slow
def test_a_reading_alone_is_that_reading(headline: TargetQuestion, swept: dict[tuple[str, str, float], Point]) -> None:
    for reading in headline.readings:
        assert swept["readings.weights", reading.name, 1.0].probability == pytest.approx(reading.probabilities.mean(), rel=1e-9)


def test_a_reading_alone_is_tried_alone(arrays: dict[str, Any]) -> None:
    """Also where readings that coincide were fitted as one: their weights go with it, here as in `priors try`."""
    names, priors = [str(n) for n in arrays["readings"]], prior_forecast().origin_state.priors
    last, before = names[-1], names[-2]
    fewer = {k: v for k, v in arrays.items() if not k.startswith(f"{last}/")}
    fewer |= {"readings": np.array(names[:-1]), f"merged/{before}": np.array([before, last])}
    alone = priors.replace({"readings.weights": Weights({n: float(n == last) for n in priors.parts("readings.weights")})})
    assert target_question(fewer, alone, HEADLINE).probability == pytest.approx(
        reweight_to_priors(fewer, priors, alone, HEADLINE).questions[HEADLINE].probability
    )
    assert target_question(fewer, alone, HEADLINE).probability == pytest.approx(
        float(fewer[f"{before}/questions"][question(arrays)].mean())
    )


def question(arrays: dict[str, Any]) -> int:
    return [str(i) for i in arrays["questions"]].index(HEADLINE)


def test_what_a_reading_cannot_say_within_a_tenth_is_not_trusted() -> None:
    assert Point.judge(0.0, 0.05, 0.001, 0.2, 0.5, relative_error=0.09).trusted
    assert not Point.judge(0.0, 0.05, 0.001, 0.2, 0.5, relative_error=0.11).trusted


def test_the_error_of_a_point_is_that_of_the_run(headline: TargetQuestion) -> None:
    """With nothing varied: by draws, worth what they are, and by paths."""
    even = {r.name: pareto_smooth(np.zeros(r.probabilities.size)) for r in headline.readings}
    point = headline.point(0.0, {r.name: r.probabilities for r in headline.readings}, even, corrected=False)
    assert point.probability == pytest.approx(headline.probability)
    assert point.mcse == pytest.approx(prior_forecast().answers[HEADLINE].mcse, rel=0.35)  # there paths err alike in all readings


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "part", "value", "text"),
    [
        ("leverage.weights", "economic", 0.0, "Weights(economic=0, diplomatic=1/2, security=1/2)"),
        ("leverage.half_life.security", "security", 12.0, "Fixed(12)"),
    ],
)
def test_a_setting_swept_is_that_setting_tried(
    arrays: dict[str, Any], swept: dict[tuple[str, str, float], Point], name: str, part: str, value: float, text: str
) -> None:
    from forecast.priors.parsing import parse_prior

    exact = edited(arrays, name, parse_prior(name, text))
    assert swept[name, part, value].probability == pytest.approx(exact, abs=0.002)


@pytest.mark.slow
def test_another_selection_factor_is_draws_from_those_priors(swept: dict[tuple[str, str, float], Point]) -> None:
    """Here the draws come from the prior, so fresh ones of the edited prior are the answer."""
    origin_state, pool = prior_forecast().origin_state, prior_forecast().pool
    priors = origin_state.priors.replace({"outside_view.selection": Fixed(1.0)})
    draws = from_prior(tolerance_priors(priors), origin_state.origin, 4_000, np.random.default_rng(8))
    exact = sum(
        origin_state.weights[n] * float(forecast_from_history(origin_state, draws, pool, h).reached(4, 12).mean())
        for n, h in origin_state.histories.items()
    )
    point = swept["outside_view.selection", "", 1.0]
    assert abs(point.probability - exact) < 4 * np.hypot(point.mcse, 0.001)


@given(st.dictionaries(st.sampled_from("abcd"), st.floats(0, 1), min_size=2), st.floats(0, 1))
def test_weights_with_one_of_them_set_sum_to_one(raw: dict[str, float], share: float) -> None:
    total = sum(raw.values()) or 1.0
    now = {name: value / total for name, value in raw.items()}
    found = with_share(now, next(iter(now)), share)
    assert sum(found.values()) == pytest.approx(1)
    assert list(found) == list(now)
    assert min(found.values()) >= 0
