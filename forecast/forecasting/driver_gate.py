"""The gate of the drivers: are the fits of models 2 to 4 and leverage plausible enough to base a forecast on?

A row that is wrong by a factor would move the forecast unseen, because the later models take the drivers as given. The GateError names
file, key and value of the row, and how far it lies from what all other rows predict.

Overdose records are checked before model 2 is fitted. Each record is predicted from all others; a provisional total also from all other
releases and the final counts, so that a release that is wrong throughout does not confirm itself. Records that lie too many sds from their
prediction are set aside, the worst first, until the rest agrees. The sums are linearised at the final counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.psis import weight_problem
from forecast.arrays.transforms import expit
from forecast.data.records import OverdoseFinal, OverdoseRelease
from forecast.domain import FIRST_MONTH, Month, month_text
from forecast.errors import GateError
from forecast.model.events import MAX_INTENSITY, STREAMS, EventRates
from forecast.model.leverage import Leverage
from forecast.model.opposition import OppositionPosterior, PollFit
from forecast.model.overdose import (
    FINAL_SD,
    START,
    Layout,
    OverdosePosterior,
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

DEATHS: Final = (10.0, 30_000.0)
"""Limits of monthly deaths from synthetic opioids; since 2005 they were between about 100 and 7,000."""
OPPOSITION_MOST: Final = float(np.log(99.0))
"""Limit of |d|: 99 % on one side."""
POLL_APART, POLL_SDS = 4.0, 5.0
"""A poll that lies so many logits and so many sds from what all other polls predict cannot be of the same public."""
ARRIVALS_MOST: Final = 6.0
"""Limit of a stream's average number a month; the simulation can hold eight in one month."""
LEVERAGE_MOST: Final = 10.0
"""Limit of leverage; 1 is the mean of 2025."""
_COMPARE: Final = "Compare the rows named with their sources, and correct or remove them."


def check_weights(part: str, k_hat: float, effective: float, look_at: str) -> None:
    """GateError if importance weights are too uneven. look_at: the priors and data that may disagree."""
    if why := weight_problem(k_hat, effective):
        raise GateError(
            f"The sampling of {part} failed: {why}.",
            f"Its priors and its data disagree too much. Look at {look_at}; `forecast priors check` lists unusual priors.",
        )


def check_overdose_records(finals: Sequence[OverdoseFinal], releases: Sequence[OverdoseRelease], origin: int) -> None:
    """GateError naming the records of deaths that the others contradict; called before model 2 is fitted to them."""
    if records := contradicted_records(finals, releases, origin):
        named = "; ".join(map(str, records))
        raise GateError(f"Records of overdose deaths contradict each other, so the model was not fitted: {named}.", _COMPARE)


def check_overdose(fit: OverdosePosterior) -> None:
    """GateError if the deaths of a month are outside DEATHS."""
    deaths = np.exp(fit.mean)
    outside = np.flatnonzero(~((deaths >= DEATHS[0]) & (deaths <= DEATHS[1])))
    if outside.size:
        worst = outside[np.abs(fit.mean[outside] - np.log(DEATHS).mean()).argmax()]
        raise GateError(
            f"The overdose records imply {deaths[worst]:,.0f} deaths of synthetic opioids in {month_text(Month(START + int(worst)))}; the "
            f"possible range is {DEATHS[0]:,.0f} to {DEATHS[1]:,.0f} a month.",
            f"Look at overdose_final.csv and overdose_releases.csv around that month. {_COMPARE}",
        )


def check_opposition(fit: OppositionPosterior) -> None:
    """GateError naming polls that all others contradict, or the most influential poll if d is beyond OPPOSITION_MOST."""
    far = [f for f in fit.fits if _distance(f) > POLL_APART and _distance(f) > POLL_SDS * f.predicted_sd]
    if far:
        named = "; ".join(_poll(f) for f in sorted(far, key=_distance, reverse=True)[:5])
        raise GateError(f"Polls contradict each other, so no forecast was made: {named}.", _COMPARE)
    beyond = np.flatnonzero(~(np.abs(fit.mean) <= OPPOSITION_MOST))
    if beyond.size:
        month = month_text(Month(FIRST_MONTH + int(beyond[np.abs(fit.mean[beyond]).argmax()])))
        pulls = max(fit.fits, key=lambda f: abs(f.influence * (f.poll.logit - f.fitted)))
        raise GateError(
            f"Opposition in {month} is estimated beyond 99 % on one side, which cannot be. The most influential poll is {_poll(pulls)}.",
            f"{_COMPARE} If the polls are right, look at the priors opposition.*.",
        )
    check_weights("model 3 (opposition)", fit.k_hat, fit.effective, "the priors opposition.* and polls.csv")


