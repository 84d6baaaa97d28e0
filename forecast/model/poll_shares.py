"""The polls as data of model 3: a poll enters as one share of those with a view, in one month, with one wording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from forecast import domain
from forecast.arrays.transforms import logit
from forecast.data.coding_rules import opposed_share

if TYPE_CHECKING:
    from forecast.data.records import Poll

FIRST_KNOT: Final = domain.month("2000-01")
"""The month from which opposition is modelled; no poll is older."""

MISSING_N: Final = 600
"""Sample size of a poll that does not state it."""
DESIGN_EFFECT: Final = 1.5

_WORDINGS: Final = {
    "force_unqualified": "unqualified",
    "force_unilateral": "unilateral",
    "force_coordinated": "coordinated",
    "agents": "agents",
    "favourability": "favourability",
}


@dataclass(frozen=True, slots=True)
class PollShare:
    """One question of one poll.

    poll_id       its id
    month         middle of the field work, as domain.Month
    wording       kind of wording
    pollster      who asked
    topic         topic of the question; with the pollster it names a house effect
    share         opposed among those with a view (of favourability: with an unfavourable view of the US)
    n             sample size
    n_assumed     the sample size is not known
    side_assumed  only one side was published, and the other assumed
    """

    poll_id: str
    month: int
    wording: str
    pollster: str
    topic: str
    share: float
    n: int
    n_assumed: bool
    side_assumed: bool

    @property
    def logit(self) -> float:
        return float(logit(self.share))

    @property
    def sampling_variance(self) -> float:
        return DESIGN_EFFECT / (self.n * self.share * (1.0 - self.share))


def field_month(poll: Poll) -> int:
    """The month of the middle of the field period. A date known to the year or month covers all of it."""
    first, last = poll.field_start.first, poll.field_end.last
    return domain.month_of(first + timedelta(days=(last - first).days // 2))


def poll_shares(polls: Sequence[Poll], origin: int) -> tuple[PollShare, ...]:
    """The polls that enter the model, in order of time: usable, on force, agents or favourability, in the field by the origin."""
    out = []
    for poll in polls:
        wording = _WORDINGS.get(poll.wording)
        share, month = opposed_share(poll.opposed_pct, poll.in_favour_pct, poll.other_pct), field_month(poll)
        if poll.use != "yes" or wording is None or share is None or not FIRST_KNOT <= month <= origin:
            continue
        n = poll.n or MISSING_N
        share = min(max(share, 0.5 / n), 1.0 - 0.5 / n)  # half a respondent, so that a unanimous poll has a finite logit
        assumed = poll.other_pct is None and (poll.opposed_pct is None or poll.in_favour_pct is None)
        out.append(PollShare(poll.poll_id, month, wording, poll.pollster, poll.topic, share, n, poll.n is None, assumed))
    return tuple(sorted(out, key=lambda r: (r.month, r.poll_id)))
