"""What somebody who knows no model would say to each question, from the record as it stood: the forecasts that ours has to beat.

*Persistence*: nothing changes. Of levels, the present one stays with probability 1 − ε a month, else any other comes; ε from the
changes so far. Of an event, the answer of the last window comes again, with ε from how often it did not; of a count, its rate is that of
the last window. *Climatology*: all goes on as it ever did. Of levels, the monthly transitions so far, ½ added to each; of an event, the
share of past windows; of a count, its rate over the whole record. Every number has ½ added to what was counted, so none is certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log

import numpy as np
from numpy.typing import NDArray

from forecast.data.event_groups import distinct_acts
from forecast.data.records import Event
from forecast.data.settings import Companion, Counts, QuestionsConfig
from forecast.domain import FIRST_MONTH, TOP, Month, Question
from forecast.typing import Floats

TAIL = 1e-7
"""The chance of more than the largest count that a distribution names one by one."""
MAX_COUNT = 400


@dataclass(frozen=True, eq=False)
class Baseline:
    """Probabilities of yes (of a count: of at least one), and of a count also its distributions: chances of 0, 1, …, the last or more."""

    persistence: float
    climatology: float
    persistence_count: Floats | None = None
    climatology_count: Floats | None = None


def baselines(
    questions: Iterable[Question], levels: NDArray[np.int_], events: Sequence[Event], config: QuestionsConfig, origin: Month
) -> dict[str, Baseline]:
    """Of every question whose past is on record; direct action, of which nothing is coded, has none.

    levels [T] of the main reading from FIRST_MONTH to the origin, events and levels as they were known then.
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


def _companion(companion: Companion, events: Sequence[Event], horizon: int, origin: Month) -> Baseline:
    assert companion.counts is not None
    seen = by_month(events, companion.counts, origin)
    windows = past_windows(seen, horizon)
    if companion.kind == "count":
        rates = (windows[-1], float(horizon)), (float(seen.sum()), float(len(seen)))
        last, ever = (count_chances(0.5 + n, months, horizon) for n, months in rates)
        return Baseline(1.0 - float(last[0]), 1.0 - float(ever[0]), last, ever)
    yes = windows > 0
    if companion.none_of is not None:
        yes &= past_windows(by_month(events, companion.none_of, origin), horizon) == 0
    changed = (np.count_nonzero(yes[1:] != yes[:-1]) + 0.5) / len(yes)
    return Baseline(float(1.0 - changed if yes[-1] else changed), float((yes.sum() + 0.5) / (len(yes) + 1.0)))


def by_month(events: Sequence[Event], counts: Counts, origin: Month) -> Floats:
    """How many acts count in each month [T] from FIRST_MONTH to the origin; rows that are one act are one."""
    out = np.zeros(origin - FIRST_MONTH + 1)
    for e in distinct_acts([e for e in events if e.answers] if counts.answers else events):
        if FIRST_MONTH <= e.date.month <= origin and counts_towards(e, counts):
            out[e.date.month - FIRST_MONTH] += 1.0
    return out


def counts_towards(e: Event, counts: Counts) -> bool:
    """Whether a row is of the kind that a companion question counts."""
    named: Mapping[str, str | None] = counts.model_dump(include={"family", "role", "kind", "instrument", "direction", "answers"})
    return (
        all(wanted is None or getattr(e, field) == wanted for field, wanted in named.items())
        and (counts.min_count is None or (e.count or 0) >= counts.min_count)
        and not (counts.without_same_act and e.same_act_as)
    )


def past_windows(seen: Floats, horizon: int) -> Floats:
    """Sums over windows of `horizon` months that do not overlap, the last ending at the origin; what is left at the start is not used."""
    whole = len(seen) // horizon
    return np.asarray(seen[len(seen) - whole * horizon :].reshape(whole, horizon).sum(1))


def count_chances(shape: float, months: float, horizon: int) -> Floats:
    """Chances of 0, 1, … within `horizon` months if the monthly rate is Gamma(shape, months): a negative binomial, its tail in the last."""
    stay, out = log(months / (months + horizon)), [0.0]
    out[0] = exp(shape * stay)
    while 1.0 - sum(out) > TAIL and len(out) < MAX_COUNT:
        k = len(out)
        out.append(exp(lgamma(shape + k) - lgamma(shape) - lgamma(k + 1.0) + shape * stay + k * log(horizon / (months + horizon))))
    return with_tail(np.array(out))


def poisson_chances(means: Floats) -> Floats:
    """Chances of 0, 1, …, averaged over draws of the mean [S], the tail in the last."""
    now = np.exp(-means)
    out = [float(now.mean())]
    while 1.0 - sum(out) > TAIL and len(out) < MAX_COUNT:
        now = now * means / len(out)
        out.append(float(now.mean()))
    return with_tail(np.array(out))


def with_tail(chances: Floats) -> Floats:
    """The last entry takes what is left over."""
    chances[-1] += 1.0 - chances.sum()
    return chances
