"""Model 5, tolerance: monthly rises and falls of the ladder, given pressure, overdoses, opposition and slow drift.

    θ_t = α_g(t) + β_O1 log2(deaths_{t−1}/3000) + β_O2 (x_{t−1} − x_{t−13}) − β_D (d_{t−1} + λ E_{t−1}) + u_t
    (rise : stay : fall) from level j has log-odds (a_j + θ_t + π⁺ ℓ_{t−1} : 0 : b_j − θ_t + π⁻ ℓ_{t−1} + φ r_{t−1})

Every prior is standardised (value = location + scale · z), so that its constants are data: one compiled function serves every
reading, prior edit, origin and simulated history. A scale of zero switches a term off.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from forecast.arrays.ladder import N_LEVELS
from forecast.domain import FIRST_MONTH, TOP
from forecast.model.outside_view import fall_logit, rise_logit
from forecast.model.tolerance_data import ADMINISTRATIONS, History, TolerancePriors, model_data, slots

_LN2 = float(np.log(2.0))


def build_model(history: History, priors: TolerancePriors) -> pm.Model:
    """Model 5 for one history. Dims: month, level, from_rise (0..4), from_fall (1..5), administration, knot. Pure: no sampling.

    >>> model = build_model(result.origin_state.histories["main"], tolerance_priors(result.origin_state.priors))
    >>> "leverage_effect" in model.named_vars, model.dim_lengths["from_rise"].eval().item()
    (True, 5)
    """
    n_months, n_knots = slots(history.drivers.origin)
    coords: Mapping[str, list[str] | list[int]] = {
        "month": list(range(n_months)),
        "from_rise": list(range(TOP)),
        "from_fall": list(range(1, N_LEVELS)),
        "administration": list(range(ADMINISTRATIONS)),
        "knot": [f"{FIRST_MONTH // 12 + k}-01" for k in range(n_knots)],
    }
    with pm.Model(coords=coords) as model:
        data = {name: pm.Data(name, value) for name, value in model_data(history, priors).items()}
        prior = {name.removeprefix("prior_"): value for name, value in data.items() if name.startswith("prior_")}

        # the ladder, in a forecaster's terms
        logit_rise = _normal("logit_rise", prior["rise"].T, dims="from_rise")
        log_stay = _normal("log_stay", prior["stay"].T, dims="from_fall")
        a = rise_logit(logit_rise)
        b = fall_logit(log_stay)

        # effects
        pi_up = _normal("leverage_effect", prior["leverage"])
        free_down = _normal("leverage_effect_on_falls_free", prior["leverage_on_falls"])
        pi_down = pm.Deterministic("leverage_effect_on_falls", pt.switch(prior["symmetric"] > 0.5, -pi_up, free_down))
        phi = _normal("just_risen_effect", prior["just_risen"])
        beta_level = _normal("overdose_level_effect", prior["overdose_level"])
        beta_change = _normal("overdose_change_effect", prior["overdose_change"])
        beta_opposed = _normal("opposition_effect", prior["opposition"])
        lam = _half_normal("opposition_mobilisation", prior["mobilisation_sd"])

        # who governs, and slow drift
        sd_alpha = _half_normal("administration_sd", prior["administration_sd"])
        z_alpha = pm.Normal("administration_z", dims="administration")
        alpha = pm.Deterministic("administration_effect", sd_alpha * z_alpha, dims="administration")
        sd_u = _half_normal("drift_sd", prior["drift_sd"])
        log_half = prior["half_life"][0] + prior["half_life"][1] * pm.Normal("drift_half_life_z")
        half_life = pm.Deterministic("drift_half_life", prior["half_life"][2] + pt.exp(log_half))
        z_u = pm.Normal("drift_z", dims="knot")
        u = pm.Deterministic("drift", sd_u * pt.dot(_ar1_factor(half_life, data["knot_lag"]), z_u), dims="knot")

        theta = (
            alpha[data["in_office"]]
            + beta_level * data["log2_deaths"]
            + beta_change * data["change"]
            - beta_opposed * (data["opposition"] + lam * data["mobilised"])
            + pt.dot(data["knot_weights"], u)
        )
        never = pt.as_tensor(np.array([-1e9]))
        a_from = pt.concatenate([a, never])[data["level"]]
        b_from = pt.concatenate([never, b])[data["level"]]
        up = a_from + theta + pi_up * data["pressure"]
        down = b_from - theta + pi_down * data["pressure"] + phi * data["just_risen"]
        log_lik = data["rose"] * pt.switch(data["rose"] > 0, up, 0.0) + data["fell"] * pt.switch(data["fell"] > 0, down, 0.0)
        log_lik = log_lik - data["used"] * pt.logaddexp(pt.logaddexp(0.0, up), down)
        pm.Potential("transitions", log_lik.sum())
    return model


def _normal(name: str, constants: pt.TensorVariable, dims: str | None = None) -> pt.TensorVariable:
    """A normal by its constants (location, scale)."""
    z = pm.Normal(f"{name}_z", dims=dims)
    return pm.Deterministic(name, constants[0] + constants[1] * z, dims=dims)


def _half_normal(name: str, scale: pt.TensorVariable) -> pt.TensorVariable:
    return pm.Deterministic(name, scale * pm.HalfNormal(f"{name}_z"))


def _ar1_factor(half_life: pt.TensorVariable, lag: pt.TensorVariable) -> pt.TensorVariable:
    """[knots, knots] from lags in years: what turns standard normals into a stationary AR(1) of unit marginal sd at yearly knots."""
    rho = pt.exp(-_LN2 * 12.0 / half_life)
    powers = pt.switch(lag >= 0, rho ** pt.maximum(lag, 0.0), 0.0)
    innovation = pt.sqrt(1.0 - rho**2)
    return pt.concatenate([powers[:, :1], powers[:, 1:] * innovation], axis=1)
