"""Draws of model 5's parameters, from its posterior or its prior, in the form that the recursion takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecast.arrays import ladder
from forecast.arrays.decay import knot_weights
from forecast.arrays.transforms import expit
from forecast.domain import FIRST_MONTH, Month
from forecast.typing import Floats

if TYPE_CHECKING:
    import xarray as xr

    from forecast.forecasting.driver_paths import DriverPaths
    from forecast.model.tolerance_data import Drivers, History, TolerancePriors


@dataclass(frozen=True)
class ParameterDraws:
    """S draws of model 5's parameters. All effects are on log-odds.

    logit_rise         [S, 5] logit of the 12-month probability q of a rise from levels 0..4
    log_stay           [S, 5] log of the median months m before a fall from levels 1..5
    leverage           [S] effect π⁺ of pressure on rises
    leverage_on_falls  [S] effect π⁻ of pressure on falls
    just_risen         [S] φ, added to a fall in the month after a rise
    overdose_level     [S] effect β_O1 of log2(deaths/3000)
    overdose_change    [S] effect β_O2 of the change of log deaths over a year
    opposition         [S] effect β_D of opposition
    mobilisation       [S] λ, the weight of mobilisation within opposition
    administration_sd  [S] sd of the administrations' effects
    alpha              [S, administrations] effects of the administrations
    drift_sd           [S] sd of the drift
    half_life          [S] half-life of the drift in months
    drift              [S, knots] drift u at the start of each year
    skip_up            [S, 4] probability that a rise goes on through levels 1..4
    skip_down          [S, 4] probability that a fall goes on through levels 1..4
    """

    logit_rise: Floats
    log_stay: Floats
    leverage: Floats
    leverage_on_falls: Floats
    just_risen: Floats
    overdose_level: Floats
    overdose_change: Floats
    opposition: Floats
    mobilisation: Floats
    administration_sd: Floats
    alpha: Floats
    drift_sd: Floats
    half_life: Floats
    drift: Floats
    skip_up: Floats
    skip_down: Floats

    @property
    def size(self) -> int:
        return len(self.leverage)

    def rise_logits(self) -> Floats:
        """a_j by draw, [6, S]; −inf at the top."""
        a = ladder.rise_logit(expit(self.logit_rise)).T
        return np.concatenate([a, np.full((1, self.size), -np.inf)])

    def fall_logits(self) -> Floats:
        """b_j by draw, [6, S]; −inf at the bottom."""
        b = ladder.fall_logit(np.exp(self.log_stay)).T
        return np.concatenate([np.full((1, self.size), -np.inf), b])

    def drift_at(self, months: NDArray[np.int_]) -> Floats:
        """u by draw and month, [S, months]; months counted as Month."""
        weights = knot_weights(12 * (self.drift.shape[1] - 1), self.drift.shape[1])
        return np.asarray(self.drift @ weights[months - FIRST_MONTH].T)

    def tolerance(self, slow: Floats, drivers: DriverPaths | Drivers, seen: Callable[[Floats], Floats]) -> Floats:
        """θ, added to the log-odds of rises and subtracted from those of falls.

        slow: effects of administrations and drift, [..., S, n]. seen: brings a series of the drivers to the shape of `slow`.
        """

        def by_draw(values: Floats) -> Floats:  # [S] → [S, 1]
            return values[:, None]

        opposed = seen(drivers.opposition) + by_draw(self.mobilisation) * seen(drivers.mobilisation)
        return (
            slow
            + by_draw(self.overdose_level) * seen(drivers.log2_deaths)
            + by_draw(self.overdose_change) * seen(drivers.change)
            - by_draw(self.opposition) * opposed
        )

    def take(self, index: NDArray[np.int_]) -> ParameterDraws:
        return ParameterDraws(**{k: v[index] for k, v in self.__dict__.items()})


POSTERIOR_NAMES = {
    "logit_rise": "logit_rise", "log_stay": "log_stay", "leverage": "leverage_effect",
    "leverage_on_falls": "leverage_effect_on_falls", "just_risen": "just_risen_effect", "overdose_level": "overdose_level_effect",
    "overdose_change": "overdose_change_effect", "opposition": "opposition_effect", "mobilisation": "opposition_mobilisation",
    "administration_sd": "administration_sd", "alpha": "administration_effect", "drift_sd": "drift_sd",
    "half_life": "drift_half_life", "drift": "drift",
}  # fmt: skip
"""Field of ParameterDraws → variable of the posterior."""


def from_posterior(posterior: xr.Dataset, skip_up: Floats, skip_down: Floats, each: int, rng: np.random.Generator) -> ParameterDraws:
    """`each` evenly spaced draws of every chain, chain after chain, with skips from their conjugate posteriors Beta [4, 2]."""
    n_chains, n_draws = posterior.sizes["chain"], posterior.sizes["draw"]
    chosen = np.linspace(0, n_draws - 1, each).round().astype(int)
    fields = {}
    for field, name in POSTERIOR_NAMES.items():
        values = posterior[name].transpose("chain", "draw", ...).values[:, chosen]
        fields[field] = np.asarray(values, float).reshape(n_chains * each, *values.shape[2:])
    return ParameterDraws(**fields, **_skips(skip_up, skip_down, n_chains * each, rng))


def from_prior(priors: TolerancePriors, origin: Month, size: int, rng: np.random.Generator) -> ParameterDraws:
    """Independent draws from the prior of every parameter of model 5, skips included."""
    from forecast.model.tolerance_data import ADMINISTRATIONS, slots

    _, n_knots = slots(origin)

    def normal(constants: Floats) -> Floats:
        return np.asarray(constants[0] + constants[1] * rng.standard_normal(size))

    def half(sd: float) -> Floats:
        return np.abs(sd * rng.standard_normal(size))

    up, free = normal(priors.leverage), normal(priors.leverage_on_falls)
    half_life = priors.half_life[2] + np.exp(normal(priors.half_life))
    sd_a, sd_u = half(priors.administration_sd), half(priors.drift_sd)
    return ParameterDraws(
        logit_rise=priors.rise[:, 0] + priors.rise[:, 1] * rng.standard_normal((size, 5)),
        log_stay=priors.stay[:, 0] + priors.stay[:, 1] * rng.standard_normal((size, 5)),
        leverage=up,
        leverage_on_falls=-up if priors.symmetric else free,
        just_risen=normal(priors.just_risen),
        overdose_level=normal(priors.overdose_level),
        overdose_change=normal(priors.overdose_change),
        opposition=normal(priors.opposition),
        mobilisation=half(priors.mobilisation_sd),
        administration_sd=sd_a,
        alpha=sd_a[:, None] * rng.standard_normal((size, ADMINISTRATIONS)),
        drift_sd=sd_u,
        half_life=half_life,
        drift=sd_u[:, None] * _stationary_walk(half_life, n_knots, rng),
        **_skips(priors.skip_up, priors.skip_down, size, rng),
    )


def skip_posterior(constants: TolerancePriors, history: History) -> tuple[Floats, Floats, tuple[Floats, Floats]]:
    """Beta parameters [4, 2] of going on, up and down, after the history; and the counts. A prior of zero stays: never."""
    up, down = ladder.skip_counts(history.levels)
    after = [np.where(prior[:, :1] > 0, prior + seen, prior) for prior, seen in ((constants.skip_up, up), (constants.skip_down, down))]
    return after[0], after[1], (up, down)


def _skips(up: Floats, down: Floats, size: int, rng: np.random.Generator) -> dict[str, Floats]:
    return {name: _beta(rng, prior, size) for name, prior in (("skip_up", up), ("skip_down", down))}


def _beta(rng: np.random.Generator, constants: Floats, size: int) -> Floats:
    """[size, 4]; a first parameter of zero means: never goes on."""
    never = constants[:, 0] <= 0
    draws = rng.beta(np.where(never, 1.0, constants[:, 0]), constants[:, 1], (size, 4))
    return np.where(never, 0.0, draws)


def _stationary_walk(half_life: Floats, n: int, rng: np.random.Generator) -> Floats:
    """[S, n]: a stationary AR(1) of unit variance at yearly steps, from its half-life in months."""
    rho = 2.0 ** (-12.0 / half_life)
    z = rng.standard_normal((len(half_life), n))
    out = np.empty_like(z)
    out[:, 0] = z[:, 0]
    for k in range(1, n):
        out[:, k] = rho * out[:, k - 1] + np.sqrt(1.0 - rho**2) * z[:, k]
    return out
