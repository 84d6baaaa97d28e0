"""Simulated paths of the drivers over the months after the origin, shared by every draw and reading.

In month t: the state at t − 1 gives the rates; events arrive with channel and intensity; they give S, I, E and G at t. All random numbers
are drawn beforehand in fixed shapes, so paths with an intervention differ from those without only by what the intervention does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.decay import decay, impulse_step
from forecast.data.records import Scheduled
from forecast.domain import CHANNELS, Month
from forecast.forecasting.driver_paths import NO_INTERVENTION, DriverPaths, Intervention
from forecast.model.events import HALF_LIFE, MAX_INTENSITY, RATE, SHAPE, STREAMS, EventRates, predictors
from forecast.model.leverage import Leverage, LeverageSettings, combine
from forecast.model.tolerance_data import LOG_3000, LOGIT_60
from forecast.typing import Floats

N_PATHS = 2_000
HORIZON = 24
MAX_ARRIVALS = 8
"""Of one stream in one month; at the rates on record, the probability of more is below 10⁻⁴."""
_OF_WASHINGTON = np.array([s not in ("mobilisation", "concession") for s in STREAMS])
_NEVER = np.int64(10_000)
_LOG_MOST = np.log(100.0)  # the largest log monthly rate: it already gives MAX_ARRIVALS, and e^z could overflow
_LOG2 = float(np.log(2.0))


@dataclass(frozen=True)
class DriverState:
    """The drivers at the origin.

    leverage      leverage and its parts
    mobilisation  e, not yet divided by its scale
    concessions   G, the memory of concessions
    """

    leverage: Leverage
    mobilisation: float
    concessions: float


@dataclass(frozen=True)
class ExogenousPaths:
    """Paths that no event changes, for P paths.

    log_deaths          [P, 13 + H] months T − 12..T + H
    opposition          [P, 1 + H] d in the months T..T + H
    mobilisation_scale  ē
    new_us_rates_from   months after the origin from which another US administration governs, which multiplies all rates of US events by
                        an uncertain factor; None if that is beyond the horizon
    """

    log_deaths: Floats
    opposition: Floats
    mobilisation_scale: float
    new_us_rates_from: int | None


@dataclass(frozen=True)
class CommonRandomNumbers:
    """Every random number of the P paths, for K streams and at most A arrivals of each in a month."""

    row: NDArray[np.int64]  # [P] which posterior draw of the rates
    arrivals: Floats  # [P, H, K]
    marks: Floats  # [P, H, K, A]
    shares: tuple[Floats, ...]  # K × [P, 15] Dirichlet draws of (channel, intensity), cumulated
    ends: Floats  # [P, H, A] whether a relaxation ends a measure
    which: Floats  # [P, H, A] and which
    lifetimes: Floats  # [P, 3, M] of measures, in units of one over the hazard
    hazard: Floats  # [P]
    p_ends: Floats  # [P]
    calendar: Floats  # [P, n]
    multiplier: Floats  # [P]


MAX_MEASURES = 64


def random_numbers(
    events: EventRates, leverage: Leverage, n_calendar: int, n: int, horizon: int, rng: np.random.Generator
) -> CommonRandomNumbers:
    """All that one simulation needs; they do not depend on an intervention."""
    k = len(STREAMS)
    ended, relaxations = events.ended
    return CommonRandomNumbers(
        row=rng.integers(len(events.rate), size=n),
        arrivals=rng.random((n, horizon, k)),
        marks=rng.random((n, horizon, k, MAX_ARRIVALS)),
        shares=tuple(_dirichlet_cumulated(events.marks[s].ravel(), n, rng) for s in STREAMS),
        ends=rng.random((n, horizon, MAX_ARRIVALS)),
        which=rng.random((n, horizon, MAX_ARRIVALS)),
        lifetimes=rng.exponential(size=(n, 3, MAX_MEASURES)),
        hazard=rng.gamma(SHAPE + leverage.ended_alone, 1.0 / (RATE + leverage.measure_months), n),
        p_ends=rng.beta(1 + ended, 1 + relaxations - ended, n),
        calendar=rng.random((n, n_calendar)),
        multiplier=np.exp(0.7 * rng.standard_normal(n)),
    )


def _dirichlet_cumulated(parameters: Floats, n: int, rng: np.random.Generator) -> Floats:
    """[n, cells] cumulated shares; cells with parameter 0 get none. A stream without marks gets the first cell."""
    gammas = rng.gamma(np.maximum(parameters, 1e-300), size=(n, parameters.size)) * (parameters > 0)
    total = gammas.sum(1, keepdims=True)
    shares = np.where(total > 0, gammas / np.where(total > 0, total, 1.0), np.eye(1, parameters.size))
    return np.asarray(np.cumsum(shares, axis=1))


def _poisson(u: Floats, rate: Floats) -> NDArray[np.int64]:
    """Poisson counts by inversion, so that a larger rate never gives fewer arrivals; at most MAX_ARRIVALS."""
    term = np.exp(-rate)
    below = term.copy()
    n = np.zeros(u.shape, np.int64)
    for k in range(1, MAX_ARRIVALS + 1):
        n += u > below
        term = term * rate / k
        below = below + term
    return n


class _Measures:
    """The measures in force on every path: [P, 3, M] intensities and last months."""

    def __init__(self, leverage: Leverage, noise: CommonRandomNumbers) -> None:
        n = len(noise.row)
        self.intensity = np.zeros((n, 3, MAX_MEASURES))
        self.last = np.full((n, 3, MAX_MEASURES), _NEVER)
        self.used = np.zeros((n, 3), np.int64)
        self.place: dict[str, tuple[int, int]] = {}
        self._life = np.floor(noise.lifetimes / noise.hazard[:, None, None]).clip(0, float(_NEVER)).astype(np.int64)
        all_paths = np.arange(n)
        for m in leverage.standing:
            c = CHANNELS.index(m.channel)
            self.place[m.id] = (c, int(self.used[0, c]))
            self.add(all_paths, np.full(n, c), np.full(n, m.intensity), month=0)

    def add(self, paths: NDArray[np.intp], channel: NDArray[np.int64], intensity: NDArray[np.int64], month: int) -> None:
        """Add a measure on each of `paths`. A path whose slots are full keeps its oldest measures."""
        slot = np.minimum(self.used[paths, channel], MAX_MEASURES - 1)
        self.intensity[paths, channel, slot] = intensity
        self.last[paths, channel, slot] = month + self._life[paths, channel, slot]
        self.used[paths, channel] = np.minimum(self.used[paths, channel] + 1, MAX_MEASURES)

    def relax(self, paths: NDArray[np.intp], channel: NDArray[np.int64], pick: Floats, month: int) -> NDArray[np.bool_]:
        """End a random standing measure of the channel on each of `paths`; returns which of them had one."""
        alive = (self.last[paths, channel] > month) & (np.arange(MAX_MEASURES) < self.used[paths, channel][:, None])
        count = alive.sum(1)
        order = np.cumsum(alive, axis=1)
        target = np.floor(pick * count).astype(np.int64) + 1
        slot = np.argmax(order == target[:, None], axis=1)
        present = count > 0
        self.last[paths[present], channel[present], slot[present]] = month
        return np.asarray(present)

    def end(self, where: NDArray[np.bool_], event_id: str, month: int) -> None:
        """End a named measure on the paths `where` it still stands."""
        if event_id in self.place:
            c, slot = self.place[event_id]
            self.last[where, c, slot] = np.minimum(self.last[where, c, slot], month)

    def strength(self, month: int) -> Floats:
        """S by path and channel: log1p of the summed intensity of what is in force on any day of the month."""
        most = int(self.used.max(initial=0))
        in_force = (np.arange(most) < self.used[..., None]) & (self.last[..., :most] >= month)
        return np.log1p((self.intensity[..., :most] * in_force).sum(2))


def due_after(calendar: Sequence[Scheduled], origin: Month, horizon: int) -> list[Scheduled]:
    """What the calendar ends or starts on the way."""
    return [c for c in calendar if c.effect in ("ends", "starts") and 1 <= c.date.month - origin <= horizon]


def simulate_drivers(
    start: DriverState,
    future: ExogenousPaths,
    events: EventRates,
    settings: LeverageSettings,
    calendar: Sequence[Scheduled],
    origin: Month,
    seed: int,
    intervention: Intervention = NO_INTERVENTION,
    n: int = N_PATHS,
    horizon: int = HORIZON,
    noise: CommonRandomNumbers | None = None,
) -> DriverPaths:
    """Paths of every driver for `horizon` months after the origin. The same seed gives the same random numbers with any intervention.

    noise: these, from `random_numbers`, where they were drawn before.
    """
    due = due_after(calendar, origin, horizon)
    noise = noise or random_numbers(events, start.leverage, len(due), n, horizon, np.random.default_rng(seed))
    eta, rate = events.eta[noise.row], events.rate[noise.row]
    log_rate = np.log(np.maximum(rate, 1e-300))

    x = future.log_deaths.copy()
    if intervention.deaths is not None:
        x[:, 12:] += intervention.deaths
    log2_deaths = (x[:, 12:] - LOG_3000) / _LOG2
    opposition = future.opposition - LOGIT_60 + (0.0 if intervention.opposition is None else intervention.opposition)

    measures = _Measures(start.leverage, noise)
    impulse = np.broadcast_to(start.leverage.impulses[:, -1], (n, 3)).copy()
    mobilised, conceded = np.full(n, start.mobilisation), np.full(n, start.concessions)
    push = np.zeros(horizon + 1) if intervention.leverage is None else intervention.leverage

    strength = np.zeros((n, 3, horizon + 1))
    impulses = np.zeros((n, 3, horizon + 1))
    gains, reliefs = np.zeros((2, n, 3, horizon + 1), np.int64)
    strength[:, :, 0] = start.leverage.measures[:, -1]
    impulses[:, :, 0] = start.leverage.impulses[:, -1]
    level = np.zeros((n, horizon + 1))
    level[:, 0] = np.maximum(start.leverage.value[-1] + push[0], 0.0)
    memory = np.zeros((n, horizon + 1))
    memory[:, 0] = mobilised
    arrivals = np.zeros((n, horizon, len(STREAMS)), np.int64)
    keep = [decay(h) for h in settings.half_lives]

    for t in range(1, horizon + 1):
        inputs = (log2_deaths[:, t - 1], conceded, level[:, t - 1])
        centred = [series - mean for series, mean in zip(inputs, events.means, strict=True)]
        rates = np.exp(np.minimum(log_rate + predictors(centred[0], centred[1], centred[2], eta), _LOG_MOST)) * _factors(intervention, t)
        if future.new_us_rates_from is not None and t >= future.new_us_rates_from:
            rates = rates * np.where(_OF_WASHINGTON, noise.multiplier[:, None], 1.0)
        counts = _poisson(noise.arrivals[:, t - 1], rates)
        arrivals[:, t - 1] = counts
        gain, relief, mobilisation = _apply_arrivals(measures, counts, noise, intervention, t)
        gains[:, :, t], reliefs[:, :, t] = gain, relief
        _apply_calendar(measures, due, noise, origin, t)
        for c in range(3):
            impulse[:, c] = impulse_step(impulse[:, c], gain[:, c], relief[:, c], keep[c])
        strength[:, :, t], impulses[:, :, t] = measures.strength(t), impulse
        level[:, t] = np.maximum(combine(strength[:, :, t].T, impulse.T, settings) + push[t], 0.0)
        mobilised = np.maximum(decay(HALF_LIFE) * mobilised, np.log1p(mobilisation))
        memory[:, t] = mobilised
        forced_concession = any(f.stream == "concession" and f.month == t for f in intervention.forced)
        conceded = decay(HALF_LIFE) * conceded + ((counts[:, STREAMS.index("concession")] > 0) | forced_concession)

    return DriverPaths(
        leverage=level,
        log2_deaths=log2_deaths,
        change=x[:, 12:] - x[:, : horizon + 1],
        opposition=opposition,
        mobilisation=memory / future.mobilisation_scale,
        arrivals=arrivals,
        measures=strength,
        impulses=impulses,
        gains=gains,
        reliefs=reliefs,
        eta=eta,
        mobilising=rate[:, STREAMS.index("mobilisation")],
    )


def _factors(intervention: Intervention, t: int) -> Floats:
    active = intervention.rates_from <= t <= intervention.rates_to
    return np.array([intervention.rates.get(s, 1.0) if active else 1.0 for s in STREAMS])


def _apply_arrivals(
    measures: _Measures, counts: NDArray[np.int64], noise: CommonRandomNumbers, intervention: Intervention, t: int
) -> tuple[Floats, Floats, Floats]:
    """Apply the month's arrivals. Returns the strongest gain and relief by channel [P, 3], and the strongest mobilisation [P]."""
    n = len(counts)
    gain, relief, mobilisation = np.zeros((n, 3)), np.zeros((n, 3)), np.zeros(n)
    for k, name in enumerate(STREAMS):
        if name == "concession":
            continue
        kind = name.split(".")[0]
        arriving = []
        for j in range(int(counts[:, k].max(initial=0))):
            paths = np.flatnonzero(counts[:, k] > j)
            arriving.append((paths, *_mark(noise, paths, k, t, j), j, False))
        arriving += [
            (np.arange(n), np.full(n, CHANNELS.index(f.channel) if f.channel else 0), np.full(n, f.intensity), MAX_ARRIVALS - 1, f.ends)
            for f in intervention.forced
            if f.month == t and f.stream == name
        ]
        for paths, channel, intensity, j, certain in arriving:
            if kind == "measure":
                measures.add(paths, channel, intensity, t)
            elif kind == "relaxation":
                ended = np.ones(len(paths), bool) if certain else noise.ends[paths, t - 1, j] < noise.p_ends[paths]
                ended[ended] = measures.relax(paths[ended], channel[ended], noise.which[paths[ended], t - 1, j], t)
                _raise_to(relief, paths[~ended], channel[~ended], intensity[~ended])
            elif kind == "mobilisation":
                mobilisation[paths] = np.maximum(mobilisation[paths], intensity)
            else:
                _raise_to(gain, paths, channel, intensity)
    return gain, relief, mobilisation


def _mark(
    noise: CommonRandomNumbers, paths: NDArray[np.intp], k: int, t: int, j: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
    """Channel and intensity of the j-th arrival of stream k on each of `paths`."""
    cell = (noise.marks[paths, t - 1, k, j, None] > noise.shares[k][paths]).sum(1).clip(0, 3 * MAX_INTENSITY - 1)
    return cell // MAX_INTENSITY, cell % MAX_INTENSITY + 1


def _raise_to(strongest: Floats, paths: NDArray[np.intp], channel: NDArray[np.int64], intensity: NDArray[np.int64]) -> None:
    strongest[paths, channel] = np.maximum(strongest[paths, channel], intensity)


def _apply_calendar(measures: _Measures, due: Sequence[Scheduled], noise: CommonRandomNumbers, origin: Month, t: int) -> None:
    for i, item in enumerate(due):
        if item.date.month - origin != t:
            continue
        where = noise.calendar[:, i] < (1.0 if item.probability is None else item.probability)
        if item.effect == "ends":
            measures.end(where, item.event_id, t)
        elif item.intensity is not None:
            paths = np.flatnonzero(where)
            measures.add(paths, np.full(len(paths), CHANNELS.index(item.channel)), np.full(len(paths), item.intensity), t)
