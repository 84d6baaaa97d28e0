"""What a run's record made of one prior, and what that prior does to the forecast: from the arrays of `draws.npz`, NumPy only.

posterior   draws of the prior's quantity after the record, in its own unit
profile     the headline with the quantity held at one value in every draw, all else as fitted
near        the same of what lies behind the paths, with those paths alone that have about one value of it
histories   what the priors alone would have written with it held there
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Final

import numpy as np

from forecast.arrays.psis import pareto_smooth
from forecast.domain import Month, Question
from forecast.forecasting.ladder_forecast import assign_paths, forecast_ladder, question_probability
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.forecasting.predictive_checks import history_statistics, simulate_histories
from forecast.model.events import ANSWERS, COUNTED
from forecast.model.tolerance_data import Drivers
from forecast.priors.distributions import Beta, Distribution, Gamma
from forecast.priors.load import Priors
from forecast.reweighting.draws_archive import unpack_draws, unpack_pool
from forecast.reweighting.driver_update import ELASTICITIES, POLLS, parameter_by_path
from forecast.reweighting.importance_ratios import PARAMETER_FIELDS
from forecast.sensitivity.power_scaling import PathEvaluations, weighted
from forecast.sensitivity.target_question import target_question
from forecast.typing import Arrays, Floats

LEARNT_CONTRACTION: Final = 0.2
LEARNT_SHIFT: Final = 0.5
"""A parameter is learnt if its variance fell by so much, or its mean moved by so many prior sds."""
PROFILE_DRAWS: Final = 200
HISTORIES: Final = 500

NEAR: Final = 0.5
"""How near is about one value: the sd of a normal kernel, in sds of the draws."""
_MIDDLES: Final = (np.arange(2_000) + 0.5) / 2_000


def posterior(arrays: Arrays, name: str, prior: Distribution) -> tuple[Floats, Floats] | None:
    """Values [S] of the quantity after the record and their weights, which sum to one; of the main reading where readings differ.

    prior: as the run had it, the selection factor applied. None for what the record does not speak to, or the archive does not hold.
    """
    main = str(arrays["readings"][0])
    if name.startswith("ladder.skip_") and isinstance(prior, Beta):
        field, column = PARAMETER_FIELDS[name]
        went_on, stopped = arrays[f"{main}/skips_{field.removeprefix('skip_')}"][column]
        return _even(Beta(prior.a + float(went_on), prior.b + float(stopped)))
    if name in PARAMETER_FIELDS:
        field, column = PARAMETER_FIELDS[name]
        values = np.asarray(arrays[f"{main}/{field}"], float)
        return _alike(_own_unit(field, values if column is None else values[:, column]))
    if name in POLLS or name in ELASTICITIES:
        return _alike(parameter_by_path(arrays, name))
    slug = name.removeprefix("companion.")
    if isinstance(prior, Gamma) and (count := _counted(arrays, slug)) is not None:
        return _even(Gamma(prior.shape + count, prior.rate + float(arrays["companion/months"])))
    return None


def _counted(arrays: Arrays, slug: str) -> float | None:
    """How often the events of a rate came over the months of the window."""
    if slug in COUNTED:
        return float(arrays["companion/counted"][COUNTED.index(slug)])
    answer = slug.removeprefix("deemed-")
    return float(arrays["companion/answers"][ANSWERS.index(answer)]) if answer in ANSWERS else None


def path_profile(arrays: Arrays, priors: Priors, name: str, values: Floats, question: str) -> tuple[Floats, Floats]:
    """A ladder question of the main reading over a quantity behind the paths: what it is on average [7], and the answer there [7].

    values: the quantity by path [P], on an axis of one's choice. The paths weigh by a normal kernel about seven of its quantiles; where
    they bear on past opposition, the draws weigh by the record too, as in `sensitivity`.
    """
    headline = target_question(arrays, priors, question)
    behind = PathEvaluations.of(arrays, replace(headline, readings=tuple(replace(r, weight=1.0) for r in headline.readings[:1])))
    at, answers, width = [], [], NEAR * values.std()
    for centre in np.quantile(values, np.linspace(0.05, 0.95, 7)):
        log_weights = -0.5 * ((values - centre) / width) ** 2
        at.append(float(pareto_smooth(log_weights).weights @ values))
        answers.append(weighted(behind, log_weights, opposed=name in POLLS).probability)
    return np.array(at), np.array(answers)


def profile(arrays: Arrays, name: str, at: Sequence[float], question: str) -> Floats:
    """A ladder question of the main reading, mean over draws, with the quantity of `name` held at each value of `at`, [len(at)].

    The same draws and paths serve every value, so that differences are not noise. A spread is changed with the moods it spreads, each as
    many sds out as fitted. KeyError for a prior that is not of model 5.
    """
    main = str(arrays["readings"][0])
    draws, pool = unpack_draws(arrays, main), unpack_pool(arrays)
    draws = draws.take(np.linspace(0, draws.size - 1, min(PROFILE_DRAWS, draws.size)).astype(int))
    paths = assign_paths(draws.size, len(pool.leverage), 1)
    levels, origin = arrays[f"{main}/levels"].astype(int), Month(int(arrays["origin"]))
    asked = Question.parse_id(question)
    assert asked.level is not None
    out = []
    for value in at:
        found = forecast_ladder(
            with_parameter_fixed(draws, name, value), pool, paths, int(levels[-1]), bool(levels[-1] > levels[-2]), origin,
            arrays["administrations"].astype(int),
        )  # fmt: skip
        out.append(float(question_probability(found, asked.kind, asked.level, asked.horizon).mean()))
    return np.array(out)


def histories(arrays: Arrays, name: str, at: Sequence[float], seed: int = 1) -> tuple[dict[str, float], list[dict[str, Floats]]]:
    """Statistics of the record, and of histories of the same months from the priors alone with the quantity held at each value of `at`."""
    main = str(arrays["readings"][0])
    drivers = Drivers(**{f.name: np.asarray(arrays[f"drivers/{f.name}"]) for f in fields(Drivers)})
    draws = unpack_draws(arrays, "prior")
    draws = draws.take(np.arange(min(HISTORIES, draws.size)))
    levels = arrays[f"{main}/levels"].astype(int)
    written = [
        history_statistics(simulate_histories(with_parameter_fixed(draws, name, v), drivers, int(levels[0]), np.random.default_rng(seed)))
        for v in at
    ]  # each with the same random numbers
    return {k: float(v[0]) for k, v in history_statistics(levels[None, :]).items()}, written


def with_parameter_fixed(draws: ParameterDraws, name: str, value: float) -> ParameterDraws:
    """The draws with the quantity of `name` at one value, given in its own unit, in all of them."""
    field, column = PARAMETER_FIELDS[name]
    model_scale = float(_model_scale(field, value))
    changes = {field: np.full(draws.size, model_scale)}
    if column is not None:
        changes = {field: getattr(draws, field).copy()}
        changes[field][:, column] = model_scale
    if field == "administration_sd":
        changes["alpha"] = draws.alpha * (value / np.maximum(draws.administration_sd, 1e-12))[:, None]
    elif field == "drift_sd":
        changes["drift"] = draws.drift * (value / np.maximum(draws.drift_sd, 1e-12))[:, None]
    elif field == "half_life":
        changes["drift"] = _walked_anew(draws, value)
    return replace(draws, **changes)


def _walked_anew(draws: ParameterDraws, half_life: float) -> Floats:
    """The drift at yearly knots from the same standard normal steps, with another half-life."""
    before, after = 2.0 ** (-12.0 / draws.half_life), 2.0 ** (-12.0 / half_life)
    old = draws.drift / np.maximum(draws.drift_sd, 1e-12)[:, None]
    new = old.copy()
    for k in range(1, old.shape[1]):
        step = (old[:, k] - before * old[:, k - 1]) / np.sqrt(1 - before**2)
        new[:, k] = after * new[:, k - 1] + np.sqrt(1 - after**2) * step
    return np.asarray(new * draws.drift_sd[:, None])


def _own_unit(field: str, values: Floats) -> Floats:
    """From the scale of the model to the unit of the prior."""
    if field == "logit_rise":
        return np.asarray(1.0 / (1.0 + np.exp(-values)))
    return np.asarray(np.exp(values)) if field == "log_stay" else values


def _model_scale(field: str, value: float) -> float:
    if field == "logit_rise":
        return float(np.log(value) - np.log1p(-value))
    return float(np.log(value)) if field == "log_stay" else value


def _even(known: Distribution) -> tuple[Floats, Floats]:
    """A distribution as the middles of two thousand parts of equal probability: no random numbers."""
    return _alike(known.quantile(_MIDDLES))


def _alike(values: Floats) -> tuple[Floats, Floats]:
    return values, np.full(len(values), 1.0 / len(values))
