"""Model 5's graph against an independent log-density, its data, and its one shape for every history."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
from pytensor import function
from pytensor.compile.mode import Mode
from scipy import stats

from forecast.arrays.decay import knot_weights
from forecast.domain import FIRST_MONTH, Month, month
from forecast.forecasting.parameter_draws import POSTERIOR_NAMES, ParameterDraws
from forecast.forecasting.predictive_checks import log_likelihood
from forecast.model.tolerance import build_model
from forecast.model.tolerance_data import MODEL_VERSION, History, in_office, model_data, slots
from tests.support import synthetic

PLAIN = Mode("py", optimizer=None)  # evaluated as it stands: compiling takes longer than everything else here
N = 120
LEVELS = np.array([2] * 20 + [3] * 5 + [2] * 30 + [5, 0, 0, 1] + [4] * 10 + [1] * (N - 69))


def stirred() -> History:
    """Ten years with every level, skips, one-month spells, and every driver at work."""
    rng = np.random.default_rng(4)
    series = {name: rng.normal(0, 0.7, N) for name in ("log2_deaths", "change", "opposition")}
    series |= {name: rng.gamma(2, 0.4, N) for name in ("pressure", "mobilisation")}
    return History(LEVELS, synthetic.drivers(N, **series, administration=np.minimum(np.arange(N) // 40, 2)))


@pytest.fixture(scope="module")
def evaluated() -> tuple[list[np.ndarray], list[dict[str, np.ndarray]], History]:
    """log p(everything) at random points of the unconstrained space, and the named variables there."""
    history = stirred()
    model = build_model(history, synthetic.constants())
    rng = np.random.default_rng(9)
    named = [model[name] for name in POSTERIOR_NAMES.values()]
    with model:
        at = function(model.value_vars, [model.logp(), *model.replace_rvs_by_values(named)], mode=PLAIN, on_unused_input="ignore")
    shapes = {name: value.shape for name, value in model.initial_point().items()}
    points = [[rng.normal(0, 0.7, shapes[v.name]) for v in model.value_vars] for _ in range(4)]
    found = [at(*p) for p in points]
    by_name = [dict(zip(POSTERIOR_NAMES, f[1:], strict=True)) for f in found]
    # log density of the standard normals and half-normals (with the log-Jacobian of their logarithm) the model is written in
    prior = []
    for p in points:
        total = 0.0
        for v, x in zip(model.value_vars, p, strict=True):
            total += (stats.halfnorm.logpdf(np.exp(x)) + x).sum() if v.name.endswith("_log__") else stats.norm.logpdf(x).sum()
        prior.append(total)
    return [np.array(f[0] - q) for f, q in zip(found, prior, strict=True)], by_name, history


def draws_at(points: list[dict[str, np.ndarray]]) -> ParameterDraws:
    fields = {name: np.array([p[name] for p in points], float) for name in POSTERIOR_NAMES}
    return ParameterDraws(**fields, skip_up=np.full((len(points), 4), 0.5), skip_down=np.full((len(points), 4), 0.5))


def test_the_likelihood_equals_an_independent_one(evaluated: tuple[list[np.ndarray], list[dict[str, np.ndarray]], History]) -> None:
    graph, points, history = evaluated
    np.testing.assert_allclose(graph, log_likelihood(draws_at(points), history), rtol=1e-8)


def test_the_likelihood_by_a_plain_loop(evaluated: tuple[list[np.ndarray], list[dict[str, np.ndarray]], History]) -> None:
    """The equations once more, month by month, from the words of the model."""
    graph, points, history = evaluated
    d, y = history.drivers, history.levels
    for value, p in zip(graph, points, strict=True):
        total = 0.0
        for t in range(1, N):
            year, part = divmod(t, 12)
            u = p["drift"][year] * (1 - part / 12) + p["drift"][year + 1] * part / 12
            theta = (
                p["alpha"][d.administration[t]] + p["overdose_level"] * d.log2_deaths[t - 1] + p["overdose_change"] * d.change[t - 1]
                - p["opposition"] * (d.opposition[t - 1] + p["mobilisation"] * d.mobilisation[t - 1]) + u
            )  # fmt: skip
            j, rise, fall = y[t - 1], 0.0, 0.0
            if j < 5:
                q = 1 / (1 + np.exp(-p["logit_rise"][j]))
                monthly = 1 - (1 - q) ** (1 / 12)
                rise = monthly / (1 - monthly) * np.exp(theta + p["leverage"] * d.pressure[t - 1])
            if j > 0:
                monthly = 1 - 0.5 ** (1 / np.exp(p["log_stay"][j - 1]))
                risen = t >= 2 and y[t - 1] > y[t - 2]
                fall = monthly / (1 - monthly) * np.exp(-theta + p["leverage_on_falls"] * d.pressure[t - 1] + p["just_risen"] * risen)
            total += np.log((rise if y[t] > j else fall if y[t] < j else 1.0) / (1 + rise + fall))
        assert float(value) == pytest.approx(total, rel=1e-8)


@pytest.mark.slow
def test_named_variables_are_the_priors_transformed() -> None:
    """Prior draws through the graph have the stated locations and scales, the AR(1) of u its variance and correlation."""
    constants = synthetic.constants()
    model = build_model(stirred(), constants)
    names = ["logit_rise", "log_stay", "leverage_effect", "just_risen_effect", "drift", "drift_sd", "drift_half_life"]
    with model:
        drawn = pm.draw([model[n] for n in names], draws=3_000, random_seed=2, mode=PLAIN)
    found = dict(zip(names, drawn, strict=True))
    np.testing.assert_allclose(found["logit_rise"].mean(0), constants.rise[:, 0], atol=0.12)
    np.testing.assert_allclose(found["log_stay"].std(0), constants.stay[:, 1], rtol=0.08)
    assert found["leverage_effect"].mean() == pytest.approx(1.6, abs=0.06)
    unit = found["drift"] / found["drift_sd"][:, None]
    np.testing.assert_allclose(unit.std(0), 1.0, atol=0.07)
    rho = 2.0 ** (-12 / found["drift_half_life"])
    assert (unit[:, 3] * unit[:, 4]).mean() == pytest.approx(rho.mean(), abs=0.08)
    assert (unit[:, 3] * unit[:, 6]).mean() == pytest.approx((rho**3).mean(), abs=0.08)


def test_symmetric_pressure_is_one_effect() -> None:
    model = build_model(stirred(), replace(synthetic.constants(), symmetric=True))
    with model:
        up, down = pm.draw([model["leverage_effect"], model["leverage_effect_on_falls"]], draws=5, random_seed=1, mode=PLAIN)
    np.testing.assert_allclose(up, -down)


def test_a_scale_of_zero_switches_a_term_off() -> None:
    model = build_model(stirred(), replace(synthetic.constants(), drift_sd=0.0, opposition=np.zeros(2)))
    with model:
        drift, beta = pm.draw([model["drift"], model["opposition_effect"]], draws=5, random_seed=1, mode=PLAIN)
    assert not drift.any()
    assert not beta.any()


# ---- data of one shape


def test_every_history_has_the_same_shapes_and_unused_months_are_masked() -> None:
    s = synthetic.origin_state()
    shapes = set()
    short = History(s.histories["main"].levels[:100], synthetic.drivers(100))
    for history in [*s.histories.values(), short, stirred()]:
        given = model_data(history, synthetic.constants())
        shapes.add(tuple((name, value.shape) for name, value in given.items()))
        assert given["used"].sum() == len(history.levels) - 1
        assert not given["used"][0]
        assert not given["used"][len(history.levels) :].any()
        assert not (given["rose"] * given["fell"]).any()
    assert len(shapes) == 1


def test_a_transition_sees_the_month_before_and_its_own_administration() -> None:
    history = stirred()
    given = model_data(history, synthetic.constants())
    t = 57
    assert given["level"][t] == LEVELS[t - 1]
    assert given["pressure"][t] == history.drivers.pressure[t - 1]
    assert given["in_office"][t] == history.drivers.administration[t]
    assert given["just_risen"][t] == float(LEVELS[t - 1] > LEVELS[t - 2])
    assert given["just_risen"][1] == 0.0
    assert [t for t in range(N) if given["just_risen"][t]] == [21, 56, 59, 60]  # the month after each rise: into 20, 55, 58 and 59


def test_slots_grow_by_decades() -> None:
    assert slots(month("2026-06")) == (300, 28)
    assert slots(month("2030-12")) == (300, 28)
    assert slots(month("2031-01")) == (420, 38)
    assert MODEL_VERSION


def test_knots_stand_each_january_and_reach_beyond_the_horizon() -> None:
    w = knot_weights(300, 28)
    np.testing.assert_allclose(w.sum(1), 1.0)
    assert w[24, 2] == 1.0
    assert (w[30, 2], w[30, 3]) == (0.5, 0.5)
    assert FIRST_MONTH % 12 == 0
    assert 12 * (slots(Month(month("2030-12")))[1] - 1) >= 300 + 24


def test_who_governs() -> None:
    rows = synthetic.data().administrations
    found = in_office(rows, "Mexico", month("2006-11"), month("2006-12"))
    assert found.tolist() == [0, 1]
    assert in_office(rows, "Mexico", month("2030-09"), month("2030-10")).tolist() == [4, 5]  # someone of whom nothing is known yet
    assert in_office(rows, "Mexico", month("2040-01"), month("2040-02")).tolist() == [5, 5]  # also where no month has a known one
