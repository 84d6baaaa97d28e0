"""Two simple forecasts of each question, which the model has to beat. They use the record alone.

*Persistence*: nothing changes. A level stays with probability 1 − ε a month, where ε comes from the changes so far. An event happens if it
happened in the last window, with an ε likewise. A count has the rate of the last window.
*Climatology*: the future is like the whole past. A level moves with the monthly frequencies so far. An event has the share of past windows
in which it happened. A count has its rate over the whole record.
½ is added to every number counted, so that no probability is 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.data.event_groups import counts_by_month
from forecast.data.records import Event
from forecast.data.settings import CompanionQuestion, QuestionsConfig
from forecast.domain import FIRST_MONTH, TOP, Month, Question
from forecast.typing import Floats

TAIL = 1e-7
"""A distribution of counts is cut where more than the largest count has at most this probability."""
MAX_COUNT = 400


@dataclass(frozen=True, eq=False)
class Baseline:
    """The baselines' forecasts of one question.

    persistence        probability of yes; of a count, of at least one
    climatology        likewise
    persistence_count  of a count: probabilities of 0, 1, …, the last or more; else None
    climatology_count  likewise
    """

    persistence: float
    climatology: float
    persistence_count: Floats | None = None
    climatology_count: Floats | None = None


def baselines(
    questions: Iterable[Question], levels: NDArray[np.int_], events: Sequence[Event], config: QuestionsConfig, origin: Month
) -> dict[str, Baseline]:
    """The baselines of every question whose past is recorded, by id. Direct action has none: no event of it is coded.

    levels: [T] of the main reading from FIRST_MONTH to the origin. Events and levels as they were known at the origin.
    """
    stays, goes_on = persistence_kernel(levels), climatology_kernel(levels)
    out: dict[str, Baseline] = {}
    for q in questions:
        if q.level is not None:
            now = int(levels[-1])
            persistence, climatology = (baseline_probability(kernel, now, q.kind, q.level, q.horizon) for kernel in (stays, goes_on))
            out[q.id] = Baseline(persistence, climatology)
        elif (companion := config.companion[q.companion or ""]).counts is not None:
            out[q.id] = _companion(companion, events, q.horizon, origin)
    return out


def persistence_kernel(levels: NDArray[np.int_]) -> Floats:
    """[6, 6] monthly probabilities: 1 − ε of no change, the rest even; ε = (changes + ½)/(months + 1)."""
    epsilon = (np.count_nonzero(np.diff(levels)) + 0.5) / len(levels)
    return np.where(np.eye(TOP + 1, dtype=bool), 1.0 - epsilon, epsilon / TOP)


def climatology_kernel(levels: NDArray[np.int_]) -> Floats:
    """[6, 6] monthly probabilities from the transitions so far, ½ added to each."""
    counted = np.full((TOP + 1, TOP + 1), 0.5)
    np.add.at(counted, (levels[:-1], levels[1:]), 1.0)
    return np.asarray(counted / counted.sum(1, keepdims=True))


def baseline_probability(kernel: Floats, level: int, kind: str, k: int, horizon: int) -> float:
    """The answer of a Markov chain on the ladder to a question about level k, from `level` at the origin."""
    at = np.eye(len(kernel))[level]
    met = 0.0
    hit = slice(None, k + 1) if kind == "fallen_to" else slice(k, None)
    for _ in range(horizon):
        at = at @ kernel
        if kind != "in_force_at":
            met += float(at[hit].sum())
            at[hit] = 0.0
    return float(at[hit].sum()) if kind == "in_force_at" else met


def _companion(companion: CompanionQuestion, events: Sequence[Event], horizon: int, origin: Month) -> Baseline:
    assert companion.counts is not None
    acts = counts_by_month(events, companion.counts, FIRST_MONTH, origin)
    windows = past_windows(acts, horizon)
    if companion.kind == "count":
        rates = (windows[-1], float(horizon)), (float(acts.sum()), float(len(acts)))
        last, ever = (count_distribution(0.5 + n, months, horizon) for n, months in rates)
        return Baseline(1.0 - float(last[0]), 1.0 - float(ever[0]), last, ever)
    yes = windows > 0
    if companion.none_of is not None:
        yes &= past_windows(counts_by_month(events, companion.none_of, FIRST_MONTH, origin), horizon) == 0
    changed = (np.count_nonzero(yes[1:] != yes[:-1]) + 0.5) / len(yes)
    return Baseline(float(1.0 - changed if yes[-1] else changed), float((yes.sum() + 0.5) / (len(yes) + 1.0)))


def past_windows(counts: Floats, horizon: int) -> Floats:
    """Sums over windows of `horizon` months that do not overlap, the last ending at the origin; months left at the start are not used."""
    whole = len(counts) // horizon
    return np.asarray(counts[len(counts) - whole * horizon :].reshape(whole, horizon).sum(1))


def count_distribution(shape: float, months: float, horizon: int) -> Floats:
    """Probabilities of 0, 1, …, the last or more within `horizon` months, if the monthly rate is Gamma(shape, months)."""
    from scipy.stats import nbinom

    return _cut_tail(nbinom.pmf(np.arange(MAX_COUNT), shape, months / (months + horizon)))


def poisson_distribution(means: Floats) -> Floats:
    """Probabilities of 0, 1, …, the last or more, averaged over draws of the mean [S]."""
    from scipy.stats import poisson

    return _cut_tail(np.asarray(poisson.pmf(np.arange(MAX_COUNT)[:, None], means)).mean(1))


def _cut_tail(pmf: Floats) -> Floats:
    """The distribution up to where at most TAIL is left; the last entry takes the rest."""
    enough = np.flatnonzero(1.0 - np.cumsum(pmf) <= TAIL)
    out = np.array(pmf[: enough[0] + 1] if enough.size else pmf)
    out[-1] += 1.0 - out.sum()
    return out
