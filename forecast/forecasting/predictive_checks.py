"""Posterior and prior predictive checks: histories simulated from draws and the real drivers, compared with Mexico's history.

A model whose simulations never look like the real history is wrong in a way that no diagnostic of its sampler shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast.arrays.ladder import N_LEVELS, fall_destinations, rise_destinations
from forecast.domain import FIRST_MONTH
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.model.tolerance_data import Drivers, History
from forecast.typing import Floats, Ints


@dataclass(frozen=True)
class TransitionLogOdds:
    """Terms of the log-odds of the transition into each month, all [S, T]; month 0 is unused (zero).

    theta      added to rises, subtracted from falls
    rise_push  effect of pressure on rises
    fall_push  effect of pressure on falls
    """

    theta: Floats
    rise_push: Floats
    fall_push: Floats


def transition_log_odds(draws: ParameterDraws, drivers: Drivers) -> TransitionLogOdds:
    """θ_t and π ℓ_{t−1} over a history: the transition into t sees the drivers of t − 1, the administration and the drift of t."""
    months = np.arange(FIRST_MONTH, drivers.origin + 1)

    def lagged(series: Floats) -> Floats:  # [T] → [1, T], one month later
        return np.concatenate([[0.0], series[:-1]])[None, :]

    theta = draws.tolerance(draws.alpha[:, drivers.administration] + draws.drift_at(months), drivers, lagged)
    theta[:, 0] = 0.0
    pressure = lagged(drivers.pressure)
    return TransitionLogOdds(theta, draws.leverage[:, None] * pressure, draws.leverage_on_falls[:, None] * pressure)


def simulate_histories(draws: ParameterDraws, drivers: Drivers, start_level: int, rng: np.random.Generator) -> Ints:
    """One history of levels by draw, [S, T] from FIRST_MONTH to the origin of the drivers.

    The first month is at `start_level` and did not just rise.
    """
    n, months = draws.size, len(drivers.pressure)
    odds = transition_log_odds(draws, drivers)
    a, b = draws.rise_logits().T, draws.fall_logits().T  # [S, 6]
    up, down = np.cumsum(rise_destinations(draws.skip_up), -1), np.cumsum(fall_destinations(draws.skip_down)[..., ::-1], -1)
    uniform, landing = rng.random((months, n)), rng.random((months, n))
    each = np.arange(n)
    levels = np.full((n, months), start_level)
    just_risen = np.zeros(n, bool)
    for t in range(1, months):
        j = levels[:, t - 1]
        rise = a[each, j] + odds.theta[:, t] + odds.rise_push[:, t]
        fall = b[each, j] - odds.theta[:, t] + odds.fall_push[:, t] + draws.just_risen * just_risen
        total = np.logaddexp(np.logaddexp(0.0, rise), fall)
        rises, moves = np.exp(rise - total), np.exp(rise - total) + np.exp(fall - total)
        higher = (landing[t][:, None] > up[each, j]).sum(1)
        lower = N_LEVELS - 1 - (landing[t][:, None] > down[each, j]).sum(1)
        just_risen = uniform[t] < rises
        levels[:, t] = np.where(just_risen, np.minimum(higher, N_LEVELS - 1), np.where(uniform[t] < moves, np.maximum(lower, 0), j))
    return levels


def log_likelihood(draws: ParameterDraws, history: History) -> Floats:
    """log P(the rises, falls and stays of the history | draw), [S]; what model 5's graph adds to its prior, without the skips."""
    odds = transition_log_odds(draws, history.drivers)
    before, after = history.levels[:-1], history.levels[1:]
    just_risen = history.just_risen[:-1]
    rise = draws.rise_logits().T[:, before] + odds.theta[:, 1:] + odds.rise_push[:, 1:]
    fall = draws.fall_logits().T[:, before] - odds.theta[:, 1:] + odds.fall_push[:, 1:] + draws.just_risen[:, None] * just_risen
    stays = -np.logaddexp(np.logaddexp(0.0, rise), fall)
    return np.asarray((stays + np.where(after > before, rise, 0.0) + np.where(after < before, fall, 0.0)).sum(1))


def history_statistics(levels: Ints) -> dict[str, Floats]:
    """Summary statistics of histories [S, T]: name → value by history [S].

    changes          months whose level differs from the month before
    one_month_spells spells of one month, the first and the last spell left out: their lengths are cut
    mean_spell       months between the first and the last change, by spell (NaN with fewer than two changes)
    skips            changes by more than one level
    months_at_<k>    months at level k
    ever_4, ever_0   whether the history reached level 4 or higher, level 0
    """
    steps = np.diff(levels, axis=1)
    moved = steps != 0
    n = moved.sum(1)
    first, last = moved.argmax(1), moved.shape[1] - 1 - moved[:, ::-1].argmax(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        spell = np.where(n > 1, (last - first) / (n - 1), np.nan)
    out = {
        "changes": n,
        "one_month_spells": (moved[:, 1:] & moved[:, :-1]).sum(1),
        "mean_spell": spell,
        "skips": (np.abs(steps) > 1).sum(1),
        **{f"months_at_{k}": (levels == k).sum(1) for k in range(N_LEVELS)},
        "ever_4": (levels >= 4).any(1),
        "ever_0": (levels == 0).any(1),
    }
    return {name: np.asarray(value, float) for name, value in out.items()}


@dataclass(frozen=True)
class PredictiveCheck:
    """One statistic of the real history, and its distribution over simulated histories.

    statistic      its name
    observed       in the real history
    q05, q50, q95  quantiles over simulations
    mean           over simulations
    tail_p         share of simulations at least as extreme, on the side where there are fewer

    Simulations without the statistic (NaN) are left out; all numbers are NaN if none has it.
    """

    statistic: str
    observed: float
    q05: float
    q50: float
    q95: float
    mean: float
    tail_p: float


def predictive_checks(observed: Ints, simulated: Ints) -> tuple[PredictiveCheck, ...]:
    """Compare the real history [T] with simulations [S, T]; a row a statistic."""
    real, simulations = history_statistics(observed[None, :]), history_statistics(simulated)
    return tuple(_compared(name, float(real[name][0]), values) for name, values in simulations.items())


def _compared(name: str, observed: float, values: Floats) -> PredictiveCheck:
    valid = values[~np.isnan(values)]
    if not valid.size:
        return PredictiveCheck(name, observed, *[float("nan")] * 5)
    low, middle, high = np.quantile(valid, [0.05, 0.5, 0.95])
    tail = min((valid <= observed).mean(), (valid >= observed).mean()) if not np.isnan(observed) else float("nan")
    return PredictiveCheck(name, observed, float(low), float(middle), float(high), float(valid.mean()), float(tail))
