"""Model 3: public opposition to US force in Mexico, d_t, from polls of different wordings and houses; and mobilisation, E_t.

    force, agents:   logit p = d_t + τ_wording + r_{pollster, question} + e           e ~ N(0, 1.5/(n p (1−p)) + σ_e²)
    favourability:   logit p = m_f + ω (d_t − logit .6) + r_{pollster, question} + e
    d: linear between quarterly knots from 2000-01, steps N(0, σ_d²)                  r ~ N(0, ρ²)

p is opposed/(opposed + in favour). Given (σ_d, ρ, σ_e, ω) everything is Gaussian: those four are sampled by adaptive importance sampling
(`arrays/importance.py`), and each draw carries its own exact conditional normal. docs/opposition.md says what that shows and what not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecast import domain
from forecast.arrays.decay import decay, peak_memory
from forecast.arrays.importance import STEP_DRAWS, sample_posterior
from forecast.data.records import Event, Poll
from forecast.errors import ForecastError
from forecast.model.events import HALF_LIFE, arrivals, is_mobilisation
from forecast.model.opposition_marginal import (
    HYPER,
    OFFSETS,
    Moments,
    OppositionPriors,
    PollDesign,
    constrain,
    draws,
    house_names,
    log_prior,
    moments,
    unconstrain,
)
from forecast.model.poll_shares import PollShare, poll_shares
from forecast.typing import Floats

__all__ = [
    "LeaveOutEstimate",
    "OppositionDraws",
    "OppositionPosterior",
    "OppositionPriors",
    "PollFit",
    "PosteriorSummary",
    "fit_opposition",
    "leave_out",
    "mobilisation",
    "mobilisation_scale",
]

_NEGLIGIBLE = 1e-7  # share of the weights; draws below it are dropped


@dataclass(frozen=True)
class PosteriorSummary:
    """Posterior mean and sd of one unknown, by name."""

    name: str
    mean: float
    sd: float


@dataclass(frozen=True)
class PollFit:
    """How one poll fits.

    poll          the poll
    fitted        posterior mean of its logit
    influence     change of d at the origin if its logit were one higher
    predicted     mean of its logit given all other polls
    predicted_sd  sd of that prediction
    """

    poll: PollShare
    fitted: float
    influence: float
    predicted: float
    predicted_sd: float


@dataclass(frozen=True, eq=False)
class OppositionDraws:
    """Joint draws of model 3.

    d               [n, months] from 2006-01 to origin + horizon
    hyper           [n, 4] in the order of HYPER
    wording         [n, 3] effects of OFFSETS
    start           [n] the first knot
    intercept       [n] level of favourability
    log_likelihood  [n] of the polls given the draw
    """

    d: Floats
    hyper: Floats
    wording: Floats
    start: Floats
    intercept: Floats
    log_likelihood: Floats


@dataclass(frozen=True, eq=False)
class OppositionPosterior:
    """Posterior of model 3, T months from 2006-01 to the origin.

    origin     the last month
    mean, sd   [T] of d
    mcse       Monte Carlo standard error of the mean at the origin
    hyper      [n, 4] draws of the hyperparameters
    weights    [n] their importance weights, which sum to one
    k_hat      Pareto k̂ of the weights
    effective  effective sample size of the weights
    summaries  hyperparameters, effects of wordings, level of favourability, effects of houses
    fits       how each poll fits
    polls      the polls as arrays
    """

    origin: int
    mean: Floats
    sd: Floats
    mcse: float
    hyper: Floats
    weights: Floats
    k_hat: float
    effective: float
    summaries: tuple[PosteriorSummary, ...]
    fits: tuple[PollFit, ...]
    polls: PollDesign

    def draws(self, rng: np.random.Generator, n: int, horizon: int = 24) -> OppositionDraws:
        """Exact joint draws. Beyond the last poll the random walk continues."""
        hyper = self.hyper[rng.choice(len(self.weights), n, p=self.weights)]
        d, wording, start, intercept, likelihood = draws(rng, self.polls, hyper, self.origin + horizon)
        return OppositionDraws(d, hyper, wording, start, intercept, likelihood)

    def paths(self, rng: np.random.Generator, n: int, horizon: int = 24) -> Floats:
        """Draws of d by month from 2006-01 to origin + horizon: (n, months)."""
        return self.draws(rng, n, horizon).d


def fit_opposition(
    polls: Sequence[Poll], origin: int, priors: OppositionPriors, rng: np.random.Generator, size: int = 2000
) -> OppositionPosterior:
    """Fit model 3 to the polls given (select by `published` before), with `size` draws of the hyperparameters. The caller checks k̂.

    ForecastError if no usable poll is among them.
    """
    rows = poll_shares(polls, origin)
    if not rows:
        raise ForecastError("No usable poll lies before the origin.", "Check `use`, `wording` and the dates in polls.csv.")
    data = PollDesign.of(rows, priors)
    start = unconstrain(np.column_stack([np.asarray(spec.sample(rng, STEP_DRAWS), dtype=float) for spec in priors.hyper]))
    sampled = sample_posterior(start, lambda z: log_prior(priors, z), lambda z: data.log_likelihood(constrain(z)), rng, size)
    kept = sampled.smoothed.weights > _NEGLIGIBLE
    hyper, weights = constrain(sampled.points[kept]), sampled.smoothed.weights[kept]
    weights = weights / weights.sum()
    given = moments(data, hyper, weights, origin)
    now = origin - domain.FIRST_MONTH
    mean = weights @ given.means
    sd = np.sqrt(given.variance + weights @ (given.means - mean) ** 2)
    return OppositionPosterior(
        origin,
        mean[: now + 1],
        sd[: now + 1],
        float(np.sqrt(weights**2 @ (given.means[:, now] - mean[now]) ** 2)),
        hyper,
        weights,
        sampled.smoothed.k_hat,
        sampled.smoothed.ess,
        _summaries(rows, hyper, weights, mean[now + 1 :], sd[now + 1 :]),
        _poll_fits(rows, data, weights, given),
        data,
    )


def _poll_fits(rows: Sequence[PollShare], data: PollDesign, weights: Floats, given: Moments) -> tuple[PollFit, ...]:
    """Leave-one-out predictions weight the hyperparameters without the poll itself: else a poll far off would widen its own prediction."""
    log_others = 0.5 * ((data.y - given.predicted) ** 2 / given.predicted_variance + np.log(given.predicted_variance))
    others = weights[:, None] * np.exp(log_others - log_others.max(0))
    others /= others.sum(0)
    predicted = (others * given.predicted).sum(0)
    spread = np.sqrt((others * (given.predicted_variance + (given.predicted - predicted) ** 2)).sum(0))
    columns = (weights @ given.fitted, weights @ given.influence, predicted, spread)
    return tuple(PollFit(row, *map(float, numbers)) for row, *numbers in zip(rows, *columns, strict=True))


def _summaries(rows: Sequence[PollShare], hyper: Floats, weights: Floats, mean: Floats, sd: Floats) -> tuple[PosteriorSummary, ...]:
    centre = weights @ hyper
    spread = np.sqrt(weights @ (hyper - centre) ** 2)
    houses = (f"house.{pollster}: {topic}" for pollster, topic in house_names(rows))
    names = (*HYPER, *(f"wording.{name}" for name in OFFSETS), "favourability_intercept", *houses)
    return tuple(
        PosteriorSummary(name, float(a), float(b)) for name, a, b in zip(names, np.r_[centre, mean], np.r_[spread, sd], strict=True)
    )


@dataclass(frozen=True)
class LeaveOutEstimate:
    """d at the origin when some polls are left out (`label`): mean, sd, Monte Carlo standard error of the mean."""

    label: str
    mean: float
    sd: float
    mcse: float


def leave_out(polls: Sequence[Poll], origin: int, priors: OppositionPriors, seed: int, size: int = 2000) -> tuple[LeaveOutEstimate, ...]:
    """d at the origin with all polls; without the most influential one; without the newest month's polls on force; without favourability.

    Cases that would leave no poll are left out.
    """

    def refit(kept: Sequence[Poll]) -> OppositionPosterior:
        return fit_opposition(kept, origin, priors, np.random.default_rng(seed), size)

    full = refit(polls)
    influential = max(full.fits, key=lambda fit: abs(fit.influence * (fit.poll.logit - fit.fitted))).poll
    force = [row for row in poll_shares(polls, origin) if row.wording != "favourability"]
    newest = max((row.month for row in force), default=origin)
    cases = {
        f"without {influential.poll_id}": {influential.poll_id},
        f"without force polls of {domain.month_text(newest)}": {row.poll_id for row in force if row.month == newest},
        "without favourability": {row.poll_id for row in poll_shares(polls, origin)} - {row.poll_id for row in force},
    }
    fits = {"all polls": full}
    for label, dropped in cases.items():
        kept = [poll for poll in polls if poll.poll_id not in dropped]
        if dropped and poll_shares(kept, origin):
            fits[label] = refit(kept)
    return tuple(LeaveOutEstimate(label, float(fit.mean[-1]), float(fit.sd[-1]), fit.mcse) for label, fit in fits.items())


def mobilisation(events: Sequence[Event], months: Sequence[int], scale: float = 1.0) -> Floats:
    """E in each of the consecutive `months`: the strongest opposition of each month, remembered with a half-life of three months.

    Counts family C with direction +, one row an act. An answer to a record of family A is left out: else the outcome would explain itself.
    """
    first, last = min([months[0], *(e.date.month for e in events)]), months[-1]
    strongest = np.zeros(last - first + 1)
    for e in arrivals(events):
        if is_mobilisation(e) and e.intensity is not None and e.date.month <= last:
            strongest[e.date.month - first] = max(strongest[e.date.month - first], e.intensity)
    return np.asarray(peak_memory(strongest, decay(HALF_LIFE))[months[0] - first :] / scale)


def mobilisation_scale(events: Sequence[Event], start: int, end: int) -> float:
    """The mean of unscaled mobilisation over the months start..end, both inclusive; computed once and fixed in `scales.toml`."""
    return float(mobilisation(events, range(start, end + 1)).mean())
