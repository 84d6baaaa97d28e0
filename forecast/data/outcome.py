"""The level of each month from dated claims: as known on a day, as known at the time, and under each reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from forecast.data.records import Claim, ReadingRow
from forecast.data.tables import Data
from forecast.domain import Month, last_day, month_text
from forecast.errors import InputError

type Levels = NDArray[np.int64]
"""One level (0..5) a month, in the order of the months asked for."""


def main_levels(claims: Iterable[Claim], tau: date, months: Sequence[int]) -> Levels:
    """The main reading as known on `tau`, [T]: the level of the documented claim on each month that was published last.

    InputError if no claim covers a month.
    """
    return np.array([claim.level for claim in claims_in_force(claims, tau, months)], dtype=np.int64)


def real_time_levels(claims: Iterable[Claim], months: Sequence[int]) -> Levels:
    """The main reading of each month as known when that month ended, [T]."""
    return np.array([claim.level for claim in real_time_claims(claims, months)], dtype=np.int64)


def reading_levels(data: Data, reading: str, tau: date, months: Sequence[int]) -> Levels:
    """A reading as known on `tau`, [T]: main, overridden in the months of its rows published by then. InputError if it does not exist."""
    names = {row.reading for row in data.readings}
    if reading not in names:
        raise InputError(f"There is no reading {reading!r}.", f"readings.csv has {', '.join(sorted(names))}.")
    levels = main_levels(data.claims, tau, months)
    for row in data.readings:
        if row.reading == reading and row.level is not None and row.published is not None and row.published.last <= tau:
            levels[[_covers(row, m) for m in months]] = row.level
    return levels


def reading_titles(data: Data) -> dict[str, str]:
    """Name of a reading → its title: the first that its rows of readings.csv give, else the name in words."""
    titles: dict[str, str] = {}
    for row in data.readings:
        if row.title and row.reading not in titles:
            titles[row.reading] = row.title
    return {row.reading: titles.get(row.reading, row.reading.replace("_", " ")) for row in data.readings}


def distinct_readings(data: Data, tau: date, months: Sequence[int]) -> dict[str, tuple[str, ...]]:
    """The readings that differ on `tau`, in the order of the file, each with the names of those equal to it (its own first)."""
    groups: dict[str, tuple[str, ...]] = {}
    levels: dict[str, Levels] = {}
    for name in dict.fromkeys(row.reading for row in data.readings):
        mine = reading_levels(data, name, tau, months)
        same = next((other for other, theirs in levels.items() if np.array_equal(mine, theirs)), None)
        if same is None:
            levels[name], groups[name] = mine, (name,)
        else:
            groups[same] += (name,)
    return groups


def claims_in_force(claims: Iterable[Claim], tau: date, months: Sequence[int]) -> tuple[Claim, ...]:
    """The claim that sets the level of each month as known on `tau`. InputError if a month has none."""
    ranked = _documented(claims)
    return tuple(_claim_for(ranked, tau, m) for m in months)


def real_time_claims(claims: Iterable[Claim], months: Sequence[int]) -> tuple[Claim, ...]:
    """The claim that set the level of each month on the month's last day. InputError if a month has none."""
    ranked = _documented(claims)
    return tuple(_claim_for(ranked, last_day(m), m) for m in months)


@dataclass(frozen=True, slots=True)
class LevelChange:
    """A month whose level differs from that of the month before, and the claim that sets it."""

    month: Month
    before: int
    after: int
    claim: Claim


def level_changes(levels: Levels, months: Sequence[int], claims: Sequence[Claim]) -> tuple[LevelChange, ...]:
    """The changes in a series of levels [T]; `claims` are the claims of the same months."""
    return tuple(
        LevelChange(Month(months[i]), int(levels[i - 1]), int(levels[i]), claims[i])
        for i in range(1, len(levels))
        if levels[i] != levels[i - 1]
    )


def _documented(claims: Iterable[Claim]) -> list[Claim]:
    """The documented claims, the newest first; of two published on one day the one with the later id first."""
    return sorted((c for c in claims if c.stance == "documented"), key=lambda c: (c.published.last, c.claim_id), reverse=True)


def _claim_for(ranked: list[Claim], tau: date, month: int) -> Claim:
    claim = next((c for c in ranked if c.published.last <= tau and _covers(c, month)), None)
    if claim is None:
        raise InputError(
            f"No documented claim published by {tau} covers {month_text(month)}.", "Add one to outcome_claims.csv, or ask for later months."
        )
    return claim


def _covers(row: Claim | ReadingRow, month: int) -> bool:
    return row.start is not None and row.start <= month and (row.end is None or month <= row.end)
