"""Draws weighted to another situation: the same situation gives the run back, and what can be worked out exactly comes out."""

from __future__ import annotations

import functools
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy.special import expit
from scipy.stats import beta, kstest, norm

from forecast.arrays.ladder import rise_logit
from forecast.domain import Month
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.parameter_draws import ParameterDraws, from_prior, skip_posterior
from forecast.forecasting.question_forecasts import relative_ess
from forecast.model.hyperparameters import tolerance_priors
from forecast.model.tolerance_data import Drivers, History
from forecast.priors.load import Priors
from forecast.priors.parsing import parse_prior
from forecast.reweighting.data_update import FittedDraws, ReweightedForecast, reweight_to_inputs, weight_reading
from forecast.reweighting.diagnostics import Influence
from forecast.reweighting.draws_archive import pack, unpack_draws
from forecast.reweighting.prior_edits import reweight_to_priors
from tests.support.prior_forecasts import SIZE, prior_forecast

HEADLINE = "reach-4-12m"


@functools.cache
def basis() -> FittedDraws:
    """The draws as the archive keeps them, in single precision."""
    arrays = pack(prior_forecast())
    return FittedDraws(
        prior_forecast().origin_state, {n: unpack_draws(arrays, n) for n in prior_forecast().readings}, unpack_draws(arrays, "prior")
    )


@functools.cache
def same() -> ReweightedForecast:
    return reweight_to_inputs(basis(), basis().origin_state, prior_forecast().pool)


def edited(**edits: str) -> Priors:
    named = {name.replace("__", "."): text for name, text in edits.items()}
    return prior_forecast().origin_state.priors.replace({name: parse_prior(name, text) for name, text in named.items()})


def with_histories(origin_state: OriginState, **histories: History) -> OriginState:
    share = 1.0 / len(histories)
    return replace(origin_state, histories=histories, merged={n: (n,) for n in histories}, weights=dict.fromkeys(histories, share))


def quiet(levels: list[int]) -> History:
    """Levels under drivers at zero."""
    n = len(levels)
    zero = np.zeros(n)
    return History(np.array(levels), Drivers(zero, zero, zero, zero, zero, np.zeros(n, int)))


def test_the_same_situation_gives_the_run_but_for_the_rounding_of_its_draws() -> None:
    found = same()
    assert found.accepted
    assert set(found.probability) == set(prior_forecast().answers)
    for id_, answer in prior_forecast().answers.items():
        assert found.probability[id_] == pytest.approx(answer.probability, rel=1e-6, abs=1e-9)
        assert found.by_reading[id_] == pytest.approx(dict(answer.by_reading), rel=1e-6, abs=1e-9)
        assert found.known.get(id_) == (None if answer.known is None else pytest.approx(answer.known, rel=1e-6, abs=1e-9))
    assert {j.k_hat for j in found.diagnostics.values()} == {-np.inf}
    for j, draws in zip(found.diagnostics.values(), prior_forecast().headline.draws, strict=True):
        assert j.ess == pytest.approx(SIZE * min(relative_ess(draws), 1.0), rel=1e-3)


def test_the_stated_errors_of_its_answers_are_those_of_the_run() -> None:
    found = same().influence.se()
    for id_, answer in prior_forecast().answers.items():
        assert found[id_] == pytest.approx(answer.mcse, rel=1e-3, abs=1e-9)
    assert set(same().influence.resampling_se().values()) == {0.0}  # all weigh alike


def plain(spread: Influence) -> Influence:
    """Of the fitted draws alone."""
    return replace(spread, unfitted=np.zeros_like(spread.unfitted), slots=np.zeros_like(spread.slots))


@pytest.mark.slow
def test_the_error_of_a_difference_told_by_the_same_draws_is_what_a_bootstrap_of_them_says() -> None:
    """An effect is edited; draws are drawn again with what they say before and after, and the difference of the two means is taken."""
    one = replace(basis().origin_state, histories={"main": basis().origin_state.histories["main"]}, merged={}, weights={"main": 1.0})
    before = reweight_to_inputs(basis(), one, prior_forecast().pool)
    after = reweight_to_inputs(basis(), replace(one, priors=edited(leverage__effect="Normal(1.4, 0.7)")), prior_forecast().pool)
    said = plain(before.influence).difference_se(plain(after.influence), same_draws=True, same_paths=True)
    values = prior_forecast().readings["main"].ladder.reached(4, 12)
    times = after.weighted["main"].weights * len(values)
    rng = np.random.default_rng(3)
    again = []
    for _ in range(4_000):
        rows = rng.integers(len(values), size=len(values))
        v, w = values[rows], times[rows]
        again.append(float(v @ w / w.sum() - v.mean()))
    assert said[HEADLINE] == pytest.approx(np.std(again), rel=0.15)
    unpaired = plain(before.influence).difference_se(plain(after.influence), same_draws=False, same_paths=True)
    assert said[HEADLINE] < 0.5 * unpaired[HEADLINE]
    assert unpaired[HEADLINE] == pytest.approx(np.hypot(plain(before.influence).se()[HEADLINE], plain(after.influence).se()[HEADLINE]))


