"""Model 5 as a textbook would write it: parameters on their own scales, random effects and drift centred, in PyMC.

It is the same model as `forecast/model/tolerance.py`: `tests/benchmarks/test_slow_models.py` compares the densities.
"""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from forecast.arrays.decay import knot_weights
from forecast.domain import TOP
from forecast.model.outside_view import fall_logit, rise_logit
from forecast.model.tolerance_data import ADMINISTRATIONS, History, TolerancePriors, slots

DRIFT = "drift"


def textbook_model(history: History, priors: TolerancePriors) -> pm.Model:
    """The model of one history; its variables have the names and shapes of `build_model`'s."""
    n_knots = slots(history.drivers.origin)[1]
    y, d = history.levels, history.drivers
    before = y[:-1]
    with pm.Model() as model:
        logit_rise = pm.Normal("logit_rise", priors.rise[:, 0], priors.rise[:, 1], shape=TOP)
        log_stay = pm.Normal("log_stay", priors.stay[:, 0], priors.stay[:, 1], shape=TOP)
        on_rises = pm.Normal("leverage_effect", *priors.leverage)
        on_falls = pm.Normal("leverage_effect_on_falls", *priors.leverage_on_falls)
        just_risen = pm.Normal("just_risen_effect", *priors.just_risen)
        level_effect = pm.Normal("overdose_level_effect", *priors.overdose_level)
        change_effect = pm.Normal("overdose_change_effect", *priors.overdose_change)
        opposition = pm.Normal("opposition_effect", *priors.opposition)
        mobilisation = pm.HalfNormal("opposition_mobilisation", priors.mobilisation_sd)

        administration_sd = pm.HalfNormal("administration_sd", priors.administration_sd)
        administration = pm.Normal("administration_effect", 0.0, administration_sd, shape=ADMINISTRATIONS)
        drift_sd = pm.HalfNormal("drift_sd", priors.drift_sd)
        log_half_life = pm.Normal("log_half_life", priors.half_life[0], priors.half_life[1])
        half_life = pm.Deterministic("drift_half_life", priors.half_life[2] + pt.exp(log_half_life))
        rho = pt.exp(-np.log(2.0) * 12.0 / half_life)
        drift = pm.AR(
            DRIFT, rho=rho[None], sigma=drift_sd * pt.sqrt(1.0 - rho**2), init_dist=pm.Normal.dist(0.0, drift_sd, shape=1),
            steps=n_knots - 1, shape=n_knots,
        )  # fmt: skip

        weights = knot_weights(slots(history.drivers.origin)[0], n_knots)[1 : len(y)]
        theta = administration[d.administration[1:]] + pt.dot(weights, drift)
        theta = theta + level_effect * d.log2_deaths[:-1] + change_effect * d.change[:-1]
        theta = theta - opposition * (d.opposition[:-1] + mobilisation * d.mobilisation[:-1])
        never = np.array([-1e9])
        up = pt.concatenate([rise_logit(logit_rise), never])[before] + theta + on_rises * d.pressure[:-1]
        down = pt.concatenate([never, fall_logit(log_stay)])[before] - theta + on_falls * d.pressure[:-1]
        down = down + just_risen * history.just_risen[:-1]
        moved = pt.switch(y[1:] > before, up, pt.switch(y[1:] < before, down, 0.0))
        pm.Potential("transitions", pt.sum(moved - pt.logaddexp(pt.logaddexp(0.0, up), down)))
    return model
