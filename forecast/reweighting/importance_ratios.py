"""How much likelier a draw of model 5 is under edited priors, and under drivers that were made anew."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.ladder import fall_logit, rise_logit
from forecast.domain import FIRST_MONTH, TOP
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.model.tolerance_data import Drivers, History
from forecast.priors.distributions import Beta, LogNormal, Normal, Quantiles
from forecast.priors.load import Priors
from forecast.priors.outside_view import RISE, SKIP, as_beta, rise_after_selection, skip_after_selection
from forecast.typing import Floats

type Singles = NDArray[np.float32]

_EDGE: Final = 1e-7  # single precision rounds a skip to 0 or 1, where a Beta has no density


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
    **{f"ladder.skip_{way}.{i}": (f"skip_{way}", i - 1) for way in ("up", "down") for i in range(1, TOP)},
}
"""Named prior → the field of the draws that its parameter is in, and the column of it, on the scale its density is taken on."""


def _reader(field: str, column: int | None) -> Callable[[ParameterDraws], Floats]:
    return lambda draws: np.asarray(getattr(draws, field) if column is None else getattr(draws, field)[:, column])


PARAMETER_READERS: Final[Mapping[str, Callable[[ParameterDraws], Floats]]] = {
    name: _reader(*place) for name, place in PARAMETER_FIELDS.items()
}
"""Named prior → its parameter among the draws."""


def skip_prior(priors: Priors, name: str) -> Beta:
    """The prior of a skip as the model has it, the selection factor applied."""
    return skip_after_selection(priors) if name == SKIP else as_beta(priors, name)


def model_prior(priors: Priors, name: str) -> Any:
    """The prior of a parameter as the model has it: normal on the logit or log scale for rises and stays, the selection factor applied."""
    spec = priors.spec(name)
    if name == RISE:
        return Normal(*rise_after_selection(priors))
    if name.startswith("ladder.skip"):
        return skip_prior(priors, name)
    return Normal(spec.location, spec.sd) if isinstance(spec, Quantiles) else spec


def log_ratio(draws: ParameterDraws, old: Priors, new: Priors, names: Collection[str]) -> Floats:
    """log of the new over the old prior density of the named parameters, by draw [S]."""
    total = np.zeros(draws.size)
    for name in names:
        values = PARAMETER_READERS[name](draws)
        if name.startswith("ladder.skip"):
            values = np.clip(values, _EDGE, 1 - _EDGE)
        total += model_prior(new, name).logpdf(values) - model_prior(old, name).logpdf(values)
    return total


def unsupported_mass(old: Priors, new: Priors, names: Collection[str]) -> tuple[str, float]:
    """The prior with most mass where no draw can be, since the old one had none there; and how much that is. ("", 0) if there is none.

    Only a shift moved down can have such mass: every other prior holds all values that its family can take. Weights cannot show it.
    """
    worst = ("", 0.0)
    for name in names:
        before, after = old.spec(name), new.spec(name)
        if isinstance(before, LogNormal) and isinstance(after, LogNormal) and after.shift < before.shift:
            p = np.linspace(0.0005, 0.9995, 1000)
            mass = float((after.quantile(p) < before.shift).mean())
            worst = max(worst, (name, mass), key=lambda found: found[1])
    return worst


def likelihood_ratio(draws: ParameterDraws, history: History, drivers: Drivers) -> Floats:
    """log of the likelihood of the history's rises, falls and stays with these drivers over that with its own, by draw [S].

    Only pressure and opposition may differ. With odds R and F of a rise and a fall against staying, a month's share is
    r − log(1 + p_R (e^r − 1) + p_F (e^f − 1)) for a rise and so on, where r and f are what the new drivers add: so rounding cannot hurt,
    and single precision will do.
    """
    kept, levels = history.drivers, history.levels
    more = _f32(drivers.pressure - kept.pressure)[:-1]
    opposed = _f32(drivers.opposition - kept.opposition)[:-1]
    t = np.flatnonzero((more != 0) | (opposed != 0))  # the month seen; the transition is into the next
    if not len(t):
        return np.zeros(draws.size)
    single = _Single(draws)
    before, after = levels[t], levels[t + 1]
    theta, pressure = single.theta(kept, t), _f32(kept.pressure[t])
    rise = np.exp(single.rise[:, before] + theta + single.leverage * pressure)
    fall = np.exp(single.fall[:, before] - theta + single.leverage_on_falls * pressure + single.just_risen * history.just_risen[t])
    total = 1 + rise + fall
    up = single.leverage * more[t] - single.opposition * opposed[t]
    down = single.leverage_on_falls * more[t] + single.opposition * opposed[t]
    stays = -np.log1p((rise * np.expm1(up) + fall * np.expm1(down)) / total)
    return np.asarray((stays + up * (after > before) + down * (after < before)).sum(1, dtype=float))


class _Single:
    """Draws in single precision, [S, 1] or [S, levels], as the odds of a month want them."""

    def __init__(self, draws: ParameterDraws) -> None:
        never = np.full((draws.size, 1), -np.inf, np.float32)
        self.draws = draws
        self.rise = np.hstack([_f32(rise_logit(1.0 / (1.0 + np.exp(-draws.logit_rise)))), never])
        self.fall = np.hstack([never, _f32(fall_logit(np.exp(draws.log_stay)))])
        self.leverage, self.leverage_on_falls = _f32(draws.leverage)[:, None], _f32(draws.leverage_on_falls)[:, None]
        self.just_risen, self.opposition = _f32(draws.just_risen)[:, None], _f32(draws.opposition)[:, None]

    def theta(self, drivers: Drivers, t: NDArray[np.int_]) -> Singles:
        """θ of the transitions that see the months t, [S, len(t)]."""
        d = self.draws
        seen = _f32(np.array([drivers.log2_deaths[t], drivers.change[t], drivers.opposition[t], drivers.mobilisation[t]]))
        load = _f32(np.array([d.overdose_level, d.overdose_change, -d.opposition, -d.opposition * d.mobilisation]).T)
        slow = _f32(d.alpha)[:, drivers.administration[t + 1]] + _f32(d.drift_at(FIRST_MONTH + t + 1))
        return np.asarray(slow + load @ seen, np.float32)


def _f32(values: NDArray[Any]) -> Singles:
    return np.asarray(values, np.float32)
