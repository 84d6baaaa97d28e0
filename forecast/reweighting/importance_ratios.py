"""Log ratios of target over proposal for draws of model 5: of prior densities, and of the likelihood of the record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import DTypeLike

from forecast.arrays.decay import with_persistence, yearly_persistence
from forecast.arrays.transforms import expit, logit
from forecast.domain import FIRST_MONTH, TOP
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.forecasting.predictive_checks import transition_log_odds
from forecast.model.events import STREAMS, predictors
from forecast.model.tolerance_data import Drivers, History
from forecast.priors.distributions import Beta, Distribution, LogNormal, Normal, Quantiles
from forecast.priors.load import Priors
from forecast.priors.outside_view import RISE, SKIP, as_beta, rise_after_selection, skip_after_selection
from forecast.typing import Floats

if TYPE_CHECKING:
    from forecast.forecasting.driver_paths import DriverPaths
    from forecast.forecasting.origin_state import OriginState

EDGE: Final = 1e-7
"""How near a skip may come to 0 and 1: single precision rounds it to them, where a Beta has no density."""

PARAMETER_FIELDS: Final[Mapping[str, tuple[str, int | None]]] = {
    **{f"ladder.rise.{j}": ("logit_rise", j) for j in range(TOP)},
    **{f"ladder.stay.{j}": ("log_stay", j - 1) for j in range(1, TOP + 1)},
    "leverage.effect": ("leverage", None),
    "leverage.effect_on_falls": ("leverage_on_falls", None),
    "ladder.just_risen": ("just_risen", None),
    "overdose.level_effect": ("overdose_level", None),
    "overdose.change_effect": ("overdose_change", None),
    "opposition.effect": ("opposition", None),
    "opposition.mobilisation": ("mobilisation", None),
    "administration.sd": ("administration_sd", None),
    "drift.sd": ("drift_sd", None),
    "drift.half_life": ("half_life", None),
    **{f"ladder.skip_{direction}.{i}": (f"skip_{direction}", i - 1) for direction in ("up", "down") for i in range(1, TOP)},
}
"""Named prior → its field in the draws, and the column; on the scale of the model (logit of a rise, log of a stay)."""


def _reader(field: str, column: int | None) -> Callable[[ParameterDraws], Floats]:
    return lambda draws: np.asarray(getattr(draws, field) if column is None else getattr(draws, field)[:, column])


PARAMETER_READERS: Final[Mapping[str, Callable[[ParameterDraws], Floats]]] = {
    name: _reader(*place) for name, place in PARAMETER_FIELDS.items()
}
"""Named prior → its parameter [S] among the draws."""


def to_own_unit(name: str, values: Floats) -> Floats:
    """From the scale of the model to the unit of the prior."""
    field = PARAMETER_FIELDS[name][0]
    return expit(values) if field == "logit_rise" else np.exp(values) if field == "log_stay" else values


def to_model_scale(name: str, value: float) -> float:
    """From the unit of the prior to the scale of the model."""
    field = PARAMETER_FIELDS[name][0]
    return float(logit(value)) if field == "logit_rise" else float(np.log(value)) if field == "log_stay" else value


def with_parameters(draws: ParameterDraws, changes: Mapping[str, Floats]) -> ParameterDraws:
    """The draws with parameters replaced: named prior → values [S] on the scale of the model.

    What a parameter scales moves with it: administrations with their sd, the drift with its sd and half-life, as many sds out as before.
    """
    out: dict[str, Floats] = {}
    for name, values in changes.items():
        field, column = PARAMETER_FIELDS[name]
        if column is None:
            out[field] = values
        else:
            out.setdefault(field, getattr(draws, field).copy())[:, column] = values
    if "administration_sd" in out:
        out["alpha"] = draws.alpha * _ratio(out["administration_sd"], draws.administration_sd)[:, None]
    if "half_life" in out:
        out["drift"] = with_persistence(draws.drift, yearly_persistence(draws.half_life), yearly_persistence(out["half_life"]))
    if "drift_sd" in out:
        out["drift"] = out.get("drift", draws.drift) * _ratio(out["drift_sd"], draws.drift_sd)[:, None]
    return replace(draws, **out)


def with_parameter_fixed(draws: ParameterDraws, name: str, value: float) -> ParameterDraws:
    """The draws with one parameter at a value, in the unit of its prior, in all of them."""
    return with_parameters(draws, {name: np.full(draws.size, to_model_scale(name, value))})


def _ratio(after: Floats, before: Floats) -> Floats:
    return np.where(before > 0, after / np.where(before > 0, before, 1.0), 1.0)


def skip_prior(priors: Priors, name: str) -> Beta:
    """The prior of a skip as the model has it, the selection factor applied."""
    return skip_after_selection(priors) if name == SKIP else as_beta(priors, name)


def model_prior(priors: Priors, name: str) -> Distribution:
    """The prior of a parameter on the scale of the model: normal for rises (logit) and stays (log), the selection factor applied."""
    if name == RISE:
        return Normal(*rise_after_selection(priors))
    if name.startswith("ladder.skip"):
        return skip_prior(priors, name)
    spec = priors.distribution(name)
    return Normal(spec.location, spec.sd) if isinstance(spec, Quantiles) else spec


def log_ratio(draws: ParameterDraws, old: Priors, new: Priors, names: Collection[str]) -> Floats:
    """Log of the new over the old prior density of the named parameters, by draw [S]."""
    total = np.zeros(draws.size)
    for name in names:
        values = PARAMETER_READERS[name](draws)
        if name.startswith("ladder.skip"):
            values = np.clip(values, EDGE, 1 - EDGE)
        total += model_prior(new, name).logpdf(values) - model_prior(old, name).logpdf(values)
    return total


def unsupported_mass(old: Priors, new: Priors, names: Collection[str]) -> tuple[str, float]:
    """The prior with most of its mass where the old one had none, so that no draw can be there; and that mass. ("", 0) if there is none.

    Only a shift moved down makes such mass; other priors cover all values of their family. Weights cannot show it.
    """
    worst = ("", 0.0)
    for name in names:
        before, after = old.spec(name), new.spec(name)
        if isinstance(before, LogNormal) and isinstance(after, LogNormal) and after.shift < before.shift:
            p = np.linspace(0.0005, 0.9995, 1000)
            mass = float((after.quantile(p) < before.shift).mean())
            worst = max(worst, (name, mass), key=lambda pair: pair[1])
    return worst


@dataclass(frozen=True, eq=False)
class RecordLikelihood:
    """The likelihood of the rises, falls and stays of one history, by draw. Skips are not part of it; they are conjugate.

    draws      [S]
    history    the levels of one reading, T months, and its drivers
    precision  of the exponentials in `log_ratio`; the formula there loses nothing to rounding, so single precision will do
    """

    draws: ParameterDraws
    history: History
    precision: DTypeLike = float

    @cached_property
    def log_odds(self) -> tuple[Floats, Floats]:
        """Log-odds of a rise and of a fall against staying, by draw and month after the first, each [S, T − 1]."""
        draws, before = self.draws, self.history.levels[:-1]
        known = transition_log_odds(draws, self.history.drivers)
        rise = draws.rise_logits().T[:, before] + known.theta[:, 1:] + known.rise_push[:, 1:]
        fall = draws.fall_logits().T[:, before] - known.theta[:, 1:] + known.fall_push[:, 1:]
        return rise, fall + draws.just_risen[:, None] * self.history.just_risen[:-1]

    @cached_property
    def by_month(self) -> Floats:
        """Log likelihood by draw and month after the first, [S, T − 1]."""
        rise, fall = self.log_odds
        before, after = self.history.levels[:-1], self.history.levels[1:]
        log_moves = np.where(after > before, rise, np.where(after < before, fall, 0.0))
        return np.asarray(log_moves - np.log1p(np.exp(np.minimum(rise, 500.0)) + np.exp(np.minimum(fall, 500.0))))

    @cached_property
    def chances(self) -> tuple[Floats, Floats]:
        """Probabilities of a rise and of a fall, by draw and month after the first, each [S, T − 1]."""
        rise, fall = (np.exp(np.minimum(z, 80.0).astype(self.precision)) for z in self.log_odds)
        return rise / (1 + rise + fall), fall / (1 + rise + fall)

    def log_ratio(self, rise_change: Floats, fall_change: Floats) -> Floats:
        """Log of the likelihood over what it is, by draw [S], if the log-odds changed by so much, each [S or 1, T − 1].

        With probabilities p and q of a rise and a fall, a stay adds −log(1 + p (e^r − 1) + q (e^f − 1)), a rise r more, a fall f more.
        """
        t = np.flatnonzero((rise_change != 0).any(0) | (fall_change != 0).any(0))
        total: Floats = np.zeros(self.draws.size)
        if not t.size:
            return total
        before, after = self.history.levels[:-1][t], self.history.levels[1:][t]
        moved = np.zeros((1, 1), self.precision)
        for change, chance, went in ((rise_change, self.chances[0], after > before), (fall_change, self.chances[1], after < before)):
            if change.any():
                by = change[:, t].astype(self.precision)
                moved = moved + chance[:, t] * np.expm1(by)
                total = total + by[:, went].sum(1, dtype=float)
        return np.asarray(total - np.log1p(moved).sum(1, dtype=float))

    def driver_ratio(self, drivers: Drivers) -> Floats:
        """Log of the likelihood with other pressure and opposition over that with the history's own, by draw [S]."""
        own, draws = self.history.drivers, self.draws
        pressure = (drivers.pressure - own.pressure)[None, :-1]
        opposed = draws.opposition[:, None] * (drivers.opposition - own.opposition)[None, :-1]
        return self.log_ratio(
            draws.leverage[:, None] * pressure - opposed,
            draws.leverage_on_falls[:, None] * pressure + opposed,
        )


