"""What is conjugate or plain judgement, computed anew from counts: skips, and the questions that are not about levels."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from forecast.arrays.weighted_quantiles import INTERVAL, weighted_interval
from forecast.domain import Question
from forecast.forecasting.companion_questions import CompanionRates, count_forecast, determinations_from_counts, direct_action
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import assign_paths
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.model.events import COUNTED
from forecast.priors.distributions import Beta
from forecast.priors.load import Priors
from forecast.reweighting.importance_ratios import PARAMETER_READERS, skip_prior
from forecast.typing import Arrays, Floats

_GRID: Final = np.concatenate([np.logspace(-7, -3, 60), np.linspace(1e-3, 1 - 1e-3, 1200)[1:-1], 1 - np.logspace(-3, -7, 60)])
_EDGE: Final = 1e-7


def transport_skips(
    draws: ParameterDraws, old: Priors, new: Priors, names: Collection[str], counts: Mapping[str, Floats]
) -> ParameterDraws:
    """Draws whose named skips are moved from the Beta they have, quantile by quantile, to the one they would have.

    counts: "up" and "down" → [4, 2] (went on, stopped), zeros for draws of the prior. A posterior of a skip is independent of all else, so
    the draws moved are draws of the new one; and the nearer it is the less they move.
    """
    out = {"skip_up": draws.skip_up.copy(), "skip_down": draws.skip_down.copy()}
    for name in names:
        way, i = name.removeprefix("ladder.skip_").split(".")
        went_on, stopped = counts[way][int(i) - 1]
        before, after = (
            _logit(Beta(prior.a + went_on, prior.b + stopped).quantile(_GRID)) for prior in (skip_prior(old, name), skip_prior(new, name))
        )
        moved = np.interp(_logit(PARAMETER_READERS[name](draws)), before, after)
        out[f"skip_{way}"][:, int(i) - 1] = 1 / (1 + np.exp(-moved))
    return replace(draws, **out)


def _logit(p: Floats) -> Floats:
    inside = np.clip(p, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


@dataclass(frozen=True, eq=False)
class EditedCompanions:
    """A question that is not about levels: probability, prior probability, mean count (None of what is no count), error and interval."""

    probability: float
    prior: float
    expected: float | None
    mcse: float
    interval: tuple[float, float]


def companions(
    arrays: Arrays, priors: Priors, names: Collection[str], pool: DriverPaths | None, level: float
) -> dict[str, EditedCompanions]:
    """The companion questions that edits of the named priors touch, by id, with the random numbers of the run.

    pool: the paths, if they moved or direct action was edited; None leaves that question out.
    """
    ids = [str(i) for i in arrays["companions"]]
    made = _direct(arrays, priors, [i for i in ids if _slug(i)[0] == "direct-action"], pool) if pool else {}
    for id_ in ids:
        slug, horizon = _slug(id_)
        if slug.startswith("deemed") and any(n.startswith("companion.deemed") or n == "events.determination" for n in names):
            made[id_] = _judged(arrays, priors, id_, horizon)[slug]
        elif f"companion.{slug}" in names and slug in COUNTED:
            months, count = int(arrays["companion/months"]), float(arrays["companion/counted"][COUNTED.index(slug)])
            made[id_] = count_forecast(priors, slug, count, months, horizon, _size(arrays, id_), _rng(arrays))
    return {id_: _summed(found, level) for id_, found in made.items()}


def _direct(arrays: Arrays, priors: Priors, ids: Sequence[str], pool: DriverPaths) -> dict[str, CompanionRates]:
    if not ids:
        return {}
    paths = assign_paths(_size(arrays, ids[0]), len(pool.leverage), int(arrays["seed"]) + 2)
    horizons = {id_: _slug(id_)[1] for id_ in ids}
    found = direct_action(priors, pool, paths, horizons.values(), _rng(arrays))
    return {id_: found[horizon] for id_, horizon in horizons.items()}


def _judged(arrays: Arrays, priors: Priors, id_: str, horizon: int) -> dict[str, CompanionRates]:
    answers, months = np.asarray(arrays["companion/answers"], float), int(arrays["companion/months"])
    due = [int(after) for after in arrays["companion/determinations"]]
    return determinations_from_counts(priors, answers, months, due, horizon, _size(arrays, id_), _rng(arrays))


def _summed(found: CompanionRates, level: float) -> EditedCompanions:
    p = found.probability
    variance = p.var(ddof=1) / len(p)
    if found.by_path_batch is not None:
        variance += found.by_path_batch.var(ddof=1) / len(found.by_path_batch)
    expected = None if found.expected is None else float(found.expected.mean())
    interval = weighted_interval(p[None, :], np.ones(1), level)
    return EditedCompanions(float(p.mean()), float(found.prior.mean()), expected, float(np.sqrt(variance)), interval)


def companions_after_edit(draws: Floats, prior: Floats) -> EditedCompanions:
    """As the run had it, from its draws [S] of the probability. The mean count and the error by paths are in its report."""
    return _summed(CompanionRates(draws, prior), INTERVAL)


def _slug(id_: str) -> tuple[str, int]:
    """The companion question's name, and its horizon."""
    parts = Question.parse_id(id_)
    return parts.companion or "", parts.horizon


def _size(arrays: Arrays, id_: str) -> int:
    return len(arrays[f"companion/{id_}"])


def _rng(arrays: Arrays) -> np.random.Generator:
    return np.random.default_rng(int(arrays["seed"]) + 5)
