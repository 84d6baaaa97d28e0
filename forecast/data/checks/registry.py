"""Which checks there are, and which tables each needs.

Where some rows of a file could not be read, what looks at single rows or pairs of them still runs on the others; what asks whether
something is there does not, since it may be among the rows that were refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from typing import Any

from forecast.data.checks import anomalies, dates, events, intervals, jumps, polls, references
from forecast.data.tables import RECORDS, RecordTable
from forecast.data.toml_file import Settings
from forecast.errors import Problem

type Tables = Mapping[str, RecordTable[Any]]
type Check = Callable[..., Iterator[Problem]]

ROW_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (events.check_events, ("events",)),
    (references.check_stakes, ("stakes",)),
    (intervals.check_claims, ("claims",)),
    (intervals.check_overrides, ("readings",)),
    (intervals.check_terms, ("administrations",)),
    (intervals.check_spells, ("spells",)),
    (intervals.check_state_years, ("states",)),
    (intervals.check_pressure_years, ("pressure",)),
    (polls.check_polls, ("polls",)),
    (polls.check_releases, ("overdose_releases",)),
    (polls.check_calendar, ("calendar",)),
    *(
        (dates.check_published, (name,))
        for name in ("events", "polls", "overdose_final", "overdose_releases", "indicators", "spells", "states", "pressure")
    ),
)
"""Checks of the rows of a table."""

TABLE_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (references.check_event_links, ("events",)),
    (references.check_causes, ("events",)),
    (references.check_claim_links, ("claims", "events")),
    (references.check_calendar_links, ("calendar", "events")),
    (references.check_coding_links, ("coding_second", "events")),
    (references.check_states, ("spells", "pressure", "states")),
    (intervals.check_main, ("readings",)),
    (intervals.check_every_month_governed, ("administrations",)),
)
"""Checks that what is named or needed is there."""

ROW_SETTING_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (dates.check_reading_months, ("readings",)),
    *(
        (dates.check_covered, (name,))
        for name in ("events", "claims", "polls", "overdose_final", "overdose_releases", "indicators", "calendar", "spells")
    ),
    *((dates.check_sourced, (name,)) for name in ("overdose_final", "indicators")),
)
"""Checks of the rows of a table against the settings."""

SETTING_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (dates.check_coverage, ()),
    (dates.check_documented, ("claims",)),
)
"""Checks against the settings that something is there."""

ODDITY_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (anomalies.odd_gaps, ("overdose_final",)),
    (anomalies.odd_gaps, ("indicators",)),
    (anomalies.odd_stops, ("overdose_final",)),
    (anomalies.odd_stops, ("indicators",)),
    (anomalies.odd_repeats, ("overdose_final",)),
    (anomalies.odd_repeats, ("indicators",)),
    (anomalies.odd_releases, ("overdose_releases",)),
    (anomalies.odd_pairs, ("events",)),
    (anomalies.odd_counts, ("events",)),
    (anomalies.odd_terms, ("administrations",)),
    *((check, (name,)) for check in (jumps.odd_steps, jumps.odd_signs, jumps.odd_vintages) for name in ("overdose_final", "indicators")),
    (jumps.odd_units, ("indicators",)),
    (jumps.odd_totals, ("overdose_releases",)),
    *((check, ("polls",)) for check in (polls.odd_polls, polls.odd_shares, polls.odd_sizes, polls.odd_twice)),
)
"""What is no error, but worth a look."""

CLOCK_CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (dates.odd_coverage, ()),
    (dates.odd_until, ("events",)),
    *((dates.odd_months, (name,)) for name in ("claims", "states", "pressure")),
    *((dates.odd_published, (name,)) for name, record in RECORDS.items() if "published" in record.model_fields),
)
"""What the clock says is still to come."""


ABSENCE_CHECKS: frozenset[Check] = frozenset({anomalies.odd_gaps, anomalies.odd_stops, anomalies.odd_releases})
"""Of what is odd, the checks of what is not there; the others look at the figures themselves."""


def find_errors(tables: Tables, damaged: Collection[str], settings: Settings | None) -> list[Problem]:
    """Everything impossible across cells, rows and files, in the order of files and lines; `damaged` names the tables that lack rows."""
    found = [p for check, names in ROW_CHECKS for p in check(*_of(tables, names))]
    found += [p for check, names in TABLE_CHECKS if not set(names) & set(damaged) for p in check(*_of(tables, names))]
    if settings:
        found += [p for check, names in ROW_SETTING_CHECKS for p in check(*_of(tables, names), settings)]
        found += [p for check, names in SETTING_CHECKS if not set(names) & set(damaged) for p in check(*_of(tables, names), settings)]
    return sorted(found, key=_place)


def find_oddities(tables: Tables, settings: Settings, today: date | None = None) -> list[Problem]:
    """Everything odd that sources.toml does not declare expected, in the order of files and lines.

    today: the day by the clock; with it, what is still to come is named too.
    """
    found = [p for check, names in ODDITY_CHECKS for p in check(*_of(tables, names), settings)]
    if today is not None:
        found += [p for check, names in CLOCK_CHECKS for p in check(*_of(tables, names), settings, today)]
    return sorted(found, key=_place)


def find_odd_values(tables: Tables, settings: Settings) -> list[Problem]:
    """The oddities that lie in what a row says, not in the absence of another."""
    return sorted(
        (p for check, names in ODDITY_CHECKS if check not in ABSENCE_CHECKS for p in check(*_of(tables, names), settings)), key=_place
    )


def _of(tables: Tables, names: tuple[str, ...]) -> list[RecordTable[Any]]:
    return [tables[name] for name in names]


def _place(problem: Problem) -> tuple[str, int]:
    return problem.file, problem.row or 0
