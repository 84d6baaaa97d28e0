"""Small things that tests of the statistical rooms are made of: toy events, drivers, draws, pools, and the bundled situation, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from forecast.data.read import read_data
from forecast.data.records import Event
from forecast.data.tables import Data
from forecast.domain import FIRST_MONTH, Month, month
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import LadderForecast, assign_paths, forecast_ladder
from forecast.forecasting.origin_state import OriginState, build_origin_state
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.model.hyperparameters import tolerance_priors
from forecast.model.leverage import LeverageSettings
from forecast.model.tolerance_data import ADMINISTRATIONS, Drivers, TolerancePriors, slots
from forecast.priors.load import Priors, load_priors
from forecast.typing import Floats

ROOT = Path(__file__).parents[2]
ORIGIN = month("2026-06")
PLAIN = LeverageSettings((1 / 3, 1 / 3, 1 / 3), (3.0, 3.0, 6.0), 1.0)


@cache
def data() -> Data:
    return read_data(ROOT / "data")


@cache
def priors() -> Priors:
    return load_priors(ROOT / "priors")


@cache
def constants() -> TolerancePriors:
    return tolerance_priors(priors())


@cache
def origin_state() -> OriginState:
    """The bundled data at their origin; several seconds, so once a process."""
    return build_origin_state(data(), priors(), seed=20261124)


def event(id_: str, day: str, **fields: str) -> Event:
    """An event as a row of the file gives it; a security threat of intensity 2 unless told otherwise."""
    row = {
        "id": id_, "date": day, "published": day, "family": "B", "role": "pressure", "channel": "security", "instrument": "force",
        "kind": "threat", "intensity": "2", "count": "", "direction": "+", "operation_level": "", "until": "", "ends": "", "answers": "",
        "episode": "", "caused_by": "", "same_act_as": "", "disputed": "no", "evidence": "source_read", "confidence": "high",
        "source": "a test", "url": "", "description": "a toy",
    }  # fmt: skip
    assert fields.keys() <= row.keys()
    return Event.model_validate(row | fields)


def concession(id_: str, day: str, **fields: str) -> Event:
    given = {"family": "A", "role": "decision", "kind": "", "intensity": "", "instrument": "deployment", "channel": "security"}
    return event(id_, day, **(given | fields))


def opposition(id_: str, day: str, **fields: str) -> Event:
    return event(id_, day, **({"family": "C", "role": "opposition", "kind": "", "channel": "political", "instrument": "note"} | fields))


def drivers(n: int, **series: Floats) -> Drivers:
    """Drivers of n months at zero, but for those given."""
    zero = {name: np.zeros(n) for name in ("pressure", "log2_deaths", "change", "opposition", "mobilisation")}
    return Drivers(**(zero | {"administration": np.zeros(n, int)} | series))


def draws(size: int = 1, origin: Month = ORIGIN, **fields: Any) -> ParameterDraws:
    """Draws that are all alike: q = .05, m = 24, skips .5, no effects and no drift, but for what is given (broadcast to shape)."""
    n_knots = slots(origin)[1]
    shapes = {
        "logit_rise": (size, 5), "log_stay": (size, 5), "alpha": (size, ADMINISTRATIONS), "drift": (size, n_knots),
        "skip_up": (size, 4), "skip_down": (size, 4),
    }  # fmt: skip
    plain = {"logit_rise": np.log(0.05 / 0.95), "log_stay": np.log(24.0), "skip_up": 0.5, "skip_down": 0.5, "half_life": 12.0}
    return ParameterDraws(
        **{
            f: np.array(np.broadcast_to(fields.get(f, plain.get(f, 0.0)), shapes.get(f, (size,))))
            for f in ParameterDraws.__dataclass_fields__
        }
    )


def pool(n: int = 20, horizon: int = 24, **series: Floats | float) -> DriverPaths:
    """Paths at zero, but for what is given, broadcast to [P, H + 1]."""
    shape = (n, horizon + 1)
    names = ("leverage", "log2_deaths", "change", "opposition", "mobilisation")
    return DriverPaths(
        **{name: np.array(np.broadcast_to(series.get(name, 0.0), shape), float) for name in names},
        arrivals=np.zeros((n, horizon, 11), np.int64),
        measures=np.zeros((n, 3, horizon + 1)),
        impulses=np.zeros((n, 3, horizon + 1)),
        gains=np.zeros((n, 3, horizon + 1), np.int64),
        reliefs=np.zeros((n, 3, horizon + 1), np.int64),
        eta=np.zeros((n, 3)),
        mobilising=np.zeros(n),
    )


def climbed(of: ParameterDraws, on: DriverPaths, level: int = 2, just_risen: bool = False, each: int = 1) -> LadderForecast:
    """The climb from a level at the bundled origin, one administration throughout."""
    return forecast_ladder(of, on, assign_paths(of.size, len(on.leverage), 1, each), level, just_risen, ORIGIN, np.zeros(on.horizon, int))


def at(m: str) -> int:
    """Index of a month in series from FIRST_MONTH."""
    return month(m) - FIRST_MONTH
