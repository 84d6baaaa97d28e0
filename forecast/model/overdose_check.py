"""Which records of overdose deaths cannot be right, because all the others say something else: asked before model 2 is fitted to them.

Each record is predicted from all others, and a provisional total also from all that other releases and the final counts say, so that a
release that is wrong throughout does not vouch for itself. What stands too many sds from that is set aside, worst first, until the rest
agrees. The sums are linearised where the final counts lead, for a level that is off by a factor cancels there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecast.data.records import OverdoseFinal, OverdoseRelease
from forecast.domain import Month, month_text
from forecast.model.overdose import (
    FINAL_SD,
    START,
    Layout,
    Total,
    bias_design,
    final_design,
    finals_used,
    joint_prior,
    log_sums,
    total_noise,
    totals_used,
)
from forecast.typing import Floats

FINAL_MOST: Final = 15.0
"""Sds from what the other records predict beyond which a final count cannot be right. The month most out of line since 2005 has 7."""
TOTAL_MOST: Final = 8.0
"""The same for a provisional total; the most was 3.6."""
_ROUGH_SD: Final = 0.2  # of final counts where only the trend is wanted, which one wrong count must not bend
NAMED: Final = 5
"""How many records are looked for at most."""


@dataclass(frozen=True, slots=True)
class Contradicted:
    """A record that the others contradict: its file, key and value, what they lead one to expect, and how many sds lie between."""

    file: str
    key: str
    value: float
    expected: float
    sds: float

    def __str__(self) -> str:
        factor = self.value / self.expected
        off = f"{factor:.3g} times too high" if factor > 1 else f"{1 / factor:.3g} times too low"
        return f"{self.file}, {self.key}: {self.value:,.0f}, where the other records lead one to expect about {self.expected:,.0f} ({off})"


def contradicted(finals: Sequence[OverdoseFinal], releases: Sequence[OverdoseRelease], origin: int) -> tuple[Contradicted, ...]:
    """The records of deaths that the others contradict, worst first, at most NAMED of them."""
    deaths, totals = finals_used(finals, origin), list(totals_used(releases, origin))
    out: list[Contradicted] = []
    while len(out) < NAMED and len(deaths) + len(totals) > 1:
        months, layout = sorted(deaths), Layout.of(origin - START + 1)
        apart, sds = _left_out(layout, np.array(months, dtype=np.intp), np.log([deaths[m] for m in months]), totals)
        excess = np.abs(sds) / np.r_[np.full(len(months), FINAL_MOST), np.full(len(totals), TOTAL_MOST)]
        worst = int(excess.argmax())
        if not excess[worst] > 1.0:
            break
        if worst < len(months):
            m = months[worst]
            found = "overdose_final.csv", f"month {month_text(Month(m))}", deaths.pop(m)
        else:
            t = totals.pop(worst - len(months))
            key = f"published {t.release.isoformat()}, twelve months to {month_text(Month(t.period_end))}, {t.kind}"
            found = "overdose_releases.csv", key, t.deaths
        out.append(Contradicted(*found, float(found[2] * np.exp(-apart[worst])), float(sds[worst])))
    return tuple(out)


def _left_out(layout: Layout, months: NDArray[np.intp], finals: Floats, totals: Sequence[Total]) -> tuple[Floats, Floats]:
    """How far each record (finals, then totals) lies from what the others predict, in logs, and the same in sds of that.

    Of the two predictions of a total, without it and without its release, the one it is further from.
    """
    prior = joint_prior(layout)
    design, values, noise = final_design(layout, months), finals, np.eye(len(months)) * FINAL_SD**2
    if totals:
        at = prior.condition(design, finals, np.eye(len(months)) * _ROUGH_SD**2).mean
        value, gradient = log_sums(layout, at, np.array([t.period_end for t in totals], dtype=np.intp))
        design = np.vstack([design, gradient + bias_design(layout, totals)])
        values = np.r_[finals, np.log([t.deaths for t in totals]) - value + gradient @ at]
        noise = np.block(
            [[noise, np.zeros((len(months), len(totals)))], [np.zeros((len(totals), len(months))), total_noise(totals)]],
        )  # fmt: skip
    precision = np.linalg.inv(design @ prior.cov @ design.T + noise)
    surprise = precision @ (values - design @ prior.mean)
    apart, sds = surprise / np.diag(precision), surprise / np.sqrt(np.diag(precision))
    for release in {t.release for t in totals}:
        block = len(months) + np.flatnonzero([t.release == release for t in totals])
        cov = np.linalg.inv(precision[np.ix_(block, block)])
        together = cov @ surprise[block]
        there = together / np.sqrt(np.diag(cov))
        further = np.abs(there) > np.abs(sds[block])
        apart[block], sds[block] = np.where(further, together, apart[block]), np.where(further, there, sds[block])
    return apart, sds
