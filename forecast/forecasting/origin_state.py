"""The state at the origin: models 2 to 4 fitted, the levels coded under every reading, and what the simulation starts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.ladder import saturate_pressure
from forecast.data.event_groups import counting_rules
from forecast.data.outcome import distinct_readings, reading_levels
from forecast.data.records import OverdoseFinal, OverdoseRelease
from forecast.data.tables import Data, history_months, origin
from forecast.domain import FIRST_MONTH, Month, last_day
from forecast.forecasting.driver_gate import check_events, check_leverage, check_opposition, check_overdose, check_overdose_records
from forecast.forecasting.driver_paths import NO_INTERVENTION, DriverPaths, Intervention
from forecast.forecasting.driver_simulation import (
    HORIZON,
    N_PATHS,
    CommonRandomNumbers,
    DriverState,
    ExogenousPaths,
    due_after,
    random_numbers,
    simulate_drivers,
)
from forecast.model import events as event_model
from forecast.model.hyperparameters import elasticity_priors, leverage_settings
from forecast.model.leverage import Leverage, LeverageSettings, compute_leverage
from forecast.model.opposition import OppositionDraws, OppositionPosterior, OppositionPriors, fit_opposition, mobilisation
from forecast.model.overdose import START as OVERDOSE_START
from forecast.model.overdose import OverdosePosterior, fit_overdose
from forecast.model.tolerance_data import LOG_3000, LOGIT_60, Drivers, History, in_office
from forecast.priors.load import Priors
from forecast.typing import Floats


@dataclass(frozen=True, eq=False)
class OriginState:
    """Models 2–4 fitted at the origin, and the histories of all readings that differ.

    data, priors     what was fitted
    origin           the last month whose events are known
    seed             of all random numbers
    settings         weights, half-lives and scale of leverage
    leverage         L and its parts by month
    overdose         posterior of model 2
    opposition       posterior of model 3
    polled           a draw of model 3 for each simulated path, d from FIRST_MONTH to the horizon
    mobilised        [T] E by month
    concessions      [T] G by month
    rates            posterior of model 4
    drivers          the drivers by month, as model 5 takes them
    histories        reading → its history
    merged           reading → the names of all readings with the same history
    weights          reading → weight, of merged readings together
    start            the drivers at the origin
    future           the paths that no event changes
    administrations  [H] index of who governs Mexico in each month after the origin
    """

    data: Data
    priors: Priors
    origin: Month
    seed: int
    settings: LeverageSettings
    leverage: Leverage
    overdose: OverdosePosterior
    opposition: OppositionPosterior
    polled: OppositionDraws
    mobilised: Floats
    concessions: Floats
    rates: event_model.EventRates
    drivers: Drivers
    histories: dict[str, History]
    merged: dict[str, tuple[str, ...]]
    weights: dict[str, float]
    start: DriverState
    future: ExogenousPaths
    administrations: NDArray[np.int_]

    def pool(self, intervention: Intervention = NO_INTERVENTION) -> DriverPaths:
        """Simulated paths of the drivers; the random numbers are the same with any intervention."""
        return self._plain_pool if intervention.empty else self._simulate(intervention)

    @cached_property
    def _plain_pool(self) -> DriverPaths:
        return self._simulate(NO_INTERVENTION)

    def _simulate(self, intervention: Intervention) -> DriverPaths:
        return simulate_drivers(
            self.start, self.future, self.rates, self.settings, self.data.calendar, self.origin, self.seed + 1, intervention,
            noise=self._noise,
        )  # fmt: skip

    @cached_property
    def _noise(self) -> CommonRandomNumbers:
        due = due_after(self.data.calendar, self.origin, HORIZON)
        return random_numbers(self.rates, self.start.leverage, len(due), N_PATHS, HORIZON, np.random.default_rng(self.seed + 1))


def claims_day(data: Data) -> date:
    """The day up to which claims count: the end of the origin's month, or the end of the claims' coverage if that is later."""
    return max(last_day(origin(data)), data.coverage["outcome_claims.csv"])


def build_origin_state(data: Data, priors: Priors, seed: int) -> OriginState:
    """Fit models 2–4 to data that are already selected by date, and code the levels under every reading.

    What a model was fitted to a moment ago is not fitted again (`_remembered`). GateError if a driver takes an impossible value, or if its
    sampling failed.
    """
    rng = np.random.default_rng(seed)
    at = origin(data)
    tau = claims_day(data)
    months = history_months(data)
    settings = leverage_settings(priors, data.scales)
    pressed = compute_leverage(data.events, at, settings)
    check_leverage(pressed)
    overdose = _remembered(_OVERDOSE, (data.overdose_final, data.overdose_releases, at), _fitted_overdose)
    asked = data.polls, at, OppositionPriors.of(priors)
    opposition = _remembered(_OPPOSITION, asked, lambda *_: fit_opposition(*asked, rng), rng)
    check_opposition(opposition)
    mobilised = mobilisation(data.events, months, data.scales.mobilisation)
    conceded = event_model.concession_memory(data.events, at)

    x = overdose.mean
    here = FIRST_MONTH - OVERDOSE_START  # x begins a year before the ladder, so that the yearly change exists from the first month
    log2_deaths = (x[here:] - LOG_3000) / np.log(2.0)
    drivers = Drivers(
        pressure=saturate_pressure(pressed.value),
        log2_deaths=log2_deaths,
        change=x[here:] - x[here - 12 : len(x) - 12],
        opposition=opposition.mean - LOGIT_60,
        mobilisation=mobilised,
        administration=in_office(data.administrations, "Mexico", FIRST_MONTH, at),
    )
    rates = event_model.fit_events(
        data.events, data.administrations, at, log2_deaths, pressed.value, elasticity_priors(priors), rng, counting_rules(data.questions)
    )
    check_events(rates)
    log_deaths = overdose.paths(rng, N_PATHS, HORIZON)
    polled = _remembered(_POLLED, (opposition,), lambda fitted: fitted.draws(rng, N_PATHS, HORIZON), rng)
    shares = priors.parts("readings.weights")
    merged = _with_later_readings(distinct_readings(data, tau, months), shares)
    return OriginState(
        data=data,
        priors=priors,
        origin=at,
        seed=seed,
        settings=settings,
        leverage=pressed,
        overdose=overdose,
        opposition=opposition,
        polled=polled,
        mobilised=mobilised,
        concessions=conceded,
        rates=rates,
        drivers=drivers,
        histories={name: History(reading_levels(data, name, tau, months), drivers) for name in merged},
        merged=merged,
        weights={name: sum(shares[n] for n in names) for name, names in merged.items()},
        start=DriverState(pressed, float(mobilised[-1] * data.scales.mobilisation), float(conceded[-1])),
        future=ExogenousPaths(
            log_deaths=log_deaths,
            opposition=polled.d[:, at - FIRST_MONTH :],
            mobilisation_scale=data.scales.mobilisation,
            new_us_rates_from=_next_us(data, at),
        ),
        administrations=in_office(data.administrations, "Mexico", Month(at + 1), Month(at + HORIZON)),
    )


type _Kept[T] = list[tuple[tuple[Any, ...], T, Any]]
"""Key, result, and the state of the random numbers after it; the newest first."""

_OVERDOSE: Final[_Kept[OverdosePosterior]] = []
_OPPOSITION: Final[_Kept[OppositionPosterior]] = []
_POLLED: Final[_Kept[OppositionDraws]] = []
_KEPT: Final = 4


def _remembered[T](kept: _Kept[T], key: tuple[Any, ...], make: Callable[..., T], rng: np.random.Generator | None = None) -> T:
    """`make(*key)`, or what it gave for an equal key and equal random numbers; those then go on as they did.

    The states along a path of changes mostly differ in one table, and a command asks for the state of a run and of the workspace, which
    are often the same.
    """
    full = (*key, rng.bit_generator.state if rng else None)
    known = next((row for row in kept if row[0] == full), None)
    if known is None:
        value = make(*key)
        known = full, value, rng.bit_generator.state if rng else None
        kept[:] = [known, *kept[: _KEPT - 1]]
    elif rng:
        rng.bit_generator.state = known[2]
    return known[1]


def _fitted_overdose(finals: Sequence[OverdoseFinal], releases: Sequence[OverdoseRelease], at: Month) -> OverdosePosterior:
    check_overdose_records(finals, releases, at)
    fitted = fit_overdose(finals, releases, at)
    check_overdose(fitted)
    return fitted


def _next_us(data: Data, at: Month) -> int | None:
    """Months after the origin from which the US administration in office then has left, None if beyond the horizon."""
    ends = [a.end for a in data.administrations if a.country == "US" and a.start <= at <= a.end]
    first = max(ends) - at + 1 if ends else None
    return first if first is not None and first <= HORIZON else None


def _with_later_readings(merged: dict[str, tuple[str, ...]], shares: Mapping[str, float]) -> dict[str, tuple[str, ...]]:
    """As of an earlier day, readings that did not exist yet are merged with main."""
    held = {name for names in merged.values() for name in names}
    later = tuple(name for name in shares if name not in held)
    return {first: names + later if "main" in names else names for first, names in merged.items()}
