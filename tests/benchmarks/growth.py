"""How the time of a stage grows with the size of what it works on: processor seconds of this process at growing sizes."""

from __future__ import annotations

import ctypes
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from forecast.data.event_groups import counting_rules
from forecast.data.read import read_all
from forecast.data.records import Event
from forecast.domain import FIRST_MONTH, Month, PartialDate
from forecast.forecasting.fit_readings import forecast_reading
from forecast.forecasting.ladder_forecast import assign_paths, forecast_ladder
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.parameter_draws import from_prior
from forecast.forecasting.question_forecasts import forecast_questions
from forecast.forecasting.questions import build_questions
from forecast.inference.settings import SamplerSettings
from forecast.inference.tolerance_sampler import tolerance_sampler
from forecast.model import events as event_model
from forecast.model import tolerance_density as density
from forecast.model.hyperparameters import elasticity_priors, tolerance_priors
from forecast.model.leverage import compute_leverage
from forecast.model.opposition import OppositionPriors, fit_opposition, mobilisation
from forecast.model.overdose import fit_overdose
from forecast.model.tolerance_data import ADMINISTRATIONS, Drivers, History, model_data
from tests.benchmarks.arithmetic import LINEAR, exponent
from tests.support.bundled_state import bundled_origin_state
from tests.support.data_editing import copied, rows_of, write_rows

MONTHS = (246, 492, 984)
EVENTS = (1, 4, 16)
POLLS = (1, 2, 4)
DRAWS = (1_000, 4_000, 16_000)
READINGS = (1, 3, 9)


@dataclass(frozen=True)
class Curve:
    """Seconds of a stage at growing sizes."""

    what: str
    stage: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def exponent(self) -> float:
        return exponent(self.sizes, self.seconds)

    @property
    def linear(self) -> bool:
        return self.exponent <= LINEAR


def curves(least: float = 0.3) -> Iterator[Curve]:
    """All curves. least: processor seconds for which a stage is repeated at each size; the quickest repetition counts."""
    state = bundled_origin_state()
    for what, sizes, stages in (
        ("months", MONTHS, _by_months), ("events, times the bundled", EVENTS, _by_events), ("polls, times the bundled", POLLS, _by_polls),
        ("draws", DRAWS, _by_draws), ("readings", READINGS, _by_readings),
    ):  # fmt: skip
        made = [stages(state, size) for size in sizes]
        for stage in made[0]:
            made[0][stage]()  # imports and compiles
            yield Curve(what, stage, sizes, tuple(_seconds(at[stage], least) for at in made))


type Stages = dict[str, Callable[[], object]]


def _seconds(call: Callable[[], object], least: float) -> float:
    best, spent, times = float("inf"), 0.0, 0
    while spent < least or (times < 3 and spent < 20 * least):
        start = time.process_time()
        call()
        took = time.process_time() - start
        best, spent, times = min(best, took), spent + took, times + 1
    return best


def _longer(state: OriginState, months: int) -> History:
    """The main reading's record, repeated until it has so many months."""
    history, d = state.histories["main"], state.histories["main"].drivers

    def tiled(series: Any) -> Any:
        return np.resize(series, months)

    drivers = Drivers(
        *map(tiled, (d.pressure, d.log2_deaths, d.change, d.opposition, d.mobilisation)), np.arange(months) * ADMINISTRATIONS // months
    )
    return History(tiled(history.levels), drivers)


