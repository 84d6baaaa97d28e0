"""The checks of the data, and the tables that each needs. `check_*` finds errors, `odd_*` finds warnings.

If some rows of a file could not be read, checks of single rows still run on the others. Checks that something exists do not run, since it
may be among the rows that were refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from forecast.data.checks import anomalies, dates, events, intervals, jumps, polls, references
from forecast.data.problems import Finding, Severity, row_problem
from forecast.data.tables import RECORDS, RecordTable
from forecast.data.toml_file import Settings
from forecast.errors import Problem

type Tables = Mapping[str, RecordTable[Any]]
type Check = Callable[..., Iterator[Finding]]
type Checks = tuple[tuple[Check, tuple[str, ...]], ...]

_SERIES = ("overdose_final", "indicators")

ROW_CHECKS: Checks = (
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

TABLE_CHECKS: Checks = (
    (references.check_event_links, ("events",)),
    (references.check_causes, ("events",)),
    (references.check_claim_links, ("claims", "events")),
    (references.check_calendar_links, ("calendar", "events")),
    (references.check_coding_links, ("coding_second", "events")),
    *((references.check_countries, (name, "states")) for name in ("spells", "pressure")),
    (intervals.check_main, ("readings",)),
    (intervals.check_every_month_governed, ("administrations",)),
)
"""Checks that a row which is named or needed exists; not run if a table lacks rows."""

ROW_SETTING_CHECKS: Checks = (
    (dates.check_reading_months, ("readings",)),
    *(
        (dates.check_covered, (name,))
        for name in ("events", "claims", "polls", "overdose_final", "overdose_releases", "indicators", "calendar", "spells")
    ),
    *((dates.check_sourced, (name,)) for name in _SERIES),
)
"""Checks of the rows of a table against the TOML files."""

SETTING_CHECKS: Checks = ((dates.check_coverage, ()), (dates.check_documented, ("claims",)))
"""Checks against the TOML files that something exists; not run if a table lacks rows."""

ODDITY_CHECKS: Checks = (
    *((check, (name,)) for check in (anomalies.odd_gaps, anomalies.odd_stops, anomalies.odd_repeats) for name in _SERIES),
    (anomalies.odd_releases, ("overdose_releases",)),
    (anomalies.odd_duplicates, ("events",)),
    (anomalies.odd_counts, ("events",)),
    (anomalies.odd_terms, ("administrations",)),
    *((check, (name,)) for check in (jumps.odd_steps, jumps.odd_signs, jumps.odd_vintages) for name in _SERIES),
    (jumps.odd_units, ("indicators",)),
    (jumps.odd_totals, ("overdose_releases",)),
    *((check, ("polls",)) for check in (polls.odd_distances, polls.odd_shares, polls.odd_samples, polls.odd_repeated_polls)),
)
"""Warnings: no error, but worth a look."""

CLOCK_CHECKS: Checks = (
    (dates.odd_coverage, ()),
    (dates.odd_until, ("events",)),
    *((dates.odd_months, (name,)) for name in ("claims", "states", "pressure")),
    *((dates.odd_published, (name,)) for name, record in RECORDS.items() if "published" in record.model_fields),
)
"""Warnings about what is still to come by the clock."""

ABSENCE_CHECKS: frozenset[Check] = frozenset({anomalies.odd_gaps, anomalies.odd_stops, anomalies.odd_releases})
"""Warnings that something is missing; the other warnings are about the figures of a row."""


def find_errors(tables: Tables, damaged: Collection[str], settings: Settings | None) -> list[Problem]:
    """Everything impossible across cells, rows and files, in the order of files and lines; `damaged` names the tables that lack rows."""
    problems = [*run_checks(ROW_CHECKS, tables), *run_checks(TABLE_CHECKS, tables, skip=damaged)]
    if settings:
        problems += [*run_checks(ROW_SETTING_CHECKS, tables, settings), *run_checks(SETTING_CHECKS, tables, settings, skip=damaged)]
    return sorted(problems, key=_place)


def find_oddities(tables: Tables, settings: Settings, today: date | None = None) -> list[Problem]:
    """Everything odd that sources.toml does not declare expected, in the order of files and lines.

    today: the day by the clock; if given, warnings about what is still to come are added.
    """
    problems = list(run_checks(ODDITY_CHECKS, tables, settings, severity="warning"))
    if today is not None:
        problems += run_checks(CLOCK_CHECKS, tables, settings, today, severity="warning")
    return sorted(problems, key=_place)


def find_odd_values(tables: Tables, settings: Settings) -> list[Problem]:
    """The oddities in the figures of rows, without those that something is missing."""
    checks = tuple(entry for entry in ODDITY_CHECKS if entry[0] not in ABSENCE_CHECKS)
    return sorted(run_checks(checks, tables, settings, severity="warning"), key=_place)


def run_checks(checks: Checks, tables: Tables, *more: Any, severity: Severity = "error", skip: Collection[str] = ()) -> Iterator[Problem]:
    """The problems that checks find, those excepted that need a table in `skip`; `more` is handed to each check after its tables."""
    for check, names in checks:
        if set(names) & set(skip):
            continue
        yield from run_check(check, [tables[name] for name in names], more, severity)


def run_check(check: Check, needed: Sequence[RecordTable[Any]], more: Sequence[Any], severity: Severity) -> list[Problem]:
    """The problems that one check finds in the tables it needs."""
    return [f if isinstance(f, Problem) else row_problem(needed[0], severity, *f) for f in check(*needed, *more)]


def _place(problem: Problem) -> tuple[str, int]:
    return problem.file, problem.row or 0
