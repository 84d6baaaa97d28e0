"""Model 1, the outside view: the kernel of tolerance fitted to what other states did under US pressure.

From level j of state s a month has the log-odds  rise : stay : fall  =

    a_j + ε⁺_s + π⁺ p  :  0  :  b_j + ε⁻_s + π⁻ p + φ r,      ε⁺_s, ε⁻_s ~ N(0, σ)

with p = 1 under an open US request or threat and r = 1 just after a rise; no fall at 0, no rise at 5. a_j and b_j are stated as q_j, the
12-month probability of a rise ignoring falls, and m_j, the median months before a fall ignoring rises. Where a rise or fall ends is decided by
skips, conjugate and outside the sampler: s_i, s′_i ~ Beta(1 + went on, 1 + stopped).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from forecast.domain import TOP
from forecast.model.outside_view_data import Counts

type Floats = NDArray[np.float64]
type Fit = Callable[[Mapping[str, Floats], int], xr.Dataset]
"""Sample the compiled model with these values of its data and this seed; the posterior with dims chain, draw."""

CELL: Final = ("state", "level", "pressure", "fresh")


def build_outside_view(states: Sequence[str]) -> pm.Model:
    """The model of `states` with no month observed yet: counts are data of fixed shape, so every class is served by one compiled function.

    Data `rise`, `stay`, `fall`, dims (state, level, pressure, fresh), from `observed`. Free: `logit_q` (rise_from 0..4), `log_m` (fall_from
    1..5, months), `fresh_effect` φ, `pressure_on_rises` π⁺, `pressure_on_falls` π⁻, `sigma`, `z_rise` and `z_fall` (state; non-centred, since
    most states have one or two transitions).
    """
    coords = {
        "state": list(states),
        "level": range(TOP + 1),
        "pressure": ["none", "open"],
        "fresh": ["no", "yes"],
        "rise_from": range(TOP),
        "fall_from": range(1, TOP + 1),
    }
    with pm.Model(coords=coords) as model:
        empty = np.zeros((len(states), TOP + 1, 2, 2))
        rise, stay, fall = (pm.Data(name, empty, dims=CELL) for name in ("rise", "stay", "fall"))
        logit_q = pm.Normal("logit_q", -3, 1.5, dims="rise_from")
        log_m = pm.Normal("log_m", math.log(60), 1.5, dims="fall_from")
        phi = pm.Normal("fresh_effect", 0, 2)
        pi_rise = pm.Normal("pressure_on_rises", 0, 2)
        pi_fall = pm.Normal("pressure_on_falls", 0, 2)
        sigma = pm.HalfNormal("sigma", 1)
        state_rise = sigma * pm.Normal("z_rise", 0, 1, dims="state")
        state_fall = sigma * pm.Normal("z_fall", 0, 1, dims="state")

        pressed, fresh = np.array([0.0, 1.0])[:, None], np.array([0.0, 1.0])
        up = _a(logit_q)[None, :, None, None] + state_rise[:, None, None, None] + pi_rise * pressed
        down = _b(log_m)[None, :, None, None] + state_fall[:, None, None, None] + pi_fall * pressed + phi * fresh
        up, down = up + 0 * fresh, down + 0 * fresh  # both of the shape of a cell
        pm.Potential("transitions", _log_likelihood(rise, stay, fall, up, down))
    return model


def observed(counts: Counts) -> dict[str, Floats]:
    """The values of the model's data for these counts."""
    return {"rise": counts.rise.astype(float), "stay": counts.stay.astype(float), "fall": counts.fall.astype(float)}


def _a(logit_q: TensorVariable) -> TensorVariable:
    c = -pt.softplus(logit_q) / 12  # log(1 − q)/12, the log of staying a month
    return pt.log(-pt.expm1(c)) - c


def _b(log_m: TensorVariable) -> TensorVariable:
    x = math.log(2) * pt.exp(-log_m)
    return x + pt.log(-pt.expm1(-x))


def _log_likelihood(rise: TensorVariable, stay: TensorVariable, fall: TensorVariable, up: TensorVariable, down: TensorVariable) -> TensorVariable:
    """Σ counts · log probabilities; `up` is of levels 0..4 and `down` of 1..5, so what cannot happen never enters."""
    bottom = -pt.softplus(up[:, :1])
    top = -pt.softplus(down[:, -1:])
    between = -pt.logaddexp(pt.softplus(up[:, 1:]), down[:, :-1])
    still = pt.concatenate([bottom, between, top], axis=1)  # log P(stay)
    months = rise + stay + fall
    return pt.sum(months * still) + pt.sum(rise[:, :-1] * up) + pt.sum(fall[:, 1:] * down)


@dataclass(frozen=True, slots=True)
class NewState:
    """Draws for a state not in the class, its own effects included; first axis: draw.

    q: 12-month probability of a rise from 0..4; m: median months before a fall from 1..5; s, s_down: probability of going on through 1..4;
    phi, pi_rise, pi_fall, sigma: as in the model. All without pressure, and φ, π⁺, π⁻ on top.
    """

    q: Floats
    m: Floats
    s: Floats
    s_down: Floats
    phi: Floats
    pi_rise: Floats
    pi_fall: Floats
    sigma: Floats

    @property
    def rise_odds(self) -> Floats:
        """Log-odds of a rise against staying, from 0..4."""
        c = np.log1p(-self.q) / 12
        return np.asarray(np.log(-np.expm1(c)) - c)

    @property
    def fall_odds(self) -> Floats:
        """Log-odds of a fall against staying, from 1..5."""
        x = math.log(2) / self.m
        return np.asarray(x + np.log(-np.expm1(-x)))


def new_state(posterior: xr.Dataset, counts: Counts, seed: int) -> NewState:
    """Predict a state that was not observed: each draw gets effects of its own from N(0, σ), and skips from their conjugate posterior."""
    rng = np.random.default_rng(seed)
    flat = {str(k): np.asarray(v.stack(sample=("chain", "draw")).transpose("sample", ...)) for k, v in posterior.data_vars.items()}
    sigma = flat["sigma"]
    n = sigma.size
    a = rise_odds(flat["logit_q"]) + (sigma * rng.standard_normal(n))[:, None]
    b = fall_odds(flat["log_m"]) + (sigma * rng.standard_normal(n))[:, None]
    return NewState(
        q=-np.expm1(-12 * np.logaddexp(0, a)),
        m=math.log(2) / np.logaddexp(0, b),
        s=rng.beta(1 + counts.went_up, 1 + counts.stopped_up, (n, TOP - 1)),
        s_down=rng.beta(1 + counts.went_down, 1 + counts.stopped_down, (n, TOP - 1)),
        phi=flat["fresh_effect"],
        pi_rise=flat["pressure_on_rises"],
        pi_fall=flat["pressure_on_falls"],
        sigma=sigma,
    )


def rise_odds(logit_q: Floats) -> Floats:
    """a_j, the monthly log-odds of a rise against staying that gives the 12-month probability q_j."""
    c = -np.logaddexp(0, logit_q) / 12
    return np.asarray(np.log(-np.expm1(c)) - c)


def fall_odds(log_m: Floats) -> Floats:
    """b_j, the monthly log-odds of a fall against staying that gives a median of m_j months."""
    x = math.log(2) * np.exp(-log_m)
    return np.asarray(x + np.log(-np.expm1(-x)))