def _distance(fit: PollFit) -> float:
    return abs(fit.poll.logit - fit.predicted)


def _poll(fit: PollFit) -> str:
    expected = expit(fit.predicted)
    share = f"{fit.poll.share:.1%} opposed of those with a view"
    return f"polls.csv, {fit.poll.poll_id}: {share}, where the other polls predict {expected:.0%}"


def check_leverage(pressed: Leverage) -> None:
    """GateError if leverage in a month is beyond LEVERAGE_MOST."""
    top = int(np.nanargmax(pressed.value)) if np.isfinite(pressed.value).any() else 0
    if not np.all(pressed.value <= LEVERAGE_MOST):
        month = month_text(Month(FIRST_MONTH + top))
        raise GateError(
            f"US pressure in {month} is {pressed.value[top]:.1f} times that of 2025; the limit is {LEVERAGE_MOST:.0f}.",
            f"Check events.csv for measures in force in {month} listed twice or without an end, at intensities above {MAX_INTENSITY - 1}, "
            "and in scales.toml for the scale of leverage.",
        )


def check_events(rates: EventRates) -> None:
    """GateError for a stream with more events than the simulation can hold, or if the importance weights of model 4 are too uneven."""
    monthly = rates.counts.mean(1)
    top = int(monthly.argmax())
    if monthly[top] > ARRIVALS_MOST:
        busiest = month_text(Month(rates.window[0] + int(rates.counts[top].argmax())))
        raise GateError(
            f"events.csv has {monthly[top]:.1f} events of the kind {STREAMS[top]} a month since {month_text(rates.window[0])}; at most "
            f"{ARRIVALS_MOST:.0f} can be simulated. Most of them are in {busiest}.",
            "Join rows about one act with `same_act_as`, and remove rows that are listed twice.",
        )
    check_weights("model 4 (events)", rates.k_hat, rates.effective, "the priors events.* and events.csv")


FINAL_MOST: Final = 15.0
"""A final count so many sds from what the other records predict is wrong. The most since 2005 was 7."""
TOTAL_MOST: Final = 8.0
"""The same for a provisional total; the most was 3.6."""
_ROUGH_SD: Final = 0.2  # of final counts where only the trend is needed: one wrong count must not bend it
NAMED: Final = 5
"""At most so many records are named."""


@dataclass(frozen=True, slots=True)
class ContradictedRecord:
    """A record that the others contradict.

    file      its file
    key       which row of the file
    value     deaths in the record
    expected  deaths that the other records predict
    sds       standard deviations between the two
    """

    file: str
    key: str
    value: float
    expected: float
    sds: float

    def __str__(self) -> str:
        factor = self.value / self.expected
        off = f"{factor:.3g} times too high" if factor > 1 else f"{1 / factor:.3g} times too low"
        return f"{self.file}, {self.key}: {self.value:,.0f}, where the other records predict about {self.expected:,.0f} ({off})"


def contradicted_records(
    finals: Sequence[OverdoseFinal], releases: Sequence[OverdoseRelease], origin: int
) -> tuple[ContradictedRecord, ...]:
    """The records of deaths that the others contradict, worst first, at most NAMED."""
    deaths, totals = finals_used(finals, origin), list(totals_used(releases, origin))
    out: list[ContradictedRecord] = []
    while len(out) < NAMED and len(deaths) + len(totals) > 1:
        months, layout = sorted(deaths), Layout.of(origin - START + 1)
        distance, sds = _leave_one_out(layout, np.array(months, dtype=np.intp), np.log([deaths[m] for m in months]), totals)
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
        out.append(ContradictedRecord(*found, float(found[2] * np.exp(-distance[worst])), float(sds[worst])))
    return tuple(out)


def _leave_one_out(layout: Layout, months: NDArray[np.intp], finals: Floats, totals: Sequence[Total]) -> tuple[Floats, Floats]:
    """Distance of each record (finals, then totals) from what the others predict: in logs, and in sds of the prediction.

    A total has two predictions, without itself and without its release; the one that is further away counts.
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
    distance, sds = surprise / np.diag(precision), surprise / np.sqrt(np.diag(precision))
    for release in {t.release for t in totals}:
        block = len(months) + np.flatnonzero([t.release == release for t in totals])
        cov = np.linalg.inv(precision[np.ix_(block, block)])
        joint = cov @ surprise[block]
        joint_sds = joint / np.sqrt(np.diag(cov))
        further = np.abs(joint_sds) > np.abs(sds[block])
        distance[block], sds[block] = np.where(further, joint, distance[block]), np.where(further, joint_sds, sds[block])
    return distance, sds
