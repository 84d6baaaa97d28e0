"""Model 4, events: the rates of pressure, relief, mobilisation and concessions, and what drives them.

    N_{k,t} ~ Poisson(Λ_k exp(z_{k,t−1})),   Λ_k ~ Gamma(½, 1 month)

in the months since the present US administration took office. Given the three elasticities η the rates Λ are conjugate; η itself is
sampled by importance (`arrays/importance.py`), then resampled. The posterior of η is close to its prior, as expected; the report says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.arrays.decay import decay
from forecast.arrays.importance import STEP_DRAWS, sample_posterior
from forecast.data.event_groups import counts_by_month, distinct_acts
from forecast.domain import CHANNELS, FIRST_MONTH, Month
from forecast.typing import Floats

if TYPE_CHECKING:
    from forecast.data.records import Administration, Event
    from forecast.data.settings import CountingRule


STREAMS = (
    *(f"threat.{c}" for c in CHANNELS),
    *(f"measure.{c}" for c in CHANNELS),
    "act", "relaxation", "demonstration", "mobilisation", "concession",
)  # fmt: skip
"""The kinds of events that are simulated."""

DEMANDS = tuple(s for s in STREAMS if s.startswith(("threat", "measure")) or s == "act")
COUNTED = ("senate-vote-in", "mass-hand-over", "designation", "new-tariff")
"""Companion questions that count events. They have their own rates and affect nothing else."""

ANSWERS = ("sufficient", "insufficient")
HALF_LIFE = 3.0
"""Months after which half of a concession or a mobilisation is forgotten."""
MAX_INTENSITY = 5
SHAPE, RATE = 0.5, 1.0  # the Gamma prior of every rate, a month
ELASTICITY_DRAWS = 4_000
MIN_WINDOW = 12


def stream_of(e: Event) -> str | None:
    """The simulated stream an event belongs to, None if to none."""
    if e.family == "B" and e.kind in ("threat", "measure"):
        return f"{e.kind}.{e.channel}"
    if e.family == "B" and e.kind in ("act", "relaxation", "demonstration"):
        return e.kind
    if is_mobilisation(e):
        return "mobilisation"
    if is_concession(e):
        return "concession"
    return None


def is_mobilisation(e: Event) -> bool:
    """Opposition in the street, press or parliament. An answer to a record of family A is not an arrival: see `arrivals`."""
    return e.family == "C" and e.direction == "+"


def is_concession(e: Event) -> bool:
    """A decision granted, a hand-over or a deployment."""
    granted = e.role == "decision" and e.direction == "+"
    return e.family == "A" and (granted or e.instrument in ("hand_over", "deployment"))


def arrivals(events: Sequence[Event]) -> tuple[Event, ...]:
    """The acts that count as arrivals: distinct acts, and one concession a month and episode.

    Opposition to something that Mexico granted or is said to have tolerated is left out: else the outcome would explain itself.
    """
    family = {e.id: e.family for e in events}
    seen: set[tuple[Month, str]] = set()
    out = []
    for e in distinct_acts(events):
        if is_concession(e) and e.episode:
            if (e.date.month, e.episode) in seen:
                continue
            seen.add((e.date.month, e.episode))
        if is_mobilisation(e) and any(family.get(cause) == "A" for cause in e.caused_by):
            continue
        out.append(e)
    return tuple(out)


def concession_memory(events: Sequence[Event], origin: Month) -> Floats:
    """G_t = 2^{−1/3} G_{t−1} + 1[a concession in month t], [T] from FIRST_MONTH."""
    out = np.zeros(origin - FIRST_MONTH + 1)
    months = {e.date.month for e in arrivals(events) if is_concession(e)}
    keep, g = decay(HALF_LIFE), 0.0
    for t in range(out.size):
        g = keep * g + (FIRST_MONTH + t in months)
        out[t] = g
    return out


def window_start(administrations: Sequence[Administration], origin: Month) -> Month:
    """The month in which the US administration at the origin took office; if that is less than a year ago, the administration before.

    Never before the second month of the record, because each month depends on the one before.
    """
    us = sorted((a for a in administrations if a.country == "US" and a.start <= origin), key=lambda a: a.start)
    if len(us) > 1 and origin - us[-1].start + 1 < MIN_WINDOW:
        return Month(max(us[-2].start, FIRST_MONTH + 1))
    return Month(max(us[-1].start, FIRST_MONTH + 1))


@dataclass(frozen=True)
class ElasticityPriors:
    """Normal priors (mean, sd) of the elasticities η.

    demand       of a doubling of deaths
    sufficiency  of a unit of G
    backlash     of a unit of L
    """

    demand: tuple[float, float]
    sufficiency: tuple[float, float]
    backlash: tuple[float, float]


@dataclass(frozen=True)
class EventRates:
    """Posterior of model 4, with D draws, K streams and W months in the window.

    eta [D, 3]        demand, sufficiency, backlash; resampled, equally weighted
    rate [D, K]       Λ a month for STREAMS, given the same row of eta
    counts [K, W]     arrivals in the window
    marks             stream → Dirichlet parameters [3 channels, 5 intensities]
    means             window means of log2(deaths/3000), G and L: they are subtracted
    counted [4, W]    companion counts in the window; answers [2, W] likewise
    ended             (relaxations that ended a measure, relaxations) over all years
    k_hat, effective  of the weights by which eta was resampled
    """

    eta: Floats
    rate: Floats
    counts: Floats
    marks: Mapping[str, Floats]
    means: tuple[float, float, float]
    counted: Floats
    answers: Floats
    ended: tuple[int, int]
    window: tuple[Month, Month]
    k_hat: float = -np.inf
    effective: float = float(ELASTICITY_DRAWS)


def predictors(log2_deaths: Floats, memory: Floats, pressure: Floats, eta: Floats) -> Floats:
    """z [..., K] for STREAMS from centred inputs [...] and eta [..., 3] (demand, sufficiency, backlash)."""
    demand, sufficiency, backlash = eta[..., 0], eta[..., 1], eta[..., 2]
    asks = demand * log2_deaths - sufficiency * memory
    z = np.zeros((*np.broadcast_shapes(asks.shape, pressure.shape), len(STREAMS)))
    for k, name in enumerate(STREAMS):
        if name in DEMANDS:
            z[..., k] = asks
        elif name == "relaxation":
            z[..., k] = sufficiency * memory
        elif name == "mobilisation":
            z[..., k] = backlash * pressure
    return z


def fit_events(
    events: Sequence[Event],
    administrations: Sequence[Administration],
    origin: Month,
    log2_deaths: Floats,
    pressure: Floats,
    priors: ElasticityPriors,
    rng: np.random.Generator,
    rules: Mapping[str, CountingRule],
) -> EventRates:
    """The posterior of rates and elasticities.

    log2_deaths, pressure [T]: log2(deaths/3000) and L by month from FIRST_MONTH to the origin. rules: what each companion question counts,
    as questions.toml says (`data.event_groups.counting_rules`).
    """
    from scipy.special import gammaln

    start = window_start(administrations, origin)
    window = np.arange(start, origin + 1) - FIRST_MONTH
    memory = concession_memory(events, origin)
    acts = [e for e in arrivals(events) if e.date.month <= origin]
    counts = _counts(acts, start, origin)
    means = tuple(float(series[window].mean()) for series in (log2_deaths, memory, pressure))
    lagged = [series[window - 1] - mean for series, mean in zip((log2_deaths, memory, pressure), means, strict=True)]

    prior = np.array([priors.demand, priors.sufficiency, priors.backlash])
    n = counts.sum(1)

    def log_exposure(eta: Floats) -> tuple[Floats, Floats]:
        """z [D, W, K], and log (RATE + Σ e^z) [D, K], which is finite however large z is."""
        z = predictors(lagged[0][None], lagged[1][None], lagged[2][None], eta[:, None, :])
        top = np.maximum(z.max(1), 0.0)
        return z, top + np.log(RATE * np.exp(-top) + np.exp(z - top[:, None]).sum(1))

    def log_marginal(eta: Floats) -> Floats:
        z, exposure = log_exposure(eta)
        return np.asarray((np.einsum("kw,dwk->dk", counts, z) + gammaln(SHAPE + n) - (SHAPE + n) * exposure).sum(1))

    def log_prior(eta: Floats) -> Floats:
        return np.asarray(-0.5 * (((eta - prior[:, 0]) / np.where(prior[:, 1] > 0, prior[:, 1], 1.0)) ** 2).sum(1))

    start_eta = rng.normal(prior[:, 0], prior[:, 1], (STEP_DRAWS, 3))
    sampled = sample_posterior(start_eta, log_prior, log_marginal, rng, ELASTICITY_DRAWS)
    eta = sampled.points[rng.choice(ELASTICITY_DRAWS, ELASTICITY_DRAWS, p=sampled.smoothed.weights)]
    with np.errstate(under="ignore"):
        rate = rng.gamma(SHAPE + n, np.exp(-log_exposure(eta)[1]))
    return EventRates(
        eta=eta,
        rate=rate,
        counts=counts,
        marks={s: _marks(acts, s, start) for s in STREAMS},
        means=(means[0], means[1], means[2]),
        counted=np.array([counts_by_month(events, rules.get(slug), start, origin) for slug in COUNTED]),
        answers=np.array([counts_by_month(events, rules.get(f"deemed-{answer}"), start, origin) for answer in ANSWERS]),
        ended=_ended([e for e in events if e.date.month <= origin]),
        window=(start, origin),
        k_hat=sampled.smoothed.k_hat,
        effective=sampled.smoothed.ess,
    )


def _counts(acts: Sequence[Event], start: Month, origin: Month) -> Floats:
    """Acts of each stream in each month of the window, [K, W]."""
    counts = np.zeros((len(STREAMS), origin - start + 1))
    for e in acts:
        if start <= e.date.month <= origin and (stream := stream_of(e)):
            counts[STREAMS.index(stream), e.date.month - start] += 1
    return counts


def _marks(acts: Sequence[Event], name: str, start: Month) -> Floats:
    """Dirichlet parameters of (channel, intensity): the stream's counts in the window + 2 × the kind's frequencies over all years."""
    kind, _, channel = name.partition(".")
    here, ever = np.zeros((3, MAX_INTENSITY)), np.zeros((3, MAX_INTENSITY))
    for e in acts:
        s = stream_of(e)
        if s is None or s.split(".")[0] != kind or e.intensity is None:
            continue
        c = CHANNELS.index(e.channel) if e.channel in CHANNELS else 0
        if channel:  # the stream has one, which the mark repeats
            c = CHANNELS.index(channel)
        ever[c, e.intensity - 1] += 1
        if s == name and e.date.month >= start:
            here[c, e.intensity - 1] += 1
    return here + (2.0 * ever / ever.sum() if ever.sum() else 0.0)


def _ended(events: Sequence[Event]) -> tuple[int, int]:
    relaxations = [e for e in events if e.family == "B" and e.kind == "relaxation"]
    return sum(bool(e.ends) for e in relaxations), len(relaxations)
