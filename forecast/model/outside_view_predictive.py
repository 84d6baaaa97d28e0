"""The outside view's prediction for a state that was not observed, and the priors of the ladder that are made from it.

The priors pool the predictions over classes of comparable states; `predictive_of_priors` goes back from priors to a prediction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import xarray as xr

from forecast.arrays.ladder import MONTHS_A_YEAR, Kernel, fall_destinations, fall_logit, forward_recursion, rise_destinations, rise_logit
from forecast.arrays.transforms import expit, logit
from forecast.arrays.weighted_quantiles import WeightedSample
from forecast.domain import TOP
from forecast.model.outside_view_data import TransitionCounts
from forecast.priors.distributions import PROBABILITIES, Normal, Quantiles, Scale
from forecast.priors.expert_pooling import central_normal, linear_pool, widen
from forecast.priors.load import Priors
from forecast.priors.specs import PriorSpec
from forecast.typing import Floats


@dataclass(frozen=True, eq=False)
class NewStatePredictive:
    """Draws of the parameters of a state that was not observed, its own effects included; n draws. Without pressure.

    rise_log_odds      [n, 5] monthly log-odds of a rise from 0..4, against staying
    fall_log_odds      [n, 5] monthly log-odds of a fall from 1..5, against staying
    skip_up            [n, 4] probability that a rise goes on through 1..4
    skip_down          [n, 4] probability that a fall goes on through 1..4
    just_risen         [n] φ, added to the log-odds of a fall just after a rise
    pressure_on_rises  [n] π⁺, added to the log-odds of a rise under pressure
    pressure_on_falls  [n] π⁻, added to the log-odds of a fall under pressure
    """

    rise_log_odds: Floats
    fall_log_odds: Floats
    skip_up: Floats
    skip_down: Floats
    just_risen: Floats
    pressure_on_rises: Floats
    pressure_on_falls: Floats

    @property
    def rise_probability(self) -> Floats:
        """12-month probability of a rise from 0..4, ignoring falls, [n, 5]."""
        return np.asarray(-np.expm1(-MONTHS_A_YEAR * np.logaddexp(0, self.rise_log_odds)))

    @property
    def median_stay(self) -> Floats:
        """Median months before a fall from 1..5, ignoring rises, [n, 5]."""
        return np.asarray(math.log(2) / np.logaddexp(0, self.fall_log_odds))


def predict_new_state(posterior: xr.Dataset, counts: TransitionCounts, seed: int) -> NewStatePredictive:
    """Predict a state that was not observed: each draw has its own effects from N(0, σ), and skips from their conjugate posterior.

    `posterior` as sampled from `build_outside_view`, dims chain and draw; `counts` those it was fitted to.
    """
    rng = np.random.default_rng(seed)
    flat = {str(k): v.stack(sample=("chain", "draw")).transpose("sample", ...).values for k, v in posterior.data_vars.items()}
    n = flat["sigma"].size
    effect_rise, effect_fall = flat["sigma"] * rng.standard_normal((2, n))
    return NewStatePredictive(
        rise_log_odds=rise_logit(expit(flat["logit_q"])) + effect_rise[:, None],
        fall_log_odds=fall_logit(np.exp(flat["log_m"])) + effect_fall[:, None],
        skip_up=rng.beta(1 + counts.went_up, 1 + counts.stopped_up, (n, TOP - 1)),
        skip_down=rng.beta(1 + counts.went_down, 1 + counts.stopped_down, (n, TOP - 1)),
        just_risen=flat["just_risen_effect"],
        pressure_on_rises=flat["pressure_on_rises"],
        pressure_on_falls=flat["pressure_on_falls"],
    )


def reach_probability(state: NewStatePredictive, start: int, *, pressed: bool, target: int = 4, months: int = 12) -> Floats:
    """P(level ≥ `target` in any of the next `months`) by draw [n], from `start`, not just risen, under pressure always or never."""
    n = state.just_risen.size
    never = np.full((1, n), -np.inf)
    none = np.zeros((months, n, 1))
    kernel = Kernel(
        a=np.concatenate([state.rise_log_odds.T, never]),
        b=np.concatenate([never, state.fall_log_odds.T]),
        theta=none,
        rise_push=none + (state.pressure_on_rises[:, None] if pressed else 0.0),
        fall_push=none + (state.pressure_on_falls[:, None] if pressed else 0.0),
        just_risen=state.just_risen,
        up=np.moveaxis(rise_destinations(state.skip_up), 0, -1),
        down=np.moveaxis(fall_destinations(state.skip_down), 0, -1),
    )
    return np.asarray(forward_recursion(kernel, start, False).reached(target)[-1, :, 0])


def entry_probability(state: NewStatePredictive, *, target: int = 4) -> Floats:
    """Monthly P(a rise that ends at `target` or above), [level < target, pressure no/yes, just_risen no/yes, draw]."""
    never = np.full((1, state.just_risen.size), -np.inf)
    pressed, just_risen = np.array([[[0.0]], [[1.0]]]), np.array([[0.0], [1.0]])
    up = state.rise_log_odds.T[:target, None, None] + pressed * state.pressure_on_rises
    down = (
        np.concatenate([never, state.fall_log_odds.T])[:target, None, None]
        + pressed * state.pressure_on_falls
        + just_risen * state.just_risen
    )
    rise = np.exp(up - np.logaddexp(np.logaddexp(0, up), down))
    onward = [np.prod(state.skip_up[:, j : target - 1], axis=1) for j in range(target)]  # through j + 1 .. target − 1
    return np.asarray(rise * np.array(onward)[:, None, None])


DIGITS: Final = 3


def ladder_specs(
    states: Mapping[str, NewStatePredictive], weights: Mapping[str, float], widening: Mapping[str, float]
) -> dict[str, PriorSpec]:
    """The priors of rises, stays, skips and φ: linear pools over classes, rises and stays widened, rounded to three significant digits.

    `states` and `weights` by class; `widening` as in the prior `outside_view.widening`. Without s_1: one observed rise from 0 is too few.
    """

    def pool(of: Callable[[NewStatePredictive], Floats]) -> WeightedSample:
        return linear_pool({name: of(state) for name, state in states.items()}, weights)

    specs: dict[str, PriorSpec] = {}
    for j in range(TOP):
        q = pool(lambda state: state.rise_probability[:, j])  # noqa: B023  # called at once
        log_odds = widen(replace(q, values=logit(q.values)), widening["rise_low" if j < 3 else "rise_high"])
        specs[f"ladder.rise.{j}"] = _quantiles(expit(log_odds.quantile(PROBABILITIES)), "logit")
    for j in range(1, TOP + 1):
        m = pool(lambda state: state.median_stay[:, j - 1])  # noqa: B023  # called at once
        log = widen(replace(m, values=np.log(m.values)), widening["stay_low" if j < 4 else "stay_high"])
        specs[f"ladder.stay.{j}"] = _quantiles(np.exp(log.quantile(PROBABILITIES)), "log")
    for i in range(2, TOP):
        specs[f"ladder.skip_up.{i}"] = _quantiles(pool(lambda state: state.skip_up[:, i - 1]).quantile(PROBABILITIES), "beta")  # noqa: B023  # called at once
    for i in range(1, TOP):
        specs[f"ladder.skip_down.{i}"] = _quantiles(pool(lambda state: state.skip_down[:, i - 1]).quantile(PROBABILITIES), "beta")  # noqa: B023  # called at once
    phi = central_normal(pool(lambda state: state.just_risen))
    return specs | {"ladder.just_risen": Normal(_rounded(phi.mean), _rounded(phi.sd))}


def medians(state: NewStatePredictive) -> dict[str, float]:
    """The median of each of these priors for a new state of one class."""
    out = {f"ladder.rise.{j}": state.rise_probability[:, j] for j in range(TOP)}
    out |= {f"ladder.stay.{j}": state.median_stay[:, j - 1] for j in range(1, TOP + 1)}
    out |= {f"ladder.skip_up.{i}": state.skip_up[:, i - 1] for i in range(2, TOP)}
    out |= {f"ladder.skip_down.{i}": state.skip_down[:, i - 1] for i in range(1, TOP)}
    return {name: float(np.median(draws)) for name, draws in (out | {"ladder.just_risen": state.just_risen}).items()}


def pressure_specs(states: Mapping[str, NewStatePredictive], weights: Mapping[str, float]) -> dict[str, PriorSpec]:
    """The fitted effects of pressure, pooled over classes, not widened."""

    def pool(of: Callable[[NewStatePredictive], Floats]) -> PriorSpec:
        pooled = central_normal(linear_pool({name: of(state) for name, state in states.items()}, weights))
        return Normal(_rounded(pooled.mean), _rounded(pooled.sd))

    return {
        "leverage.effect": pool(lambda state: state.pressure_on_rises),
        "leverage.effect_on_falls": pool(lambda state: state.pressure_on_falls),
    }


def predictive_of_priors(priors: Priors, n: int, seed: int) -> NewStatePredictive:
    """A prediction from the priors instead of a class; pressure at full strength, ℓ = 1; without the selection factor."""
    rng = np.random.default_rng(seed)

    def draw(name: str) -> Floats:
        return priors.distribution(name).sample(rng, n)

    return NewStatePredictive(
        rise_log_odds=np.column_stack([rise_logit(draw(f"ladder.rise.{j}")) for j in range(TOP)]),
        fall_log_odds=np.column_stack([fall_logit(draw(f"ladder.stay.{j}")) for j in range(1, TOP + 1)]),
        skip_up=np.column_stack([draw(f"ladder.skip_up.{i}") for i in range(1, TOP)]),
        skip_down=np.column_stack([draw(f"ladder.skip_down.{i}") for i in range(1, TOP)]),
        just_risen=draw("ladder.just_risen"),
        pressure_on_rises=draw("leverage.effect"),
        pressure_on_falls=draw("leverage.effect_on_falls"),
    )


def _quantiles(at: Floats, scale: Scale) -> Quantiles:
    low, middle, high = (_rounded(float(x)) for x in at)
    return Quantiles(low, middle, high, scale)


def _rounded(x: float) -> float:
    return float(f"{x:.{DIGITS}g}")
