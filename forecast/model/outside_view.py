"""Model 1, the outside view: the monthly transitions of other states under US pressure.

From level j of state s a month has the log-odds  rise : stay : fall  =

    a_j + ε⁺_s + π⁺ p  :  0  :  b_j + ε⁻_s + π⁻ p + φ r,      ε⁺_s, ε⁻_s ~ N(0, σ)

with p = 1 under an open US request or threat and r = 1 just after a rise; no fall at 0, no rise at 5. The parameters are q_j, the 12-month
probability of a rise ignoring falls, for a_j, and m_j, the median months before a fall ignoring rises, for b_j. Where a rise or a fall ends
is modelled by skips, which are conjugate and outside the sampler: s_i, s′_i ~ Beta(1 + went on, 1 + stopped).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from forecast.domain import TOP
from forecast.model.outside_view_data import TransitionCounts
from forecast.typing import Floats

CELL: Final = ("state", "level", "pressure", "just_risen")
KEPT: Final = ("logit_q", "log_m", "just_risen_effect", "pressure_on_rises", "pressure_on_falls", "sigma", "effect_rise", "effect_fall")
"""Variables that a fit keeps. ε is kept and diagnosed, not ε/σ, whose sign is not identified (see below)."""


def build_outside_view(states: Sequence[str]) -> pm.Model:
    """The model of `states`, without data: the counts have a fixed shape, so that one compiled function serves every class.

    Data `rise`, `stay`, `fall`, dims (state, level, pressure, just_risen): give `observed(counts)`. Kept: `logit_q` (rise_from 0..4),
    `log_m` (fall_from 1..5, log months), `just_risen_effect` φ, `pressure_on_rises` π⁺, `pressure_on_falls` π⁻, `sigma`, `effect_rise` and
    `effect_fall` (state). The effects are not centred, as most states have a transition or two. σ ~ HN(1) enters as |τ|, τ ~ N(0, 1), and
    ε = τ z, which is the same model; on the log scale σ has much of its mass on a long slope towards 0, and the effective sample is half as
    large.
    """
    coords = {
        "state": list(states),
        "level": range(TOP + 1),
        "pressure": ["none", "open"],
        "just_risen": ["no", "yes"],
        "rise_from": range(TOP),
        "fall_from": range(1, TOP + 1),
    }
    with pm.Model(coords=coords) as model:
        empty = np.zeros((len(states), TOP + 1, 2, 2))
        rise, stay, fall = (pm.Data(name, empty, dims=CELL) for name in ("rise", "stay", "fall"))
        logit_q = pm.Normal("logit_q", -3, 1.5, dims="rise_from")
        log_m = pm.Normal("log_m", math.log(60), 1.5, dims="fall_from")
        phi = pm.Normal("just_risen_effect", 0, 2)
        pi_rise = pm.Normal("pressure_on_rises", 0, 2)
        pi_fall = pm.Normal("pressure_on_falls", 0, 2)
        tau = pm.Normal("tau", 0, 1)
        pm.Deterministic("sigma", abs(tau))
        effect_rise = pm.Deterministic("effect_rise", tau * pm.Normal("z_rise", 0, 1, dims="state"), dims="state")
        effect_fall = pm.Deterministic("effect_fall", tau * pm.Normal("z_fall", 0, 1, dims="state"), dims="state")

        pressed, just_risen = np.array([[0.0], [1.0]]), np.array([0.0, 1.0])
        up = rise_logit(logit_q)[None, :, None, None] + effect_rise[:, None, None, None] + pi_rise * pressed
        down = fall_logit(log_m)[None, :, None, None] + effect_fall[:, None, None, None] + pi_fall * pressed + phi * just_risen
        pm.Potential("transitions", _log_likelihood(rise, stay, fall, up, down))
    return model


def observed(counts: TransitionCounts) -> dict[str, Floats]:
    """The values of the model's data for these counts."""
    return {"rise": counts.rise.astype(float), "stay": counts.stay.astype(float), "fall": counts.fall.astype(float)}


def rise_logit(logit_q: TensorVariable) -> TensorVariable:
    """Monthly log-odds a of a rise from the logit of its 12-month probability; finite for probabilities near one."""
    c = -pt.softplus(logit_q) / 12.0  # log(1 − q)/12, the log-probability of no rise in a month
    return pt.log(-pt.expm1(c)) - c


def fall_logit(log_m: TensorVariable) -> TensorVariable:
    """Monthly log-odds b of a fall from the log of its median months."""
    x = math.log(2) * pt.exp(-log_m)
    return x + pt.log(-pt.expm1(-x))  # the naive logit overflows for short stays


def _log_likelihood(
    rise: TensorVariable, stay: TensorVariable, fall: TensorVariable, up: TensorVariable, down: TensorVariable
) -> TensorVariable:
    """Σ counts · log probabilities. `up` holds levels 0..4 and `down` 1..5, so impossible transitions never enter."""
    up_shape = up + pt.zeros_like(rise[:, :-1])
    bottom = -pt.softplus(up_shape[:, :1])
    between = -pt.logaddexp(pt.softplus(up_shape[:, 1:]), down[:, :-1])
    top = -pt.softplus(down[:, -1:])
    log_stay = pt.concatenate([bottom, between, top], axis=1)
    return pt.sum((rise + stay + fall) * log_stay) + pt.sum(rise[:, :-1] * up_shape) + pt.sum(fall[:, 1:] * down)
