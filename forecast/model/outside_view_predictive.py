"""What the outside view says of a state that was not in the class: its parameters, and how soon it would reach a level."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr

from forecast.arrays.ladder import MONTHS_A_YEAR, Kernel, fall_destinations, fall_logit, forward_recursion, rise_destinations, rise_logit
from forecast.arrays.transforms import expit
from forecast.domain import TOP
from forecast.model.outside_view_data import Counts
from forecast.typing import Floats


@dataclass(frozen=True, eq=False)
class NewStatePredictive:
    """Draws, first axis; the state's own effects are inside the odds. All without pressure: φ, π⁺ and π⁻ come on top.

    rise_odds, fall_odds [n, 5]: monthly log-odds of a rise from 0..4, of a fall from 1..5, against staying; s, s_down [n, 4]: probability
    that a rise, a fall goes on through 1..4; phi, pi_rise, pi_fall [n]: log-odds.
    """

    rise_odds: Floats
    fall_odds: Floats
    s: Floats
    s_down: Floats
    phi: Floats
    pi_rise: Floats
    pi_fall: Floats

    @property
    def q(self) -> Floats:
        """12-month probability of a rise from 0..4, ignoring falls, [n, 5]."""
        return np.asarray(-np.expm1(-MONTHS_A_YEAR * np.logaddexp(0, self.rise_odds)))

    @property
    def m(self) -> Floats:
        """Median months before a fall from 1..5, ignoring rises, [n, 5]."""
        return np.asarray(math.log(2) / np.logaddexp(0, self.fall_odds))


def predict_new_state(posterior: xr.Dataset, counts: Counts, seed: int) -> NewStatePredictive:
    """Predict a state that was not observed: each draw gets effects of its own from N(0, σ), and skips from their conjugate posterior.

    `posterior` as sampled from `build_outside_view`, dims chain and draw; `counts` those it was fitted to.
    """
    rng = np.random.default_rng(seed)
    flat = {str(k): v.stack(sample=("chain", "draw")).transpose("sample", ...).values for k, v in posterior.data_vars.items()}
    n = flat["sigma"].size
    effect_rise, effect_fall = flat["sigma"] * rng.standard_normal((2, n))
    return NewStatePredictive(
        rise_odds=rise_logit(expit(flat["logit_q"])) + effect_rise[:, None],
        fall_odds=fall_logit(np.exp(flat["log_m"])) + effect_fall[:, None],
        s=rng.beta(1 + counts.went_up, 1 + counts.stopped_up, (n, TOP - 1)),
        s_down=rng.beta(1 + counts.went_down, 1 + counts.stopped_down, (n, TOP - 1)),
        phi=flat["fresh_effect"],
        pi_rise=flat["pressure_on_rises"],
        pi_fall=flat["pressure_on_falls"],
    )


def reach(state: NewStatePredictive, start: int, *, pressed: bool, target: int = 4, months: int = 12) -> Floats:
    """P(level ≥ `target` in any of the next `months`) from `start`, long entered, with pressure open all the time or never; one a draw."""
    n = state.phi.size
    closed = np.full((1, n), -np.inf)
    none = np.zeros((months, n, 1))
    kernel = Kernel(
        a=np.concatenate([state.rise_odds.T, closed]),
        b=np.concatenate([closed, state.fall_odds.T]),
        theta=none,
        rise_push=none + (state.pi_rise[:, None] if pressed else 0.0),
        fall_push=none + (state.pi_fall[:, None] if pressed else 0.0),
        just_risen=state.phi,
        up=np.moveaxis(rise_destinations(state.s), 0, -1),
        down=np.moveaxis(fall_destinations(state.s_down), 0, -1),
    )
    return np.asarray(forward_recursion(kernel, start, False).reached(target)[-1, :, 0])


def entry_chance(state: NewStatePredictive, *, target: int = 4) -> Floats:
    """Monthly P(a rise that ends at `target` or above), [level < target, pressure no/yes, fresh no/yes, draw]."""
    closed = np.full((1, state.phi.size), -np.inf)
    pressed, fresh = np.array([[[0.0]], [[1.0]]]), np.array([[0.0], [1.0]])
    up = state.rise_odds.T[:target, None, None] + pressed * state.pi_rise
    down = np.concatenate([closed, state.fall_odds.T])[:target, None, None] + pressed * state.pi_fall + fresh * state.phi
    rise = np.exp(up - np.logaddexp(np.logaddexp(0, up), down))
    onward = [np.prod(state.s[:, j : target - 1], axis=1) for j in range(target)]  # through j + 1 .. target − 1
    return np.asarray(rise * np.array(onward)[:, None, None])
