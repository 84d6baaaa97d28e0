"""Companion questions: counts and events that resolve often, and US action that Mexico resists. None of them affects the ladder."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.ladder import saturate_pressure
from forecast.arrays.transforms import logit
from forecast.domain import Month
from forecast.forecasting.driver_paths import DriverPaths
from forecast.model.events import ANSWERS, COUNTED, EventRates
from forecast.priors.distributions import Gamma
from forecast.priors.load import Priors
from forecast.typing import Floats

if TYPE_CHECKING:
    from forecast.data.records import Scheduled


@dataclass(frozen=True)
class CompanionRates:
    """The forecast of a companion question, by draw.

    probability    [S] of yes; of a count, of at least one
    prior          [S] the same from the prior
    expected       [S] expected count; None if it is no count
    by_path_batch  [P] mean probability by batch of driver paths; None if it depends on no paths
    """

    probability: Floats
    prior: Floats
    expected: Floats | None = None
    by_path_batch: Floats | None = None


def rate_draws(priors: Priors, slug: str, count: float, months: int, size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Posterior and prior draws [S] of a monthly rate. The prior is a Gamma and conjugate to the count over `months`."""
    spec = priors.spec(f"companion.{slug}")
    if not isinstance(spec, Gamma):
        raise TypeError(f"companion.{slug} must be a Gamma, not {spec}")
    posterior = rng.gamma(spec.shape + count, 1.0 / (spec.rate + months), size)
    return posterior, rng.gamma(spec.shape, 1.0 / spec.rate, size)


def event_count_forecast(priors: Priors, rates: EventRates, slug: str, horizon: int, size: int, rng: np.random.Generator) -> CompanionRates:
    """A companion question that counts events: Poisson within `horizon` months given its rate."""
    n = float(rates.counted[COUNTED.index(slug)].sum())
    return count_forecast(priors, slug, n, rates.counted.shape[1], horizon, size, rng)


def count_forecast(
    priors: Priors, slug: str, count: float, months: int, horizon: int, size: int, rng: np.random.Generator
) -> CompanionRates:
    """The same from the number of events over the months of the window."""
    rate, prior = rate_draws(priors, slug, count, months, size, rng)
    return CompanionRates(-np.expm1(-horizon * rate), -np.expm1(-horizon * prior), expected=horizon * rate)


def determination_forecasts(
    priors: Priors,
    rates: EventRates,
    calendar: Sequence[Scheduled],
    origin: Month,
    horizon: int,
    size: int,
    rng: np.random.Generator,
) -> dict[str, CompanionRates]:
    """Cooperation deemed sufficient (an act says so and none says the contrary), or insufficient. Both may be false."""
    due = [c.date.month - origin for c in calendar if c.effect == "determination"]
    return determinations_from_counts(priors, rates.answers.sum(1), rates.answers.shape[1], due, horizon, size, rng)


def determinations_from_counts(
    priors: Priors, answers: Floats, months: int, determinations: Sequence[int], horizon: int, size: int, rng: np.random.Generator
) -> dict[str, CompanionRates]:
    """The same from the counts [2] of ANSWERS over the months of the window.

    determinations: months after the origin in which one is due. Each rate has its own random numbers, so that another prior of one rate
    leaves the others' draws as they were.
    """
    *own, last = rng.spawn(len(ANSWERS) + 1)
    rate = {a: rate_draws(priors, f"deemed-{a}", float(answers[i]), months, size, own[i]) for i, a in enumerate(ANSWERS)}
    failed = priors.distribution("events.determination").sample(last, size)
    due = sum(1 <= after <= horizon for after in determinations)
    spared = (1.0 - failed) ** due

    def probabilities(which: int) -> tuple[Floats, Floats]:
        no_blame = np.exp(-horizon * rate["insufficient"][which]) * spared
        return -np.expm1(-horizon * rate["sufficient"][which]) * no_blame, 1.0 - no_blame

    (sufficient, insufficient), (prior_s, prior_i) = probabilities(0), probabilities(1)
    return {"deemed-sufficient": CompanionRates(sufficient, prior_s), "deemed-insufficient": CompanionRates(insufficient, prior_i)}


def direct_action(
    priors: Priors, pool: DriverPaths, paths: NDArray[np.int_], horizons: Collection[int], rng: np.random.Generator
) -> dict[int, CompanionRates]:
    """A capture, strike or killing that Mexico resists, by horizon. A judgement: the only data behind it is the simulated pressure.

    logit κ_t = logit(1 − (1 − q_D)^{1/12}) + π_D (ℓ_{t−1} − 1); the probability within a horizon is 1 − Π (1 − κ_t) on each path.
    """
    size = len(paths)
    rate = priors.distribution("direct.rate").sample(rng, size)
    effect = priors.distribution("direct.leverage").sample(rng, size)
    monthly = -np.expm1(np.log1p(-rate) / 12.0)
    base = logit(monthly)
    pressure = saturate_pressure(pool.leverage[:, : max(horizons)])[paths]  # [S, P, H]
    log_odds = base[:, None, None] + effect[:, None, None] * (pressure - 1.0)
    spared = np.cumsum(np.logaddexp(0.0, log_odds), axis=-1)
    out = {}
    for horizon in horizons:
        probability = -np.expm1(-spared[..., horizon - 1])
        out[horizon] = CompanionRates(probability.mean(1), probability.mean(1), by_path_batch=probability.mean(0))
    return out