def test_paths_of_one_seed_cancel_and_those_of_two_do_not() -> None:
    rng = np.random.default_rng(4)
    slots = rng.normal(size=(1, 20)).astype(np.float32)
    none = np.zeros((1, 400), np.float32)
    here, there = (Influence(("q",), {}, none, x, np.zeros(1)) for x in (slots, slots + 0.1 * rng.normal(size=(1, 20)).astype(np.float32)))
    paired = float(np.std(there.slots - here.slots, ddof=1) / np.sqrt(20))
    assert here.difference_se(there, same_draws=False, same_paths=True)["q"] == pytest.approx(paired, rel=1e-5)
    apart = float(np.hypot(*(np.std(x.slots, ddof=1) / np.sqrt(20) for x in (here, there))))
    assert here.difference_se(there, same_draws=False, same_paths=False)["q"] == pytest.approx(apart, rel=1e-5)


def test_a_difference_is_told_of_the_questions_and_fits_of_both() -> None:
    """A fit that only one of them knows keeps its own error."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 2, 400)).astype(np.float32)
    zero, flat = np.zeros((2, 400), np.float32), np.zeros((2, 20), np.float32)
    here = Influence(("a", "b"), {"main": x}, zero, flat, np.zeros(2))
    there = Influence(("b", "c"), {"main": x[[1, 0]], "other": y}, zero, flat, np.zeros(2))
    found = here.difference_se(there, same_draws=True, same_paths=True)
    assert set(found) == {"b"}
    ess = array_stats.ess(y[0].astype(float).reshape(4, -1), chain_axis=0, draw_axis=1, method="mean")
    assert found["b"] == pytest.approx(float(np.std(y[0], ddof=1) / np.sqrt(ess)), rel=1e-5)
    assert there.difference_se(here, same_draws=True, same_paths=True)["b"] == pytest.approx(found["b"])


def test_its_monte_carlo_error_is_that_of_the_run() -> None:
    """In every reading: over draws that remember their chain, and over paths."""
    from forecast.forecasting.question_forecasts import monte_carlo_error

    answer = prior_forecast().headline
    for i, (name, judged) in enumerate(same().diagnostics.items()):
        slots = prior_forecast().readings[name].ladder.path_batch_means("reached_by", 4, 12)
        assert judged.mcse == pytest.approx(monte_carlo_error(answer.draws[[i]], np.ones(1), slots), rel=0.01)


@pytest.mark.parametrize("edit", [{"leverage__effect": "Normal(1.2, 0.7)"}, {"ladder__rise__3": "quantiles(0.02, 0.05, 0.14)"}])
def test_an_edited_prior_alone_says_what_trying_it_says(edit: dict[str, str]) -> None:
    """Two ways to one number: draws kept with their probabilities and weighted, and the recursion run again on weighted draws."""
    new = edited(**edit)
    tried = reweight_to_priors(pack(prior_forecast()), prior_forecast().origin_state.priors, new, HEADLINE)
    found = reweight_to_inputs(basis(), replace(basis().origin_state, priors=new), prior_forecast().pool)
    assert tried.how == "reweighted"
    for id_ in prior_forecast().answers:
        if prior_forecast().answers[id_].question.level is not None:
            assert found.probability[id_] == pytest.approx(tried.questions[id_].probability, rel=1e-4)
    for name, judged in found.diagnostics.items():
        assert judged.k_hat == pytest.approx(tried.diagnostics[name].k_hat, abs=1e-3)
        assert judged.ess == pytest.approx(tried.diagnostics[name].ess, rel=1e-3)


def test_a_longer_history_weighs_by_the_likelihood_of_what_it_adds() -> None:
    """One unknown, the chance of a rise from 2; ten quiet years more. The posterior by weights against the one by quadrature."""
    n, more = 20_000, 120
    prior = norm(-2.5, 1.0)
    logits = prior.rvs(n, random_state=np.random.default_rng(5))
    draws = flat(n, logit_rise=np.tile(logits[:, None], 5), log_stay=np.full((n, 5), 12.0))  # falls never come
    old, new = quiet([2, 2]), quiet([2] * (2 + more))
    was = with_histories(basis().origin_state, main=old)
    found = weight_reading(FittedDraws(was, {"main": draws}, draws), with_histories(basis().origin_state, main=new), "main")
    grid = np.linspace(-9, 4, 4_001)
    stay = -np.logaddexp(0.0, rise_logit(expit(grid))) * more
    density = prior.pdf(grid) * np.exp(stay)
    exact = float((grid * density).sum() / density.sum())
    assert found.smoothed.k_hat < 0.5
    assert found.weights @ logits == pytest.approx(exact, abs=4 / np.sqrt(found.smoothed.ess))


def test_weights_of_a_shorter_history_undo_those_of_a_longer_one() -> None:
    draws = basis().draws["main"]
    old, new = quiet([2] * 40), quiet([2] * 30 + [3] * 10 + [2] * 5)
    a, b = (with_histories(basis().origin_state, main=h) for h in (old, new))
    there = weight_reading(FittedDraws(a, {"main": draws}, draws), b, "main")
    back = weight_reading(FittedDraws(b, {"main": there.draws}, draws), a, "main")
    assert np.ptp(np.log(there.weights) + np.log(back.weights)) < 25  # smoothing touches only the tails
    middle = slice(100, 300)
    order = np.argsort(there.weights)
    assert np.ptp((np.log(there.weights) + np.log(back.weights))[order[middle]]) < 1e-6


def test_skips_take_their_new_conjugate_posterior() -> None:
    """A recorded skip more: each draw keeps its rank in the Beta that now holds."""
    constants = tolerance_priors(basis().origin_state.priors)
    old, new = quiet([2] * 24), quiet([2, 4] + [2] * 22)
    was, now = with_histories(basis().origin_state, main=old), with_histories(basis().origin_state, main=new)
    before, after = skip_posterior(constants, old)[0], skip_posterior(constants, new)[0]
    assert tuple(after[2]) == (before[2][0] + 1, before[2][1])
    draws = basis().draws["main"]
    seen = beta(*before[2]).rvs(draws.size, random_state=np.random.default_rng(4))
    draws = replace(draws, skip_up=np.column_stack([draws.skip_up[:, :2], seen, draws.skip_up[:, 3]]))
    moved = weight_reading(FittedDraws(was, {"main": draws}, draws), now, "main").draws
    assert kstest(moved.skip_up[:, 2], beta(*after[2]).cdf).pvalue > 0.01
    assert np.array_equal(np.argsort(moved.skip_up[:, 2]), np.argsort(seen))
    assert np.array_equal(moved.skip_up[:, 0], draws.skip_up[:, 0])  # no rise reached 1: untouched
    assert (moved.skip_up[:, 2] >= seen).all()


def test_beyond_its_last_knot_the_drift_goes_on_as_it_was() -> None:
    """A history past the slots of the fit: the knots that are added have the marginal sd and the memory of the stationary walk."""
    n = 4_000
    draws = from_prior(tolerance_priors(basis().origin_state.priors), basis().origin_state.origin, n, np.random.default_rng(2))
    draws = replace(draws, drift_sd=np.full(n, 0.5), half_life=np.full(n, 18.0), drift=0.5 * np.random.default_rng(3).normal(size=(n, 28)))
    years = 26 * 12
    later = replace(with_histories(basis().origin_state, main=quiet([2] * years)), origin=Month(basis().origin_state.origin + 12 * 6))
    moved = weight_reading(
        FittedDraws(with_histories(basis().origin_state, main=quiet([2] * 24)), {"main": draws}, draws), later, "main"
    ).draws
    assert moved.drift.shape == (n, 38)
    assert np.array_equal(moved.drift[:, :28], draws.drift)
    assert moved.drift[:, 28:].std(0) == pytest.approx(np.full(10, 0.5), rel=0.06)
    assert np.corrcoef(moved.drift[:, 30], moved.drift[:, 31])[0, 1] == pytest.approx(2 ** (-12 / 18), abs=0.05)


def test_a_reading_that_appears_starts_from_main_and_one_that_is_gone_is_dropped() -> None:
    origin_state = basis().origin_state
    without = FittedDraws(origin_state, {n: d for n, d in basis().draws.items() if n != "covert_true"}, basis().prior)
    found = weight_reading(without, origin_state, "covert_true")
    direct = weight_reading(basis(), with_histories(origin_state, main=origin_state.histories["covert_true"]), "main")
    assert np.array_equal(found.weights, direct.weights)
    fewer = replace(
        origin_state,
        histories={n: h for n, h in origin_state.histories.items() if n != "denials_true"},
        weights={"main": 0.5, "advisers_stayed": 0.4, "covert_true": 0.1},
    )
    left = reweight_to_inputs(basis(), fewer, prior_forecast().pool)
    assert set(left.diagnostics) == set(fewer.histories)
    assert left.probability[HEADLINE] == pytest.approx(sum(fewer.weights[n] * same().by_reading[HEADLINE][n] for n in fewer.weights))


def test_a_history_that_the_draws_hold_impossible_is_not_accepted() -> None:
    """Main's draws for a past in which Mexico went up and down all the time: a few draws carry all the weight."""
    origin_state = basis().origin_state
    wild = History(np.array([2, 3] * (len(origin_state.drivers.pressure) // 2)), origin_state.drivers)
    found = reweight_to_inputs(basis(), with_histories(origin_state, main=wild), prior_forecast().pool)
    assert not found.accepted
    assert found.k_hat > 0.7 or found.ess < 200


@pytest.mark.slow
def test_no_sampler_is_imported() -> None:
    code = "import sys, forecast.reweighting.data_update; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {name.split(".")[0] for name in done.stdout.split()} & {"pymc", "pytensor", "nutpie"}


def flat(size: int, **given: np.ndarray) -> ParameterDraws:
    """Draws of no effects and no drift, but for what is given."""
    example = basis().draws["main"]
    fields = {name: np.zeros((size, *value.shape[1:])) for name, value in example.__dict__.items()}
    return ParameterDraws(**(fields | {"half_life": np.full(size, 12.0)} | given))
