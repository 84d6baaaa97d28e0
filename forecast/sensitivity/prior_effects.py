"""How a run's data changed one prior, and how that prior affects the forecast: from the arrays of `draws.npz`.

posterior      draws of the prior's quantity after the data, in its own unit
profile        the headline with the quantity fixed at one value in every draw, all else as fitted
path_profile   the same of a quantity behind the paths: by those paths alone that have about one value of it
histories      histories simulated from the priors, with the quantity fixed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from forecast.arrays.ladder import probability_reached, saturate_pressure
from forecast.arrays.psis import pareto_smooth
from forecast.arrays.weighted_quantiles import WeightedSample
from forecast.domain import Month, Question
from forecast.forecasting.ladder_forecast import assign_paths, forecast_ladder, make_kernel, question_probability
from forecast.forecasting.predictive_checks import history_statistics, simulate_histories
from forecast.model.events import ANSWERS, COUNTED
from forecast.priors.distributions import Beta, Distribution, Gamma
from forecast.priors.load import Priors
from forecast.reweighting.draws_archive import unpack_draws, unpack_drivers, unpack_pool
from forecast.reweighting.driver_update import ELASTICITIES, POLLS, parameter_by_path
from forecast.reweighting.importance_ratios import PARAMETER_FIELDS, PARAMETER_READERS, skip_counts_of, to_own_unit, with_parameter_fixed
from forecast.sensitivity.power_scaling import PathProbabilities, PathReweighter
from forecast.sensitivity.target_question import target_question
from forecast.typing import Arrays, Floats

LEARNT_CONTRACTION: Final = 0.2
LEARNT_SHIFT: Final = 0.5
"""The data changed a prior if its variance fell by so large a share, or its mean moved by so many prior sds."""
PROFILE_DRAWS: Final = 200
HISTORIES: Final = 500
KERNEL_SD: Final = 0.5
"""Of the normal kernel of `path_profile`, in sds of the draws."""
_MIDDLES: Final = (np.arange(2_000) + 0.5) / 2_000


def posterior(arrays: Arrays, name: str, prior: Distribution) -> WeightedSample | None:
    """The quantity after the data; of the main reading where readings differ.

    prior: as the run had it, the selection factor applied. None if no data bear on it, or the archive does not hold it.
    """
    main = str(arrays["readings"][0])
    if name.startswith("ladder.skip_") and isinstance(prior, Beta):
        field, column = PARAMETER_FIELDS[name]
        went_on, stopped = skip_counts_of(arrays, main)[field.removeprefix("skip_")][column]
        return _equal_parts(Beta(prior.a + float(went_on), prior.b + float(stopped)))
    if name in PARAMETER_FIELDS:
        return WeightedSample.equal(to_own_unit(name, PARAMETER_READERS[name](unpack_draws(arrays, main))))
    if name in POLLS or name in ELASTICITIES:
        return WeightedSample.equal(parameter_by_path(arrays, name))
    if isinstance(prior, Gamma) and (count := _counted(arrays, name.removeprefix("companion."))) is not None:
        return _equal_parts(Gamma(prior.shape + count, prior.rate + float(arrays["companion/months"])))
    return None


def _counted(arrays: Arrays, slug: str) -> float | None:
    """How many events of a rate the window holds."""
    if slug in COUNTED:
        return float(arrays["companion/counted"][COUNTED.index(slug)])
    answer = slug.removeprefix("deemed-")
    return float(arrays["companion/answers"][ANSWERS.index(answer)]) if answer in ANSWERS else None


def _equal_parts(known: Distribution) -> WeightedSample:
    """A distribution as the middles of two thousand parts of equal probability: no random numbers."""
    return WeightedSample.equal(known.quantile(_MIDDLES))


def path_profile(arrays: Arrays, priors: Priors, name: str, values: Floats, question: str) -> tuple[Floats, Floats]:
    """A ladder question of the main reading over a quantity behind the paths: the quantity's average [7], and the probability there [7].

    values: the quantity by path [P], on an axis of one's choice. The paths weigh by a normal kernel about seven of its quantiles; where
    they bear on past opposition, the draws weigh by the record too.
    """
    target = target_question(arrays, priors, question)
    main = replace(target, readings=(replace(target.readings[0], weight=1.0),))
    paths = PathReweighter(PathProbabilities.of(arrays, main), opposed=name in POLLS)
    at, probabilities, width = [], [], KERNEL_SD * values.std()
    for centre in np.quantile(values, np.linspace(0.05, 0.95, 7)):
        log_weights = -0.5 * ((values - centre) / width) ** 2
        at.append(float(pareto_smooth(log_weights).weights @ values))
        probabilities.append(paths.effect(log_weights, float(centre)).probability)
    return np.array(at), np.array(probabilities)


def profile(arrays: Arrays, name: str, at: Sequence[float], question: str) -> Floats:
    """A ladder question of the main reading, mean over draws, with the parameter of `name` fixed at each value of `at`, [len(at)].

    The same draws and paths serve every value, so that differences are not noise. KeyError for a prior that is not of model 5.
    """
    main = str(arrays["readings"][0])
    draws, pool = unpack_draws(arrays, main), unpack_pool(arrays)
    draws = draws.take(np.linspace(0, draws.size - 1, min(PROFILE_DRAWS, draws.size)).astype(int))
    paths = assign_paths(draws.size, len(pool.leverage), 1)
    levels, origin = arrays[f"{main}/levels"].astype(int), Month(int(arrays["origin"]))
    asked, governs = Question.parse_id(question), arrays["administrations"].astype(int)
    level, risen, target = int(levels[-1]), bool(levels[-1] > levels[-2]), asked.level or 0
    months, pressure = np.arange(origin + 1, origin + 1 + asked.horizon), saturate_pressure(pool.leverage)
    out = []
    for value in at:
        fixed = with_parameter_fixed(draws, name, value)
        if asked.kind == "reached_by":  # of the recursion only what this question needs
            out.append(
                probability_reached(
                    make_kernel(fixed, pool, pressure, paths, months, governs[: asked.horizon]), level, risen, target
                ).mean()
            )
        else:
            forecast = forecast_ladder(fixed, pool, paths, level, risen, origin, governs)
            out.append(question_probability(forecast, asked.kind, target, asked.horizon).mean())
    return np.array(out)


def histories(arrays: Arrays, name: str, at: Sequence[float], seed: int = 1) -> tuple[dict[str, float], list[dict[str, Floats]]]:
    """Statistics of the record, and of histories of the same months from the priors, with the parameter fixed at each value of `at`."""
    draws, drivers = unpack_draws(arrays, "prior"), unpack_drivers(arrays)
    draws = draws.take(np.arange(min(HISTORIES, draws.size)))
    levels = arrays[f"{arrays['readings'][0]}/levels"].astype(int)
    simulated = [
        history_statistics(simulate_histories(with_parameter_fixed(draws, name, v), drivers, int(levels[0]), np.random.default_rng(seed)))
        for v in at
    ]  # each with the same random numbers
    return {k: float(v[0]) for k, v in history_statistics(levels[None, :]).items()}, simulated
