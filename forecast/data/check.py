"""Which checks there are, and which tables each needs.

Where some rows of a file could not be read, what looks at single rows or pairs of them still runs on the others; what asks whether
something is there does not, since it may be among the rows that were refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from typing import Any

from forecast.data import (
    check_clock,
    check_dates,
    check_events,
    check_jumps,
    check_links,
    check_odd,
    check_polls,
    check_shares,
    check_spans,
)
from forecast.data.tables import RECORDS, Table
from forecast.data.toml import Settings
from forecast.errors import Problem

type Tables = Mapping[str, Table[Any]]
type Check = Callable[..., Iterator[Problem]]

BY_ROW: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (check_events.check_events, ("events",)),
    (check_links.check_stakes, ("stakes",)),
    (check_spans.check_claims, ("claims",)),
    (check_spans.check_overrides, ("readings",)),
    (check_spans.check_terms, ("administrations",)),
    (check_spans.check_spells, ("spells",)),
    (check_spans.check_state_years, ("states",)),
    (check_spans.check_pressure_years, ("pressure",)),
    (check_polls.check_polls, ("polls",)),
    (check_polls.check_releases, ("overdose_releases",)),
    (check_polls.check_calendar, ("calendar",)),
    *(
        (check_dates.check_published, (name,))
        for name in ("events", "polls", "overdose_final", "overdose_releases", "indicators", "spells", "states", "pressure")
    ),
)
"""Checks of the rows of a table."""

OF_WHOLE: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (check_links.check_event_links, ("events",)),
    (check_links.check_causes, ("events",)),
    (check_links.check_claim_links, ("claims", "events")),
    (check_links.check_calendar_links, ("calendar", "events")),
    (check_links.check_coding_links, ("coding_second", "events")),
    (check_links.check_states, ("spells", "pressure", "states")),
    (check_spans.check_main, ("readings",)),
    (check_spans.check_every_month_governed, ("administrations",)),
)
"""Checks that what is named or needed is there."""

AGAINST: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (check_dates.check_reading_months, ("readings",)),
    *(
        (check_dates.check_covered, (name,))
        for name in ("events", "claims", "polls", "overdose_final", "overdose_releases", "indicators", "calendar", "spells")
    ),
    *((check_dates.check_sourced, (name,)) for name in ("overdose_final", "indicators")),
)
"""Checks of the rows of a table against the settings."""

WHOLE_AGAINST: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (check_dates.check_coverage, ()),
    (check_dates.check_documented, ("claims",)),
)
"""Checks against the settings that something is there."""

ODD: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (check_odd.odd_gaps, ("overdose_final",)),
    (check_odd.odd_gaps, ("indicators",)),
    (check_odd.odd_stops, ("overdose_final",)),
    (check_odd.odd_stops, ("indicators",)),
    (check_odd.odd_repeats, ("overdose_final",)),
    (check_odd.odd_repeats, ("indicators",)),
    (check_odd.odd_releases, ("overdose_releases",)),
    (check_odd.odd_pairs, ("events",)),
    (check_odd.odd_counts, ("events",)),
    (check_odd.odd_terms, ("administrations",)),
    *(
        (check, (name,))
        for check in (check_jumps.odd_steps, check_jumps.odd_signs, check_jumps.odd_vintages)
        for name in ("overdose_final", "indicators")
    ),
    (check_jumps.odd_units, ("indicators",)),
    (check_jumps.odd_totals, ("overdose_releases",)),
    *((check, ("polls",)) for check in (check_shares.odd_polls, check_shares.odd_shares, check_shares.odd_sizes, check_shares.odd_twice)),
)
"""What is no error, but worth a look."""

BY_CLOCK: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (check_clock.odd_coverage, ()),
    (check_clock.odd_until, ("events",)),
    *((check_clock.odd_months, (name,)) for name in ("claims", "states", "pressure")),
    *((check_clock.odd_published, (name,)) for name, record in RECORDS.items() if "published" in record.model_fields),
)
"""What the clock says is still to come."""


ABSENT: frozenset[Check] = frozenset({check_odd.odd_gaps, check_odd.odd_stops, check_odd.odd_releases})
"""Of what is odd, the checks of what is not there; the others look at the figures themselves."""


def errors(tables: Tables, damaged: Collection[str], settings: Settings | None) -> list[Problem]:
    """Everything impossible across cells, rows and files, in the order of files and lines; `damaged` names the tables that lack rows."""
    found = [p for check, names in BY_ROW for p in check(*_of(tables, names))]
    found += [p for check, names in OF_WHOLE if not set(names) & set(damaged) for p in check(*_of(tables, names))]
    if settings:
        found += [p for check, names in AGAINST for p in check(*_of(tables, names), settings)]
        found += [p for check, names in WHOLE_AGAINST if not set(names) & set(damaged) for p in check(*_of(tables, names), settings)]
    return sorted(found, key=_place)


def oddities(tables: Tables, settings: Settings, today: date | None = None) -> list[Problem]:
    """Everything odd that sources.toml does not declare expected, in the order of files and lines.

    today: the day by the clock; with it, what is still to come is named too.
    """
    found = [p for check, names in ODD for p in check(*_of(tables, names), settings)]
    if today is not None:
        found += [p for check, names in BY_CLOCK for p in check(*_of(tables, names), settings, today)]
    return sorted(found, key=_place)


def odd_values(tables: Tables, settings: Settings) -> list[Problem]:
    """The oddities that lie in what a row says, not in the absence of another."""
    return sorted((p for check, names in ODD if check not in ABSENT for p in check(*_of(tables, names), settings)), key=_place)


def _of(tables: Tables, names: tuple[str, ...]) -> list[Table[Any]]:
    return [tables[name] for name in names]


def _place(problem: Problem) -> tuple[str, int]:
    return problem.file, problem.row or 0
