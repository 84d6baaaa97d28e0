"""Draws in and out of `draws.npz`: what answers an edited prior or a scenario without fitting again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecast.domain import TOP
from forecast.forecasting.climb import ladder_question
from forecast.forecasting.draws import ParameterDraws
from forecast.forecasting.paths import Pool

if TYPE_CHECKING:
    from forecast.forecasting.result import Forecast

type Arrays = dict[str, NDArray[Any]]

SECRET = (3, 4, TOP)
"""Levels for which the first month of reaching them is kept by level: below, what happens is known at once."""


def pack(forecast: Forecast) -> Arrays:
    """Everything that `draws.npz` holds, in single precision: rounding moves a probability far less than its Monte Carlo error.

    questions [Q] ids of the ladder's questions; readings [R] names; origin; administrations [H] slots of who governs after it;
    <reading>/<parameter> [S, …] the draws; <reading>/levels [T]; <reading>/skips_up, skips_down [4, 2] counts (went on, stopped);
    <reading>/questions [Q, S] per-draw probabilities, /slots [Q, P] their means by path slot, /prior_questions [Q, S] those of the prior;
    <reading>/entered/<k> [H, levels >= k, S]; prior/<parameter>; companion/<id> and companion_prior/<id> [S];
    companion/counted [4] over companion/months; pool/<field>; drivers/<field> [T]; opposition/hyper and /weights, model 3's draws.
    """
    situation, readings, pool = forecast.situation, forecast.readings, forecast.pool
    asked = [a.question for a in forecast.answers.values() if a.question.level is not None]
    out: Arrays = {
        "questions": np.array([q.id for q in asked]),
        "readings": np.array(list(readings)),
        "origin": np.array(situation.origin),
        "administrations": situation.administrations.astype(np.int8),
    }
    for name, made in readings.items():
        out |= pack_draws(name, made.draws)
        out[f"{name}/levels"] = made.history.levels.astype(np.int8)
        out[f"{name}/skips_up"], out[f"{name}/skips_down"] = made.skip_counts
        out |= {f"{name}/entered/{k}": _single(made.climb.entered[k - 1, :, k:]) for k in SECRET}
        out[f"{name}/questions"] = _single(np.array([ladder_question(made.climb, q.kind, q.level or 0, q.horizon) for q in asked]))
        out[f"{name}/slots"] = _single(np.array([made.climb.slot_means(q.kind, q.level or 0, q.horizon) for q in asked]))
        out[f"{name}/prior_questions"] = _single(
            np.array([ladder_question(made.prior_climb, q.kind, q.level or 0, q.horizon) for q in asked])
        )
    out |= pack_draws("prior", next(iter(readings.values())).prior_draws)
    for answer in forecast.answers.values():
        if answer.question.level is None:
            out[f"companion/{answer.question.id}"] = _single(answer.draws[0])
            out[f"companion_prior/{answer.question.id}"] = _single(answer.draws[0] if answer.prior_draws is None else answer.prior_draws)
    out |= {f"pool/{f.name}": _single(getattr(pool, f.name)) for f in fields(pool)}
    out |= {f"drivers/{f.name}": np.asarray(getattr(situation.drivers, f.name)) for f in fields(situation.drivers)}
    out["companion/months"] = np.array(situation.rates.counted.shape[1])
    out["companion/counted"] = situation.rates.counted.sum(1)
    out["opposition/hyper"], out["opposition/weights"] = situation.opposition.hyper, situation.opposition.weights
    return out


def _single(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.int8) if values.dtype.kind == "i" else values.astype(np.float32)


def pack_draws(reading: str, draws: ParameterDraws) -> Arrays:
    """The parameters of one reading, under `<reading>/<field>`."""
    return {f"{reading}/{field}": _single(values) for field, values in draws.__dict__.items()}


def unpack_draws(arrays: Mapping[str, NDArray[Any]], reading: str) -> ParameterDraws:
    """The draws of one reading; KeyError if the archive has none."""
    return ParameterDraws(**{f.name: np.asarray(arrays[f"{reading}/{f.name}"], float) for f in fields(ParameterDraws)})


def unpack_pool(arrays: Mapping[str, NDArray[Any]]) -> Pool:
    """The paths of the drivers; KeyError if the archive has none."""
    return Pool(**{f.name: np.asarray(arrays[f"pool/{f.name}"], float if f.name != "arrivals" else int) for f in fields(Pool)})