def _by_months(state: OriginState, months: int) -> Stages:
    """Record, deaths and events last so many months; the polls stay."""
    data, origin = state.data, Month(FIRST_MONTH + months - 1)
    history, constants = _longer(state, months), tolerance_priors(state.priors)
    arrays = model_data(history, constants)
    packed, n = density.pack(arrays), sum(density.free_parameters(density.knots_of(arrays)).values())
    point, gradient, value = np.full(n, 0.1), np.empty(n), np.empty(1)
    sampler: Any = tolerance_sampler(history, constants)  # held below, as it owns the code
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)(sampler.value.address)

    def gradients(sampler: Any = sampler) -> None:
        for _ in range(500):
            call(n, point.ctypes.data, gradient.ctypes.data, value.ctypes.data, packed.ctypes.data)

    copies = range(-(-months // MONTHS[0]))
    # Deaths are the same in every month: the record repeated as it is would jump, and the fit would take another number of rounds.
    finals = [
        r.model_copy(update={"month": Month(r.month + MONTHS[0] * k), "deaths": 3_000.0}) for k in copies for r in data.overdose_final
    ]
    releases = [
        r.model_copy(update={"period_end": Month(r.period_end + MONTHS[0] * k), "reported": 36_000.0, "predicted": 36_000.0})
        for k in copies
        for r in data.overdose_releases
    ]
    events = _events(data.events, len(copies), 7_488)  # days: a little more than the 246 months
    # The rates are of the months since the last change of a government, so governments go on changing.
    administrations = [
        a.model_copy(update={"start": Month(a.start + MONTHS[0] * k), "end": Month(a.end + MONTHS[0] * k)})
        for k in copies
        for a in data.administrations
    ]
    log2_deaths, pressure = history.drivers.log2_deaths, np.resize(state.leverage.value, months)
    fit_events = functools.partial(
        event_model.fit_events, events, administrations, origin, log2_deaths, pressure, elasticity_priors(state.priors)
    )
    return {
        "500 gradients of model 5": gradients,
        "model 2, deaths": lambda: fit_overdose(finals, releases, origin),
        "model 3, opposition": lambda: fit_opposition(data.polls, origin, OppositionPriors.of(state.priors), np.random.default_rng(1)),
        "model 4, leverage": lambda: compute_leverage(events, origin, state.settings),
        "model 4, rates of events": lambda: fit_events(np.random.default_rng(1), counting_rules(data.questions)),
    }


def _events(events: Sequence[Event], copies: int, days: int = 0) -> tuple[Event, ...]:
    """The events several times, each copy under ids of its own and `days` later than the one before."""

    def renamed(e: Event, k: int) -> dict[str, Any]:
        return {name: tuple(f"{i}-{k}" for i in getattr(e, name)) for name in ("ends", "caused_by", "same_act_as")}

    def later(day: PartialDate | None, k: int) -> PartialDate | None:
        return day and replace(day, last=day.last + timedelta(days=days * k))

    return tuple(
        e.model_copy(update={"id": f"{e.id}-{k}", **renamed(e, k), **{name: later(getattr(e, name), k) for name in ("date", "until")}})
        if k
        else e
        for k in range(copies)
        for e in events
    )


def _by_events(state: OriginState, times: int) -> Stages:
    data = state.data
    events = _events(data.events, times)
    months = range(FIRST_MONTH, state.origin + 1)
    fit_events = functools.partial(
        event_model.fit_events, events, data.administrations, state.origin, state.drivers.log2_deaths, state.leverage.value,
        elasticity_priors(state.priors),
    )  # fmt: skip
    folder = TemporaryDirectory()
    tables = copied(Path(folder.name))
    rows = rows_of(tables / "events.csv")
    lists = ("ends", "caused_by", "same_act_as")
    write_rows(tables / "events.csv", [
        row if k == 0 else row | {"id": f"{row['id']}-{k}", "description": f"{row['description']} ({k})"}
        | {n: ";".join(f"{i}-{k}" for i in row[n].split(";")) if row[n] else "" for n in lists}
        for k in range(times) for row in rows
    ])  # fmt: skip
    return {
        "reading and checking the data": lambda folder=folder: read_all(tables),
        "model 4, leverage": lambda: compute_leverage(events, state.origin, state.settings),
        "model 4, rates of events": lambda: fit_events(np.random.default_rng(1), counting_rules(data.questions)),
        "mobilisation": lambda: mobilisation(events, months, data.scales.mobilisation),
    }


def _by_polls(state: OriginState, times: int) -> Stages:
    polls = [p if k == 0 else p.model_copy(update={"poll_id": f"{p.poll_id}-{k}"}) for k in range(times) for p in state.data.polls]
    return {
        "model 3, opposition": lambda: fit_opposition(polls, state.origin, OppositionPriors.of(state.priors), np.random.default_rng(1)),
    }


@functools.cache
def _pool(state: OriginState) -> Any:
    return state.pool()


def _by_draws(state: OriginState, size: int) -> Stages:
    pool = _pool(state)
    draws = from_prior(tolerance_priors(state.priors), state.origin, size, np.random.default_rng(1))
    paths = assign_paths(size, len(pool.leverage), 1)

    def climb(compiled: bool) -> object:
        return forecast_ladder(draws, pool, paths, 2, False, state.origin, state.administrations, compiled=compiled)

    return {"the ladder's recursion, compiled": lambda: climb(True), "the same in NumPy": lambda: climb(False)}


def _by_readings(state: OriginState, number: int) -> Stages:
    """The main reading under several names: fits, forecasts and the mixture."""
    main, constants = state.histories["main"], tolerance_priors(state.priors)
    names = ["main", *(f"copy_{i}" for i in range(1, number))]
    several = replace(
        state, histories=dict.fromkeys(names, main), merged={n: (n,) for n in names}, weights=dict.fromkeys(names, 1 / number)
    )
    sampler, pool = tolerance_sampler(main, constants), _pool(state)
    questions = build_questions(state.data.questions, state.origin)

    def forecast() -> object:
        fits = {name: forecast_reading(several, sampler, pool, name, constants, 1, SamplerSettings()) for name in names}
        return forecast_questions(several, fits, pool, questions)

    return {"fit and forecast of the readings": forecast}
