"""Model 1 against an independent likelihood, the definitions of its parameters, and the predictive by brute force."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy import special, stats

from forecast.domain import month
from forecast.evaluation.leave_one_out import leave_one_out, score_state
from forecast.model.outside_view import KEPT, build_outside_view, observed
from forecast.model.outside_view_data import TransitionCounts, Transitions
from forecast.model.outside_view_predictive import NewStatePredictive, entry_probability, predict_new_state, reach_probability

type Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

STATES = ("A", "B")
SLOW_BUT_READY = Mode("py", "fast_compile")  # one evaluation is not worth compiling for


def counts(rng: np.random.Generator) -> TransitionCounts:
    rise, stay, fall = rng.integers(0, 5, (3, 2, 6, 2, 2))
    rise[:, 5], fall[:, 0] = 0, 0
    went_up, stopped_up, went_down, stopped_down = rng.integers(0, 5, (4, 4))
    return TransitionCounts(STATES, rise, stay, fall, went_up, stopped_up, went_down, stopped_down)


def month_probabilities(q: float, m: float, up: float, down: float, level: int) -> tuple[float, float, float]:
    """Rise, stay, fall from the definitions: the odds against staying of a month that alone would give q in twelve, or m as the median."""
    p_rise, p_fall = 1 - (1 - q) ** (1 / 12), 1 - 0.5 ** (1 / m)
    odds_rise = p_rise / (1 - p_rise) * math.exp(up) if level < 5 else 0.0
    odds_fall = p_fall / (1 - p_fall) * math.exp(down) if level > 0 else 0.0
    total = 1 + odds_rise + odds_fall
    return odds_rise / total, 1 / total, odds_fall / total


@functools.cache
def built() -> pm.Model:
    """The model, made once; a test sets the counts that it needs."""
    return build_outside_view(STATES)


@pytest.mark.slow
def test_the_likelihood_is_that_of_the_kernel() -> None:
    """Every cell by scipy's multinomial, from parameters at random; priors by scipy too."""
    rng = np.random.default_rng(1)
    c = counts(rng)
    model = built()
    with model:
        pm.set_data(observed(c))
    z: dict[str, Any] = {
        "logit_q": rng.normal(-3, 1, 5), "log_m": rng.normal(3, 1, 5), "just_risen_effect": 2.1, "pressure_on_rises": 1.4,
        "pressure_on_falls": -0.3,
        "tau": -0.7, "z_rise": rng.normal(size=2), "z_fall": rng.normal(size=2),
    }  # fmt: skip
    log_prior = sum(
        stats.norm(mean, sd).logpdf(z[name]).sum()
        for name, mean, sd in (
            ("logit_q", -3, 1.5), ("log_m", math.log(60), 1.5), ("just_risen_effect", 0, 2), ("pressure_on_rises", 0, 2),
            ("pressure_on_falls", 0, 2), ("tau", 0, 1), ("z_rise", 0, 1), ("z_fall", 0, 1),
        )
    )  # fmt: skip
    log_likelihood = 0.0
    for s, level, p, r in np.ndindex(2, 6, 2, 2):
        q = float(special.expit(z["logit_q"][level])) if level < 5 else 0.5
        m = math.exp(z["log_m"][level - 1]) if level > 0 else 1.0
        up = z["tau"] * z["z_rise"][s] + 1.4 * p
        down = z["tau"] * z["z_fall"][s] - 0.3 * p + 2.1 * r
        what = [c.rise[s, level, p, r], c.stay[s, level, p, r], c.fall[s, level, p, r]]
        log_likelihood += float(special.xlogy(what, month_probabilities(q, m, up, down, level)).sum())
    assert float(model.compile_logp(mode=SLOW_BUT_READY)(z)) == pytest.approx(log_prior + log_likelihood, rel=1e-9)