def skips_log_likelihood(draws: ParameterDraws, counts: Mapping[str, Floats]) -> Floats:
    """Log likelihood [S] of the skips; counts: "up" and "down" → [4, 2], how often a move went on through a level or stopped there."""
    total = np.zeros(draws.size)
    for skip, seen in ((draws.skip_up, counts["up"]), (draws.skip_down, counts["down"])):
        inside = np.clip(skip, EDGE, 1 - EDGE)
        total += np.log(inside) @ seen[:, 0] + np.log1p(-inside) @ seen[:, 1]
    return total


def skip_counts_of(arrays: Mapping[str, Any], reading: str) -> dict[str, Floats]:
    """The counts [4, 2] of a reading's moves that went on or stopped, "up" and "down", from the arrays of `draws.npz`."""
    return {direction: np.asarray(arrays[f"{reading}/skips_{direction}"], float) for direction in ("up", "down")}


def events_log_likelihood(origin_state: OriginState, pool: DriverPaths) -> Floats:
    """Log likelihood [P] of the counts of events in model 4's window, given the elasticities and rates of each path.

    Constants of the counts alone are left out. A path has the rates of the draw whose rate of mobilisations it has: no two are alike.
    """
    rates, mobilisation = origin_state.rates, STREAMS.index("mobilisation")
    order = np.argsort(rates.rate[:, mobilisation])
    row = order[np.searchsorted(rates.rate[order, mobilisation], pool.mobilising)]
    window = np.arange(rates.window[0], rates.window[1] + 1) - FIRST_MONTH
    series = (origin_state.drivers.log2_deaths, origin_state.concessions, origin_state.leverage.value)
    lagged = [s[window - 1] - mean for s, mean in zip(series, rates.means, strict=True)]
    z = predictors(lagged[0][None], lagged[1][None], lagged[2][None], rates.eta[row, None, :])  # [P, W, K]
    log_expected = np.log(rates.rate[row])[:, None, :] + z
    return np.asarray((rates.counts.T * log_expected - np.exp(log_expected)).sum((1, 2)))
