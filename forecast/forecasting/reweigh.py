"""What edited priors do to a finished forecast, from its draws alone: importance sampling, or redrawing what is conjugate. NumPy only.

An effect, a rise, a stay, a scale or a skip is *reweighted* by the ratio of its prior densities, Pareto-smoothed. Skips and the selection
factor, and elasticities of the event rates, can be *recomputed*: skips are redrawn from their conjugate posterior, paths are redrawn by the
ratio of the densities of their elasticities, and the recursion runs again on a part of the draws. All else needs a *refit*.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.psis import smooth
from forecast.domain import Month
from forecast.forecasting.archive import unpack_draws, unpack_pool
from forecast.forecasting.climb import PATHS_A_DRAW, assign_paths, climb, ladder_question
from forecast.forecasting.draws import ParameterDraws
from forecast.priors.files import Priors
from forecast.priors.selection import RISE, SKIP, as_beta, rise_after_selection, skip_after_selection
from forecast.priors.spec import Beta, Normal, Quantiles, Spec

type Floats = NDArray[np.float64]
type Arrays = Mapping[str, NDArray[Any]]
type How = Literal["reweighted", "recomputed", "refit"]

K_HAT_MAX = 0.7
ESS_MIN = 200.0
MCSE_MAX = 0.1
"""Share of the headline that its Monte Carlo error may be, in every reading."""
EACH = 4
"""When the recursion runs again it runs on every fourth draw."""

_WEIGHTS = "readings.weights"
_SELECTION = "outside_view.selection"
_ETA = ("events.demand", "events.sufficiency", "events.backlash")
_EDGE = 1e-7  # single precision rounds a skip to 0 or 1, where a Beta has no density


def _column(field: str, index: int) -> Callable[[ParameterDraws], Floats]:
    return lambda draws: np.asarray(getattr(draws, field)[:, index])


def _whole(field: str) -> Callable[[ParameterDraws], Floats]:
    return lambda draws: np.asarray(getattr(draws, field))


PARAMETERS: Mapping[str, Callable[[ParameterDraws], Floats]] = {
    **{f"ladder.rise.{j}": _column("logit_rise", j) for j in range(5)},
    **{f"ladder.stay.{j}": _column("log_stay", j - 1) for j in range(1, 6)},
    "leverage.effect": _whole("leverage"),
    "leverage.effect_on_falls": _whole("leverage_on_falls"),
    "ladder.fresh": _whole("fresh"),
    "overdose.level_effect": _whole("overdose_level"),
    "overdose.change_effect": _whole("overdose_change"),
    "opposition.effect": _whole("opposition"),
    "opposition.mobilisation": _whole("mobilisation"),
    "administration.sd": _whole("administration_sd"),
    "drift.sd": _whole("drift_sd"),
    "drift.half_life": _whole("half_life"),
    **{f"ladder.skip_{way}.{i}": _column(f"skip_{way}", i - 1) for way in ("up", "down") for i in range(1, 5)},
}
"""Named prior → its parameter among the draws, on the scale its density is taken on."""


def _density(priors: Priors, name: str) -> Normal | Beta | Any:
    """The prior of a parameter as the model has it: normal on the logit or log scale for rises and stays, the selection factor applied."""
    spec = priors.spec(name)
    if name == RISE:
        return Normal(*rise_after_selection(priors))
    if name == SKIP:
        return skip_after_selection(priors)
    if name.startswith("ladder.skip"):
        return as_beta(priors, name)
    return Normal(spec.location, spec.sd) if isinstance(spec, Quantiles) else spec


def log_ratio(draws: ParameterDraws, old: Priors, new: Priors, names: Collection[str]) -> Floats:
    """log of the new over the old prior density of the named parameters, by draw [S]."""
    total = np.zeros(draws.size)
    for name in names:
        values = PARAMETERS[name](draws)
        if name.startswith("ladder.skip"):
            values = np.clip(values, _EDGE, 1 - _EDGE)
        total += _density(new, name).logpdf(values) - _density(old, name).logpdf(values)
    return total


@dataclass(frozen=True)
class ByReading:
    """How well one reading could be answered, and its headline."""

    probability: float
    k_hat: float
    ess: float
    mcse: float

    @property
    def accepted(self) -> bool:
        return self.k_hat < K_HAT_MAX and self.ess >= ESS_MIN and self.mcse <= MCSE_MAX * self.probability


@dataclass(frozen=True)
class Reweighed:
    """The ladder's questions under edited priors.

    probability, before, prior: question id → mixture, as edited, as the run had it, and from the edited prior alone.
    parts: id → reading → probability; mcse: of the mixture; by_reading: of the headline.
    """

    how: How
    accepted: bool
    probability: Mapping[str, float]
    before: Mapping[str, float]
    prior: Mapping[str, float]
    parts: Mapping[str, Mapping[str, float]]
    mcse: Mapping[str, float]
    interval: Mapping[str, tuple[float, float]]
    by_reading: Mapping[str, ByReading]

    @property
    def k_hat(self) -> float:
        return max(r.k_hat for r in self.by_reading.values())

    @property
    def ess(self) -> float:
        return min(r.ess for r in self.by_reading.values())


def changed(old: Priors, new: Priors) -> tuple[str, ...]:
    return tuple(name for name in old if old.spec(name) != new.spec(name))


def answerable(names: Collection[str]) -> bool:
    """Whether the draws can say anything about edits of these priors."""
    return all(n in PARAMETERS or n in (_WEIGHTS, _SELECTION, *_ETA) for n in names)


def reweigh(arrays: Arrays, old: Priors, new: Priors, headline: str, level: float = 0.8) -> Reweighed:
    """The ladder's questions as the edited priors would have them, by the way that can be accepted, the cheapest first.

    arrays: of `draws.npz`; headline: the id by whose Monte Carlo error an answer is judged; level: of the intervals.
    """
    names = changed(old, new)
    densities = {n for n in names if n in PARAMETERS}
    if _SELECTION in names:
        densities |= {RISE, SKIP}
    redrawn = {n for n in densities if n.startswith("ladder.skip")}
    by_paths = any(n in _ETA for n in names)
    if not answerable(names):
        return replace(_reweighted(arrays, old, new, set(), headline, level), how="refit", accepted=False)
    if not by_paths:
        first = _reweighted(arrays, old, new, densities, headline, level)
        if first.accepted or not redrawn:
            return first
    return _recomputed(arrays, old, new, densities, redrawn, headline, level)


def _weights_of(arrays: Arrays, priors: Priors) -> dict[str, float]:
    """Weights of the readings that the run told apart; those that coincide with none of them have lost theirs to `main`."""
    shares = priors.parts(_WEIGHTS)
    names = [str(n) for n in arrays["readings"]]
    out = {n: shares.get(n, 0.0) for n in names}
    out[names[0]] += 1.0 - sum(out.values())
    return out


def _reweighted(arrays: Arrays, old: Priors, new: Priors, densities: set[str], headline: str, level: float) -> Reweighed:
    ids = [str(i) for i in arrays["questions"]]
    fits = {}
    for name in _weights_of(arrays, new):
        draws = unpack_draws(arrays, name)
        ratio = log_ratio(draws, old, new, densities) if densities else np.zeros(draws.size)
        fits[name] = (np.asarray(arrays[f"{name}/questions"], float), np.asarray(arrays[f"{name}/slots"], float), smooth(ratio))
    return _summary("reweighted", arrays, old, new, densities, ids, headline, level, fits)


def _recomputed(arrays: Arrays, old: Priors, new: Priors, densities: set[str], redrawn: set[str], headline: str, level: float) -> Reweighed:
    ids = [str(i) for i in arrays["questions"]]
    pool = unpack_pool(arrays)
    rng = np.random.default_rng(1)
    moved = [k for k, n in enumerate(_ETA) if old.spec(n) != new.spec(n)]
    path_ratio = np.zeros(len(pool.leverage))
    for k in moved:
        path_ratio += _normal(new, _ETA[k]).logpdf(pool.eta[:, k]) - _normal(old, _ETA[k]).logpdf(pool.eta[:, k])
    path_weights = smooth(path_ratio)
    fits = {}
    for name in _weights_of(arrays, new):
        draws = unpack_draws(arrays, name)
        some = np.arange(0, draws.size, EACH)
        draws = draws.take(some)
        ratio = log_ratio(draws, old, new, densities - redrawn) if densities - redrawn else np.zeros(draws.size)
        draws = _redraw_skips(draws, arrays, name, new, redrawn, rng)
        paths = _resampled(draws.size, path_weights.weights, rng) if moved else assign_paths(draws.size, len(pool.leverage), 1)
        levels = arrays[f"{name}/levels"].astype(int)
        found = climb(
            draws,
            pool,
            paths,
            int(levels[-1]),
            bool(levels[-1] > levels[-2]),
            Month(int(arrays["origin"])),
            arrays["administrations"].astype(int),
        )
        asked = [_of(i) for i in ids]
        questions = np.array([ladder_question(found, kind, k, h) for kind, k, h in asked])
        slots = np.array([found.slot_means(kind, k, h) for kind, k, h in asked])
        smoothed = smooth(ratio)
        if moved and path_weights.k_hat > smoothed.k_hat:
            smoothed = replace(smoothed, k_hat=path_weights.k_hat, effective=min(smoothed.effective, path_weights.effective))
        fits[name] = (questions, slots, smoothed)
    return _summary("recomputed", arrays, old, new, densities, ids, headline, level, fits)


def _normal(priors: Priors, name: str) -> Normal:
    spec: Spec = priors.spec(name)
    assert isinstance(spec, Normal)
    return spec


def _redraw_skips(
    draws: ParameterDraws, arrays: Arrays, reading: str, new: Priors, redrawn: set[str], rng: np.random.Generator
) -> ParameterDraws:
    out = {"skip_up": draws.skip_up.copy(), "skip_down": draws.skip_down.copy()}
    for name in sorted(redrawn):
        way, i = name.removeprefix("ladder.skip_").split(".")
        prior = skip_after_selection(new) if name == SKIP else as_beta(new, name)
        went_on, stopped = arrays[f"{reading}/skips_{way}"][int(i) - 1]
        out[f"skip_{way}"][:, int(i) - 1] = rng.beta(prior.a + went_on, prior.b + stopped, draws.size)
    return replace(draws, **out)


def _resampled(n_draws: int, weights: Floats, rng: np.random.Generator) -> NDArray[np.int_]:
    """[S, paths a draw]: paths drawn by their weights, each slot from its own batch of the pool."""
    batch = len(weights) // PATHS_A_DRAW
    columns = []
    for slot in range(PATHS_A_DRAW):
        w = weights[slot * batch : (slot + 1) * batch]
        columns.append(slot * batch + rng.choice(batch, n_draws, p=w / w.sum()))
    return np.column_stack(columns)


def _of(question: str) -> tuple[str, int, int]:
    """Kind, level and horizon of a ladder question, from its id."""
    kind, level, horizon = question.split("-")
    return {"reach": "reached_by", "hold": "in_force_at", "fall": "fallen_to"}[kind], int(level), int(horizon.removesuffix("m"))


def _summary(
    how: How,
    arrays: Arrays,
    old: Priors,
    new: Priors,
    densities: set[str],
    ids: list[str],
    headline: str,
    level: float,
    fits: Mapping[str, Any],
) -> Reweighed:
    weights = _weights_of(arrays, new)
    means = {name: questions @ s.weights for name, (questions, _, s) in fits.items()}
    within = {name: (s.weights**2 * (questions - means[name][:, None]) ** 2).sum(1) for name, (questions, _, s) in fits.items()}
    pools = {name: slots.var(1, ddof=1) / slots.shape[1] for name, (_, slots, _) in fits.items()}
    h = ids.index(headline)
    by_reading = {
        name: ByReading(float(means[name][h]), s.k_hat, s.effective, float(np.sqrt(within[name][h] + pools[name][h])))
        for name, (_, _, s) in fits.items()
    }
    variance = sum(weights[n] ** 2 * within[n] for n in fits)
    mixed = sum(weights[n] * fits[n][1] for n in fits)
    mcse = np.sqrt(variance + mixed.var(1, ddof=1) / mixed.shape[1])
    mixture = sum(weights[n] * means[n] for n in fits)
    own = _weights_of(arrays, old)
    was = np.sum([own[n] * np.asarray(arrays[f"{n}/questions"], float).mean(1) for n in fits], axis=0)
    spread = np.concatenate([weights[n] * s.weights for n, (_, _, s) in fits.items()])
    pooled = np.concatenate([q for q, _, _ in fits.values()], axis=1)
    prior = unpack_draws(arrays, "prior")
    prior_weights = smooth(log_ratio(prior, old, new, densities)).weights if densities else np.full(prior.size, 1 / prior.size)
    prior_mixture = sum(weights[n] * (np.asarray(arrays[f"{n}/prior_questions"], float) @ prior_weights) for n in fits)
    return Reweighed(
        how=how,
        accepted=all(r.accepted for r in by_reading.values()),
        probability=dict(zip(ids, map(float, mixture), strict=True)),
        before=dict(zip(ids, map(float, was), strict=True)),
        prior=dict(zip(ids, map(float, prior_mixture), strict=True)),
        parts={id_: {n: float(means[n][i]) for n in fits} for i, id_ in enumerate(ids)},
        mcse=dict(zip(ids, map(float, mcse), strict=True)),
        interval={id_: _interval(pooled[i], spread, level) for i, id_ in enumerate(ids)},
        by_reading=by_reading,
    )


def _interval(values: Floats, weights: Floats, level: float) -> tuple[float, float]:
    """Equal-tailed, of weighted draws."""
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    low, high = np.interp(np.array([(1 - level) / 2, (1 + level) / 2]) * cumulative[-1], cumulative - weights[order] / 2, values[order])
    return float(low), float(high)