@pytest.mark.slow
def test_very_short_and_very_long_stays_stay_finite() -> None:
    model = built()
    with model:
        pm.set_data(observed(counts(np.random.default_rng(2))))
    point = model.initial_point()
    gradient = model.compile_dlogp(mode=SLOW_BUT_READY)
    for log_m in (-6.0, 12.0):
        assert np.isfinite(gradient({**point, "log_m": np.full(5, log_m)})).all()


def test_dims_are_named_and_what_is_kept_exists() -> None:
    model = built()
    assert set(KEPT) <= set(model.named_vars)
    assert model.named_vars_to_dims["effect_rise"] == ("state",)
    assert model.named_vars_to_dims["rise"] == ("state", "level", "pressure", "just_risen")
    assert list(model.coords["rise_from"]) == [0, 1, 2, 3, 4]
    assert list(model.coords["fall_from"]) == [1, 2, 3, 4, 5]


def posterior(sigma: float, n: int = 2_000) -> xr.Dataset:
    full = {"sigma": sigma, "just_risen_effect": 2.0, "pressure_on_rises": 1.5, "pressure_on_falls": 0.2}
    data = {name: (("chain", "draw"), np.full((2, n), value)) for name, value in full.items()}
    q, m = np.array([0.02, 0.05, 0.03, 0.01, 0.1]), np.array([900.0, 200.0, 100.0, 40.0, 50.0])
    data |= {"logit_q": (("chain", "draw", "rise_from"), np.broadcast_to(special.logit(q), (2, n, 5)))}  # type: ignore[dict-item]  # other dims
    data |= {"log_m": (("chain", "draw", "fall_from"), np.broadcast_to(np.log(m), (2, n, 5)))}  # type: ignore[dict-item]  # other dims
    return xr.Dataset(data)


def test_without_state_effects_a_new_state_has_the_parameters_of_the_class() -> None:
    state = predict_new_state(posterior(0.0, 10), counts(np.random.default_rng(3)), seed=1)
    assert state.rise_probability == pytest.approx(np.tile([0.02, 0.05, 0.03, 0.01, 0.1], (20, 1)), rel=1e-9)
    assert state.median_stay == pytest.approx(np.tile([900.0, 200.0, 100.0, 40.0, 50.0], (20, 1)), rel=1e-9)


def test_a_new_state_has_effects_of_its_own_and_conjugate_skips() -> None:
    c = counts(np.random.default_rng(3))
    state = predict_new_state(posterior(0.8, 20_000), c, seed=1)
    base = predict_new_state(posterior(0.0, 1), c, seed=1)
    for odds, centre in ((state.rise_log_odds, base.rise_log_odds[0]), (state.fall_log_odds, base.fall_log_odds[0])):
        effect = odds - centre
        assert effect[:, 0] == pytest.approx(effect[:, 4])  # one effect of a state, at every level
        assert stats.kstest(effect[:, 0], stats.norm(0, 0.8).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(state.rise_log_odds[:, 0], state.fall_log_odds[:, 0])[0, 1]) < 0.03
    for skips, went, stopped in ((state.skip_up, c.went_up, c.stopped_up), (state.skip_down, c.went_down, c.stopped_down)):
        for i in range(4):
            assert stats.kstest(skips[:, i], stats.beta(1 + went[i], 1 + stopped[i]).cdf).pvalue > 1e-3


def one(**changes: Floats) -> NewStatePredictive:
    base = predict_new_state(posterior(0.0, 1), TransitionCounts(STATES, *np.zeros((3, 2, 6, 2, 2), int), *np.zeros((4, 4), int)), seed=1)
    fields = {"skip_up": np.tile([0.1, 0.5, 0.2, 0.4], (2, 1)), "skip_down": np.tile([0.05, 0.6, 0.5, 0.5], (2, 1)), **changes}
    return NewStatePredictive(**{**{name: getattr(base, name) for name in base.__dataclass_fields__}, **fields})


