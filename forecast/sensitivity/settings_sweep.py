"""The headline under other settings that the fit takes as given: channel weights, half-lives, weights of readings, selection factor."""

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
from forecast.reweighting.edit_effects import READING_WEIGHTS, SELECTION
from forecast.reweighting.importance_ratios import log_ratio
from forecast.reweighting.prior_edits import reading_weights
from forecast.sensitivity.target_question import Point, TargetQuestion
from forecast.typing import Arrays

LEVERAGE_WEIGHTS: Final = "leverage.weights"
SHARES: Final = (0.0, 1 / 3, 2 / 3, 1.0)
FACTORS: Final = (0.5, 2.0)
SELECTION_FACTORS: Final = (1.0, 0.5)


@dataclass(frozen=True)
class Sweep:
    """The headline with a part of the setting `name`, a channel or a reading (empty if it has no parts), at the value of `at`."""

    name: str
    part: str
    at: Point


def sweeps(arrays: Arrays, priors: Priors, target: TargetQuestion) -> tuple[Sweep, ...]:
    """The headline at every setting of `settings`, by weights as for an edit of priors."""
    out = []
    for name, part, value, spec in settings(priors):
        new = priors.replace({name: spec})
        if name == READING_WEIGHTS:
            point = _mixed(arrays, new, target, value)
        elif name == SELECTION:
            point = _reweighted(priors, new, target, value)
        else:
            point = _pressed(arrays, priors, new, name, target, value)
        out.append(Sweep(name, part, point))
    return tuple(out)


def _mixed(arrays: Arrays, new: Priors, target: TargetQuestion, value: float) -> Point:
    """The readings as they are, with other weights."""
    shares = reading_weights(arrays, new)
    errors = {r.name: r.error(np.full(r.probabilities.size, 1 / r.probabilities.size), r.probabilities) for r in target.readings}
    probability = sum(shares[r.name] * r.probabilities.mean() for r in target.readings)
    mcse = sum((shares[name] * error) ** 2 for name, error in errors.items()) ** 0.5
    relative = max(errors[r.name] / float(r.probabilities.mean()) for r in target.readings)
    return Point.judge(value, float(probability), float(mcse), -np.inf, 1.0, float(relative))


def _reweighted(old: Priors, new: Priors, target: TargetQuestion, value: float) -> Point:
    """The draws weigh by the ratio of prior densities."""
    weights = {r.name: pareto_smooth(log_ratio(r.draws, old, new, (RISE, SKIP))) for r in target.readings}
    return target.point(value, {r.name: r.probabilities for r in target.readings}, weights, corrected=False)


def _pressed(arrays: Arrays, old: Priors, new: Priors, name: str, target: TargetQuestion, value: float) -> Point:
    """With leverage computed anew, over history and on the paths."""
    updated = update_drivers(arrays, old, new, (name,))
    weights = {r.name: pareto_smooth(r.subsample_record.driver_ratio(updated.drivers)) for r in target.readings}
    probabilities = {r.name: target.resimulate(r, pool=updated.pool).mean(1) for r in target.readings}
    return target.point(value, probabilities, weights, path_weights=updated.path_weights)


def settings(priors: Priors) -> Iterator[tuple[str, str, float, PriorSpec]]:
    """Name, part, value and spec of each other setting."""
    yield from _channels(priors)
    for channel in CHANNELS:
        name = f"leverage.half_life.{channel}"
        for factor in FACTORS:
            months = factor * priors.value(name)
            yield name, channel, months, Fixed(months)
    yield from _readings(priors)
    for factor in SELECTION_FACTORS:
        if abs(factor - priors.value(SELECTION)) > 1e-9:
            yield SELECTION, "", factor, Fixed(factor)


def _channels(priors: Priors) -> Iterator[tuple[str, str, float, PriorSpec]]:
    """Each channel at the SHARES of the weight; the others share the rest in proportion to what they have."""
    now = priors.parts(LEVERAGE_WEIGHTS)
    for channel in CHANNELS:
        for share in SHARES:
            if abs(share - now[channel]) > 1e-9:
                yield LEVERAGE_WEIGHTS, channel, share, Weights(with_share(now, channel, share))


def _readings(priors: Priors) -> Iterator[tuple[str, str, float, PriorSpec]]:
    """Each reading left out, and alone."""
    now = priors.parts(READING_WEIGHTS)
    for reading in now:
        for share in (0.0, 1.0):
            yield READING_WEIGHTS, reading, share, Weights(with_share(now, reading, share))


def with_share(now: Mapping[str, float], part: str, share: float) -> dict[str, float]:
    """Weights with one of them at `share`, the others sharing the rest as they do now; evenly if they have nothing now."""
    others = {name: weight for name, weight in now.items() if name != part}
    total = sum(others.values())
    left = {name: (1 - share) * (weight / total if total > 0 else 1 / len(others)) for name, weight in others.items()}
    return {name: share if name == part else left[name] for name in now}
