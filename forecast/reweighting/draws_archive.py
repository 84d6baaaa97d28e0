"""The arrays of `draws.npz`, which answer an edited prior or a scenario without a new fit."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from forecast.domain import FIRST_MONTH, TOP
from forecast.errors import InputError, StoreError
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import question_probability
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.model.events import STREAMS
from forecast.model.tolerance_data import Drivers
from forecast.reweighting.draws_archive_form import FORM, check_arrays
from forecast.reweighting.importance_ratios import events_log_likelihood
from forecast.typing import Arrays

if TYPE_CHECKING:
    from forecast.forecasting.forecast_result import Forecast
    from forecast.forecasting.origin_state import OriginState

type ArrayDict = dict[str, NDArray[Any]]

KNOT_MONTHS: Final = 3
"""Months between the knots of opposition, which is linear from one to the next."""


def pack(forecast: Forecast) -> ArrayDict:
    """Everything that `draws.npz` holds, in single precision: rounding moves a probability far less than its Monte Carlo error.

    `draws_archive_form` states kinds, shapes and ranges, which are checked here: StoreError if an array is otherwise.

    form, seed; questions [Q] ids of the ladder's questions, companions [C] of the others; origin; administrations [H] slots of who governs
    after it; public_now, the level that is public at the origin; readings [R] names, merged/<reading> the names that coincide with it.

    <reading>/<parameter> [S, …] the draws; /levels [T]; /skips_up, /skips_down [4, 2] counts (went on, stopped); /questions [Q, S] per-draw
    probabilities, /efficiency [Q] how many independent draws each of them is worth, /slots [Q, P] their means by path slot,
    /prior_questions [Q, S] those of the prior; /entered/<k> [H, levels >= k, S] for
    the levels above the public one. prior/<parameter>: the draws of the prior.

    drivers/<field> [T]; leverage/measures, /gains, /reliefs [3, T] what leverage is made of, by channel, and /scale; pool/<field>, paths
    of the drivers with what leverage is made of on each; mobilised/counts [W] of the months from mobilised/start, in which model 4 counts.
    polls/hyper [P, 4], /wording [P, 3], /start, /intercept [P], /knots [P, K] (half precision): the draw of model 3 behind each path, d at
    quarterly knots from FIRST_MONTH. polls/log_likelihood, events/log_likelihood [P]: of the polls, and of the counts of events, given the
    draws of models 3 and 4 behind each path. opposition/hyper and /weights: all of model 3's draws.

    companion/<id>, companion_prior/<id> [S]; companion/counted [4], /answers [2] over companion/months; companion/determinations: how many
    months after the origin each is due.
    """
    from forecast.forecasting.question_forecasts import relative_ess  # here, so that to read an archive takes NumPy alone

    origin_state, readings, pool = forecast.origin_state, forecast.readings, forecast.pool
    ladder = [a.question for a in forecast.answers.values() if a.question.level is not None]
    public = origin_state.histories["main"].level_now
    out: ArrayDict = {
        "form": np.array(FORM),
        "seed": np.array(origin_state.seed),
        "questions": np.array([q.id for q in ladder]),
        "companions": np.array([id_ for id_, a in forecast.answers.items() if a.question.level is None]),
        "readings": np.array(list(readings)),
        "origin": np.array(origin_state.origin),
        "administrations": origin_state.administrations.astype(np.int8),
        "public_now": np.array(public),
    }
    parts = [(q.kind, q.level or 0, q.horizon) for q in ladder]
    for name, reading in readings.items():
        out |= pack_draws(name, reading.draws)
        out[f"merged/{name}"] = np.array(origin_state.merged[name])
        out[f"{name}/levels"] = reading.history.levels.astype(np.int8)
        out[f"{name}/skips_up"], out[f"{name}/skips_down"] = reading.skip_counts
        out |= {f"{name}/entered/{k}": _single(reading.ladder.entered[k - 1, :, k:]) for k in secret_levels(public)}
        by_draw = np.array([question_probability(reading.ladder, *part) for part in parts])
        out[f"{name}/questions"], out[f"{name}/efficiency"] = _single(by_draw), _single(np.array([relative_ess(row) for row in by_draw]))
        out[f"{name}/slots"] = _single(np.array([reading.ladder.path_batch_means(*part) for part in parts]))
        out[f"{name}/prior_questions"] = _single(np.array([question_probability(reading.prior_ladder, *part) for part in parts]))
    out |= pack_draws("prior", next(iter(readings.values())).prior_draws)
    for id_, answer in forecast.answers.items():
        if answer.question.level is None:
            out[f"companion/{id_}"] = _single(answer.draws[0])
            out[f"companion_prior/{id_}"] = _single(answer.draws[0] if answer.prior_draws is None else answer.prior_draws)
    out |= {f"pool/{f.name}": _single(getattr(pool, f.name)) for f in fields(pool)}
    out["events/log_likelihood"] = _single(events_log_likelihood(origin_state, pool))
    out |= _pack_origin_state(origin_state)
    try:
        check_arrays(out)
    except ValueError as e:
        raise StoreError(f"The draws cannot be kept: {e}.", "Nothing was written. This is an error in the program.") from e
    return out


def _pack_origin_state(origin_state: OriginState) -> ArrayDict:
    """The drivers, and the data and draws they were made from."""
    rates, pressed, polled = origin_state.rates, origin_state.leverage, origin_state.polled
    now = origin_state.origin - FIRST_MONTH
    due = [c.date.month - origin_state.origin for c in origin_state.data.calendar if c.effect == "determination"]
    return {
        **{f"drivers/{f.name}": np.asarray(getattr(origin_state.drivers, f.name)) for f in fields(origin_state.drivers)},
        "leverage/scale": np.array(origin_state.settings.scale),
        "leverage/measures": pressed.measures,
        "leverage/gains": pressed.gains.astype(np.int8),
        "leverage/reliefs": pressed.reliefs.astype(np.int8),
        "mobilised/start": np.array(rates.window[0]),
        "mobilised/counts": rates.counts[STREAMS.index("mobilisation")].astype(np.int16),
        "polls/knots": polled.d[:, : now + KNOT_MONTHS : KNOT_MONTHS].astype(np.float16),
        **{f"polls/{name}": _single(getattr(polled, name)) for name in ("hyper", "wording", "start", "intercept", "log_likelihood")},
        "opposition/hyper": origin_state.opposition.hyper,
        "opposition/weights": origin_state.opposition.weights,
        "companion/months": np.array(rates.counted.shape[1]),
        "companion/counted": rates.counted.sum(1),
        "companion/answers": rates.answers.sum(1),
        "companion/determinations": np.array(due, int),
    }


def secret_levels(public_now: int) -> range:
    """The levels that can be reached without anyone knowing, given what is public at the origin."""
    return range(public_now + 1, TOP + 1)


def check_form(arrays: Arrays) -> None:
    """InputError if another version of this program wrote the draws, so that their arrays are not these."""
    if "form" not in arrays or int(arrays["form"]) != FORM:
        raise InputError(
            "The draws of the run were written by another version of this program.", "Make a new run: `forecast run --publish`."
        )


def check_asked(arrays: Arrays, question: str) -> None:
    """StoreError if the draws do not answer this question of the ladder."""
    if question not in arrays["questions"]:
        raise StoreError(f"The draws of the run do not answer {question}, but its report does.", "Restore the run, or make it again.")


def _single(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.int8) if values.dtype.kind == "i" else values.astype(np.float32)


def _double(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(values, int if values.dtype.kind == "i" else float)


def pack_draws(reading: str, draws: ParameterDraws) -> ArrayDict:
    """The parameters of one reading, under `<reading>/<field>`."""
    return {f"{reading}/{field}": _single(values) for field, values in draws.__dict__.items()}


def unpack_draws(arrays: Arrays, reading: str) -> ParameterDraws:
    """The draws of one reading; KeyError if the archive has none."""
    return ParameterDraws(**{f.name: np.asarray(arrays[f"{reading}/{f.name}"], float) for f in fields(ParameterDraws)})


def unpack_pool(arrays: Arrays) -> DriverPaths:
    """The paths of the drivers."""
    return DriverPaths(**{f.name: _double(arrays[f"pool/{f.name}"]) for f in fields(DriverPaths)})


def unpack_drivers(arrays: Arrays) -> Drivers:
    """The drivers up to the origin."""
    return Drivers(**{f.name: np.asarray(arrays[f"drivers/{f.name}"]) for f in fields(Drivers)})
