"""Leverage L: how hard Washington presses, as a deterministic function of the coded events.

L_t = Σ_c w_c (S_ct + I_ct) / scale, floored at zero. S is log1p of the summed intensity of the measures of channel c in force on any
day of the month; I remembers threats, acts, demonstrations and inducements with a half-life, and a relaxation that ends no measure
takes from it. L = 1 is the mean of the months frozen in `scales.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.arrays.decay import decay, impulse_step
from forecast.domain import CHANNELS, FIRST_MONTH, Month
from forecast.typing import Floats

if TYPE_CHECKING:
    from forecast.data.records import Event


IMPULSES = ("threat", "act", "demonstration", "inducement")


@dataclass(frozen=True)
class LeverageSettings:
    """Settings of leverage that the data cannot test.

    weights     of the channels, in the order of CHANNELS; they sum to one
    half_lives  in months, in the same order
    scale       the leverage that counts as 1
    """

    weights: tuple[float, float, float]
    half_lives: tuple[float, float, float]
    scale: float


@dataclass(frozen=True)
class StandingMeasure:
    """A measure in force at the origin: id of its event, channel, intensity."""

    id: str
    channel: str
    intensity: int


@dataclass(frozen=True)
class Leverage:
    """Leverage by month from FIRST_MONTH to the origin.

    value           [T] L
    measures        [3, T] S by channel
    impulses        [3, T] I by channel
    gains           [3, T] z⁺, the strongest impulse of the month
    reliefs         [3, T] z⁻, the strongest relaxation of the month that ends no measure
    standing        measures in force at the origin
    measure_months  months in force, summed over measures
    ended_alone     number of measures that ended without a relaxation that names them
    """

    value: Floats
    measures: Floats
    impulses: Floats
    gains: Floats
    reliefs: Floats
    standing: tuple[StandingMeasure, ...]
    measure_months: int
    ended_alone: int


def combine(measures: Floats, impulses: Floats, settings: LeverageSettings) -> Floats:
    """L from S and I, both [3, ...] by channel."""
    w = np.asarray(settings.weights).reshape(3, *([1] * (measures.ndim - 1)))
    return np.asarray(np.maximum((w * (measures + impulses)).sum(0) / settings.scale, 0.0))


def impulse_memory(gains: Floats, reliefs: Floats, settings: LeverageSettings, start: Floats | None = None) -> Floats:
    """I [3, ..., T] from z⁺ and z⁻ [3, ..., T] by channel, month after month from `start` [3, ...] (nothing if not given)."""
    keep = np.array([decay(h) for h in settings.half_lives]).reshape(3, *([1] * (gains.ndim - 2)))
    memory = np.zeros(gains.shape[:-1]) if start is None else start
    out = np.zeros(gains.shape)
    for t in range(gains.shape[-1]):
        memory = impulse_step(memory, gains[..., t], reliefs[..., t], keep)
        out[..., t] = memory
    return out


def compute_leverage(events: Sequence[Event], origin: Month, settings: LeverageSettings) -> Leverage:
    """Leverage from the family B events up to the end of the origin month."""
    n = origin - FIRST_MONTH + 1
    pressure = [e for e in events if e.family == "B" and e.date.month <= origin]
    relaxed = relaxation_months(pressure)
    intensity = np.zeros((3, n))
    standing: list[StandingMeasure] = []
    months_in_force = ended_alone = 0
    for e in pressure:
        if e.kind != "measure" or e.intensity is None:
            continue
        ends = [m for m in (e.until.month if e.until else None, relaxed.get(e.id)) if m is not None]
        end = min([*ends, origin])
        c = CHANNELS.index(e.channel)
        intensity[c, max(e.date.month - FIRST_MONTH, 0) : max(end - FIRST_MONTH + 1, 0)] += e.intensity
        months_in_force += end - e.date.month + 1
        if not _over(e, relaxed, origin):
            standing.append(StandingMeasure(e.id, e.channel, e.intensity))
        elif e.id not in relaxed:
            ended_alone += 1
    measures = np.log1p(intensity)
    gains, reliefs = _strongest(pressure, n)
    impulses = impulse_memory(gains, reliefs, settings)
    value = combine(measures, impulses, settings)
    return Leverage(value, measures, impulses, gains, reliefs, tuple(standing), months_in_force, ended_alone)


def relaxation_months(pressure: Sequence[Event]) -> Mapping[str, Month]:
    """Measure id → the month in which a relaxation ended it; of several relaxations the first."""
    out: dict[str, Month] = {}
    for e in pressure:
        for ended in e.ends if e.kind == "relaxation" else ():
            out[ended] = min(out.get(ended, e.date.month), e.date.month)
    return out


def _over(e: Event, relaxed: Mapping[str, Month], origin: Month) -> bool:
    """Whether the measure has ended by the last day of the origin month; one whose `until` lies in the future still stands."""
    return e.id in relaxed or (e.until is not None and e.until.month <= origin)


def _strongest(pressure: Sequence[Event], n: int) -> tuple[Floats, Floats]:
    """z⁺ and z⁻ [3, T]: the strongest impulse of each month, and the strongest relaxation that ends no measure."""
    gain, relief = np.zeros((3, n)), np.zeros((3, n))
    for e in pressure:
        t = e.date.month - FIRST_MONTH
        if e.intensity is None or t < 0 or e.channel not in CHANNELS:
            continue
        c = CHANNELS.index(e.channel)
        if e.kind in IMPULSES:
            gain[c, t] = max(gain[c, t], e.intensity)
        elif e.kind == "relaxation" and not e.ends:
            relief[c, t] = max(relief[c, t], e.intensity)
    return gain, relief


def leverage_scale(events: Sequence[Event], settings: LeverageSettings, start: Month, end: Month) -> float:
    """The scale that makes L = 1 the mean of the months start..end; computed once and frozen in `scales.toml`."""
    raw = LeverageSettings(settings.weights, settings.half_lives, 1.0)
    return float(compute_leverage(events, end, raw).value[start - FIRST_MONTH : end - FIRST_MONTH + 1].mean())
