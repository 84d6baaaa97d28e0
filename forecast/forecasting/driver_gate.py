"""The gate of the drivers: whether what models 2 to 4 and leverage say can be so, before anything rests on it.

A row that is off by a factor would pull the forecast unseen, for each later model takes the drivers as they are. GateError names the
file, the key and the value of what pulls, and how far it lies from what all else says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from forecast.arrays.psis import weight_problem
from forecast.arrays.transforms import expit
from forecast.data.records import OverdoseFinal, OverdoseRelease
from forecast.domain import FIRST_MONTH, Month, month_text
from forecast.errors import GateError
from forecast.model.events import MAX_INTENSITY, STREAMS, EventRates
from forecast.model.leverage import Leverage
from forecast.model.opposition import OppositionPosterior, PollFit
from forecast.model.overdose import START, OverdosePosterior
from forecast.model.overdose_check import contradicted

DEATHS: Final = (10.0, 30_000.0)
"""Deaths of synthetic opioids in a month: since 2005 they lay between about 100 and 7,000."""
OPPOSITION_MOST: Final = float(np.log(99.0))
"""Of |d|: 99 % on one side."""
POLL_APART, POLL_SDS = 4.0, 5.0
"""A poll both so many logits and so many sds from what all other polls say of it is no poll of the same public."""
ARRIVALS_MOST: Final = 6.0
"""Of a stream a month, on average: the simulation has room for eight in one."""
LEVERAGE_MOST: Final = 10.0
"""1 is the mean of 2025."""
_COMPARE: Final = "Compare what is named with its source, and correct it or take it out."


def check_weights(part: str, k_hat: float, effective: float, look_at: str) -> None:
    """GateError if weighted draws cannot carry what rests on them. look_at: the priors and data that may disagree."""
    if why := weight_problem(k_hat, effective):
        raise GateError(
            f"{part} could not be sampled soundly: {why}.",
            f"Its priors and its data disagree too far. Look at {look_at}; `forecast priors check` says which priors are odd.",
        )


def check_overdose_records(finals: Sequence[OverdoseFinal], releases: Sequence[OverdoseRelease], origin: int) -> None:
    """GateError naming the records of deaths that the others contradict; asked before model 2 is fitted to them."""
    if found := contradicted(finals, releases, origin):
        named = "; ".join(map(str, found))
        raise GateError(f"Records of overdose deaths contradict each other, so nothing was fitted to them: {named}.", _COMPARE)


def check_overdose(fit: OverdosePosterior) -> None:
    """GateError if the deaths of a month are outside DEATHS."""
    deaths = np.exp(fit.mean)
    outside = np.flatnonzero(~((deaths >= DEATHS[0]) & (deaths <= DEATHS[1])))
    if outside.size:
        worst = outside[np.abs(fit.mean[outside] - np.log(DEATHS).mean()).argmax()]
        raise GateError(
            f"The overdose records make {deaths[worst]:,.0f} deaths of synthetic opioids in {month_text(Month(START + int(worst)))}, where "
            f"{DEATHS[0]:,.0f} to {DEATHS[1]:,.0f} a month can be.",
            f"Look at overdose_final.csv and overdose_releases.csv around that month. {_COMPARE}",
        )


def check_opposition(fit: OppositionPosterior) -> None:
    """GateError naming polls that all others contradict, or the poll that pulls most if d is beyond OPPOSITION_MOST."""
    far = [f for f in fit.fits if _apart(f) > POLL_APART and _apart(f) > POLL_SDS * f.predicted_sd]
    if far:
        named = "; ".join(_poll(f) for f in sorted(far, key=_apart, reverse=True)[:5])
        raise GateError(f"Polls contradict each other, so no forecast rests on them: {named}.", _COMPARE)
    beyond = np.flatnonzero(~(np.abs(fit.mean) <= OPPOSITION_MOST))
    if beyond.size:
        month = month_text(Month(FIRST_MONTH + int(beyond[np.abs(fit.mean[beyond]).argmax()])))
        pulls = max(fit.fits, key=lambda f: abs(f.influence * (f.poll.logit - f.fitted)))
        raise GateError(
            f"Opposition in {month} comes out beyond 99 % on one side, which cannot be. The poll that pulls hardest is {_poll(pulls)}.",
            f"{_COMPARE} If the polls are right, look at the priors opposition.*.",
        )
    check_weights("Model 3 (opposition)", fit.k_hat, fit.effective, "the priors opposition.* and polls.csv")


def _apart(fit: PollFit) -> float:
    return abs(fit.poll.logit - fit.predicted)


def _poll(fit: PollFit) -> str:
    expected = expit(fit.predicted)
    share = f"{fit.poll.share:.1%} opposed of those with a view"
    return f"polls.csv, {fit.poll.poll_id}: {share}, where the others lead one to expect {expected:.0%}"


def check_leverage(pressed: Leverage) -> None:
    """GateError if leverage in a month is beyond LEVERAGE_MOST."""
    top = int(np.nanargmax(pressed.value)) if np.isfinite(pressed.value).any() else 0
    if not np.all(pressed.value <= LEVERAGE_MOST):
        month = month_text(Month(FIRST_MONTH + top))
        raise GateError(
            f"US pressure in {month} comes out at {pressed.value[top]:.1f} times that of 2025; {LEVERAGE_MOST:.0f} is the most.",
            f"Look in events.csv for measures in force in {month} that stand twice or never end, at intensities above {MAX_INTENSITY - 1}, "
            "and in scales.toml for the scale of leverage.",
        )


def check_events(rates: EventRates) -> None:
    """GateError naming a stream of events that comes more often than the simulation has room for, or weak weights of model 4."""
    monthly = rates.counts.mean(1)
    top = int(monthly.argmax())
    if monthly[top] > ARRIVALS_MOST:
        busiest = month_text(Month(rates.window[0] + int(rates.counts[top].argmax())))
        raise GateError(
            f"events.csv has {monthly[top]:.1f} events of the kind {STREAMS[top]} a month since {month_text(rates.window[0])}; at most "
            f"{ARRIVALS_MOST:.0f} can be simulated. Most of them are in {busiest}.",
            "Join rows that tell of one act with `same_act_as`, and take out what stands twice.",
        )
    check_weights("Model 4 (events)", rates.k_hat, rates.effective, "the priors events.* and events.csv")
