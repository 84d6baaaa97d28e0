"""One run in the list of all runs, as its manifest tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from forecast.report import words


@dataclass(frozen=True, slots=True)
class Change:
    """What a published run was made from that the one before it was not; kind: data, priors, model or settings."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A run as its manifest tells of it. What an older run does not tell is None; of a damaged one only `damage` is known.

    question, probability, interval: of the headline; decision: run, refitted or reweighted; published: it is or was `latest`;
    changes: against the published run before it.
    """

    run_id: str
    made: datetime
    latest: bool = False
    published: bool = False
    damage: str | None = None
    page: bool = False
    origin: str | None = None
    as_of: str | None = None
    question: str | None = None
    probability: float | None = None
    interval: tuple[float, float] | None = None
    gate: str | None = None
    decision: str | None = None
    reason: str | None = None
    changes: tuple[Change, ...] = ()

    @property
    def headline(self) -> str:
        """The chance with its interval: 6 % (0.7–15 %)."""
        if self.probability is None:
            return words.NONE
        spread = f" ({words.percent_range(*self.interval)})" if self.interval else ""
        return words.plain_percent(self.probability) + spread
