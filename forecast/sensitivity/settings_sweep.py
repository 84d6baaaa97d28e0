"""Settings that are fixed in the fit, swept: channel weights, half-lives, weights of readings, the selection factor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from forecast.arrays.psis import pareto_smooth
from forecast.domain import CHANNELS
from forecast.priors.distributions import Fixed
from forecast.priors.load import Priors
from forecast.priors.outside_view import RISE, SKIP
from forecast.priors.specs import PriorSpec, Weights
from forecast.reweighting.driver_update import update_drivers
from forecast.reweighting.importance_ratios import likelihood_ratio, log_ratio
from forecast.reweighting.prior_edits import reading_weights
from forecast.sensitivity.target_question import TargetQuestion
from forecast.sensitivity.tipping_points import Point
from forecast.typing import Arrays

SHARES: Final = (0.0, 1 / 3, 2 / 3, 1.0)
FACTORS: Final = (0.5, 2.0)
SELECTION: Final = (1.0, 0.5)
_WEIGHTS, _READINGS, _SELECTION = "leverage.weights", "readings.weights", "outside_view.selection"


@dataclass(frozen=True)
class Sweep:
    """The headline under another setting of `name`: which part of it is set, a channel, a reading or nothing, and to what."""

    name: str
    part: str
    at: Point


def sweeps(arrays: Arrays, priors: Priors, headline: TargetQuestion) -> tuple[Sweep, ...]:
    """Every setting of `settings`, asked of the draws as an edit of priors is; of leverage none, if the draws do not hold its parts."""
    out = []
    for name, part, value, spec in settings(priors):
        new = priors.replace({name: spec})
        if name == _READINGS:
            out.append(Sweep(name, part, _mixed(arrays, new, headline, value)))
        elif name == _SELECTION:
            out.append(Sweep(name, part, _reweighted(priors, new, headline, value)))
        elif "leverage/measures" in arrays:
            out.append(Sweep(name, part, _pressed(arrays, priors, new, name, headline, value)))
    return tuple(out)


def _mixed(arrays: Arrays, new: Priors, headline: TargetQuestion, value: float) -> Point:
    """The readings as they are, weighed anew."""
    shares = reading_weights(arrays, new)
    errors = {r.name: r.error(np.full(r.chance.size, 1 / r.chance.size), r.chance) for r in headline.readings}
    probability = sum(shares[r.name] * r.chance.mean() for r in headline.readings)
    mcse = sum((shares[name] * error) ** 2 for name, error in errors.items()) ** 0.5
    relative = max(errors[r.name] / float(r.chance.mean()) for r in headline.readings)
    return Point(value, float(probability), float(mcse), -np.inf, 1.0, float(relative))


def _reweighted(old: Priors, new: Priors, headline: TargetQuestion, value: float) -> Point:
    """The draws weigh by the ratio of prior densities."""
    weights = {r.name: pareto_smooth(log_ratio(r.draws, old, new, (RISE, SKIP))) for r in headline.readings}
    return headline.point(value, {r.name: r.chance for r in headline.readings}, weights, anchored=False)


def _pressed(arrays: Arrays, old: Priors, new: Priors, name: str, headline: TargetQuestion, value: float) -> Point:
    """Leverage made anew, over history and on the paths."""
    made = update_drivers(arrays, old, new, (name,))
    weights = {r.name: pareto_smooth(likelihood_ratio(r.some, r.history, made.drivers)) for r in headline.readings}
    chances = {r.name: headline.again(r, pool=made.pool).mean(1) for r in headline.readings}
    return headline.point(value, chances, weights, beside=made.trust)


def settings(priors: Priors) -> Iterator[tuple[str, str, float, PriorSpec]]:
    """Name, part, value and spec of each setting that is tried: none that is as it stands."""
    yield from _channels(priors)
    for channel in CHANNELS:
        name = f"leverage.half_life.{channel}"
        for factor in FACTORS:
            months = factor * priors.value(name)
            yield name, channel, months, Fixed(months)
    yield from _readings(priors)
    for factor in SELECTION:
        if abs(factor - priors.value(_SELECTION)) > 1e-9:
            yield _SELECTION, "", factor, Fixed(factor)


def _channels(priors: Priors) -> Iterator[tuple[str, str, float, PriorSpec]]:
    """Each channel at some shares of the weight; what is left goes to the others in proportion to what they have."""
    now = priors.parts(_WEIGHTS)
    for channel in CHANNELS:
        for share in SHARES:
            if abs(share - now[channel]) > 1e-9:
                yield _WEIGHTS, channel, share, Weights(with_share(now, channel, share))


def _readings(priors: Priors) -> Iterator[tuple[str, str, float, PriorSpec]]:
    """Each reading left out, and alone."""
    now = priors.parts(_READINGS)
    for reading in now:
        for share in (0.0, 1.0):
            yield _READINGS, reading, share, Weights(with_share(now, reading, share))


def with_share(now: Mapping[str, float], part: str, share: float) -> dict[str, float]:
    """Weights with one of them at `share`, the others sharing the rest as they do now; evenly if they have nothing now."""
    others = {name: weight for name, weight in now.items() if name != part}
    total = sum(others.values())
    left = {name: (1 - share) * (weight / total if total > 0 else 1 / len(others)) for name, weight in others.items()}
    return {name: share if name == part else left[name] for name in now}