def test_the_chance_of_reaching_a_level_is_that_of_a_simulation() -> None:
    """200,000 histories of twelve months, month by month, from the definitions."""
    rng, n = np.random.default_rng(4), 200_000
    state = one()
    level, just_risen, reached = np.full(n, 2), np.zeros(n, bool), np.zeros(n, bool)
    s, s_down = state.skip_up[0], state.skip_down[0]
    for _ in range(12):
        p = np.zeros((6, 2, 3))
        for j in range(6):
            for r in (0, 1):
                q, m = state.rise_probability[0, min(j, 4)], state.median_stay[0, max(j - 1, 0)]
                p[j, r] = month_probabilities(q, m, 1.5, 0.2 + 2.0 * r, j)
        u = rng.random(n)
        rise = u < p[level, just_risen.astype(int), 0]
        fall = ~rise & (u > 1 - p[level, just_risen.astype(int), 2])
        new = level + rise - fall
        for i in (1, 2, 3, 4):
            new += rise & (new == i) & (rng.random(n) < s[i - 1])
        for i in (4, 3, 2, 1):
            new -= fall & (new == i) & (rng.random(n) < s_down[i - 1])
        level, just_risen = new, rise
        reached |= level >= 4
    exact = reach_probability(state, 2, pressed=True)[0]
    assert reached.mean() == pytest.approx(exact, abs=4 * math.sqrt(exact / n))
    assert reach_probability(state, 2, pressed=False)[0] < exact


def test_the_monthly_chance_of_an_entry_is_that_of_reaching_it_within_a_month() -> None:
    state = one()
    chance = entry_probability(state)
    assert chance.shape == (4, 2, 2, 2)
    for level in range(4):
        for pressed in (False, True):
            assert chance[level, int(pressed), 0] == pytest.approx(reach_probability(state, level, pressed=pressed, months=1), rel=1e-12)
    assert (chance[1:, :, 1] < chance[1:, :, 0]).all()  # just after a rise a fall competes
    assert chance[0, :, 1] == pytest.approx(chance[0, :, 0])


def rows(state: list[int], level: list[int], to: list[int]) -> Transitions:
    no = np.zeros(len(state), bool)
    index = np.arange(len(state)) + month("2000-02")
    return Transitions(STATES, np.array(state), index, np.array(level), np.array(to), no, no, no, no, no, no, no)


def test_a_state_left_out_is_scored_by_the_mean_likelihood_over_draws() -> None:
    t = rows([0, 0, 0, 1, 1], [3, 3, 4, 3, 2], [3, 4, 4, 3, 2])
    a = one(rise_log_odds=np.array([[-4.0] * 5, [-2.0] * 5]))
    p = entry_probability(a)[3, 0, 0]
    held = (t.state == 0) & (t.level < 4)
    assert score_state(t, held, "none", a) == pytest.approx(math.log(np.mean((1 - p) * p)))


def test_the_baselines_are_rates_of_the_other_states() -> None:
    t = rows([0, 0, 0, 1, 1, 1], [3, 3, 4, 3, 2, 2], [3, 4, 4, 3, 2, 2])
    seen: list[list[bool]] = []

    def fit(used: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> NewStatePredictive:
        seen.append(used.tolist())
        return one()

    found = leave_one_out(t, "none", fit)
    assert seen == [[False] * 3 + [True] * 3, [True] * 3 + [False] * 3]
    # state A: others had no entry in 3 months, 1 of them at level 3; state B: others had 1 in 2, both at level 3, none below
    assert found.by_state["A"][1] == pytest.approx(math.log(0.5 / 4) + math.log(1 - 0.5 / 4))
    assert found.by_state["A"][2] == pytest.approx(math.log(0.5 / 2) + math.log(1 - 0.5 / 2))
    assert found.by_state["B"][1] == pytest.approx(3 * math.log(1 - 1.5 / 3))
    assert found.by_state["B"][2] == pytest.approx(math.log(1 - 1.5 / 3) + 2 * math.log(1 - 0.5))
    assert found.constant == pytest.approx(sum(s[1] for s in found.by_state.values()))
