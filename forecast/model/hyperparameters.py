"""The hyperparameters of the models, from the named priors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from forecast.domain import CHANNELS, TOP
from forecast.model.events import ElasticityPriors
from forecast.model.leverage import LeverageSettings
from forecast.model.tolerance_data import TolerancePriors
from forecast.priors.distributions import HalfNormal, LogNormal, Normal, Quantiles
from forecast.priors.load import Priors
from forecast.priors.outside_view import as_beta, rise_after_selection, skip_after_selection
from forecast.typing import Floats

if TYPE_CHECKING:
    from forecast.data.settings import Scales

type Direction = Literal["up", "down"]


def tolerance_priors(priors: Priors) -> TolerancePriors:
    """The constants of model 5. The selection factor is applied: comparable states were chosen because something happened there."""
    rise = np.array([_located(priors, f"ladder.rise.{j}") for j in range(TOP)])
    rise[3] = rise_after_selection(priors)
    skip_up = _skips(priors, "up")
    through_3 = skip_after_selection(priors)
    skip_up[2] = through_3.a, through_3.b
    return TolerancePriors(
        rise=rise,
        stay=np.array([_located(priors, f"ladder.stay.{j}") for j in range(1, TOP + 1)]),
        leverage=_normal(priors, "leverage.effect"),
        leverage_on_falls=_normal(priors, "leverage.effect_on_falls"),
        just_risen=_normal(priors, "ladder.just_risen"),
        overdose_level=_normal(priors, "overdose.level_effect"),
        overdose_change=_normal(priors, "overdose.change_effect"),
        opposition=_normal(priors, "opposition.effect"),
        mobilisation_sd=_half(priors, "opposition.mobilisation"),
        administration_sd=_half(priors, "administration.sd"),
        drift_sd=_half(priors, "drift.sd"),
        half_life=_log_normal(priors, "drift.half_life"),
        skip_up=skip_up,
        skip_down=_skips(priors, "down"),
    )


def leverage_settings(priors: Priors, scales: Scales) -> LeverageSettings:
    return leverage_settings_at(priors, scales.leverage)


def leverage_settings_at(priors: Priors, scale: float) -> LeverageSettings:
    weights = priors.parts("leverage.weights")
    e, d, s = (weights[c] for c in CHANNELS)
    he, hd, hs = (priors.value(f"leverage.half_life.{c}") for c in CHANNELS)
    return LeverageSettings((e, d, s), (he, hd, hs), scale)


def elasticity_priors(priors: Priors) -> ElasticityPriors:
    demand, sufficiency, backlash = (
        (float(mean), float(sd)) for mean, sd in (_normal(priors, f"events.{n}") for n in ("demand", "sufficiency", "backlash"))
    )
    return ElasticityPriors(demand, sufficiency, backlash)


def _located(priors: Priors, name: str) -> tuple[float, float]:
    spec = priors.spec(name)
    if not isinstance(spec, Quantiles):
        raise TypeError(f"{name} must be stated as quantiles, not {spec}")
    return spec.location, spec.sd


def _normal(priors: Priors, name: str) -> Floats:
    spec = priors.spec(name)
    if not isinstance(spec, Normal):
        raise TypeError(f"{name} must be a Normal, not {spec}")
    return np.array([spec.mean, spec.sd])


def _half(priors: Priors, name: str) -> float:
    spec = priors.spec(name)
    if not isinstance(spec, HalfNormal):
        raise TypeError(f"{name} must be a HalfNormal, not {spec}")
    return spec.sd


def _log_normal(priors: Priors, name: str) -> Floats:
    spec = priors.spec(name)
    if not isinstance(spec, LogNormal):
        raise TypeError(f"{name} must be a LogNormal, not {spec}")
    return np.array([np.log(spec.median), spec.sd, spec.shift])


def _skips(priors: Priors, direction: Direction) -> Floats:
    """[4, 2] Beta parameters of going on through levels 1..4."""
    betas = [as_beta(priors, f"ladder.skip_{direction}.{i}") for i in range(1, TOP)]
    return np.array([(beta.a, beta.b) for beta in betas])
