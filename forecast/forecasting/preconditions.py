"""What data must contain before a model is fitted to them, and which rows no model will use.

Both take data that are already selected by what was public (`data.as_of`), so that every command and `data check` agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from forecast.data.records import Administration, Claim, Event, OverdoseFinal, OverdoseRelease, Poll
from forecast.data.tables import Data, history_months, origin
from forecast.domain import FIRST_MONTH, Month, last_day, month_text
from forecast.errors import Problem
from forecast.forecasting.questions import question_problems
from forecast.model.overdose import finals_used, totals_used
from forecast.model.poll_shares import FIRST_KNOT, field_month, poll_shares
from forecast.model.tolerance_data import ADMINISTRATIONS

FIRST_ORIGIN: Final = Month(FIRST_MONTH + 11)
"""The models need a year of record: by its end the first final overdose counts had been published."""

COUNTRIES: Final = ("Mexico", "US")


def unmet_preconditions(data: Data) -> list[Problem]:
    """Everything that keeps the models from being fitted or the questions from being asked; empty if nothing does."""
    at = origin(data)
    if at < FIRST_ORIGIN:
        through = data.coverage[Event.file]
        expected = f"{last_day(FIRST_ORIGIN)} or later: the record begins in {month_text(FIRST_MONTH)}, and the models need a year of it"
        remedy = "Correct covered_through, or the clock of this machine."
        return [Problem("coverage.toml", f"{Event.file} read through {through}", expected, remedy, column=Event.file)]
    problems = [*_undocumented(data), *_ungoverned(data, at), *_unmeasured(data, at)]
    return problems or question_problems(data.questions, at)


def _undocumented(data: Data) -> Iterator[Problem]:
    known = max(last_day(origin(data)), data.coverage[Claim.file])
    held = [c for c in data.claims if c.stance == "documented" and c.published.last <= known]
    bare = [m for m in history_months(data) if not any(c.start <= m and (c.end is None or m <= c.end) for c in held)]
    if bare:
        found = f"no documented claim published by {known} for {_span(bare)}"
        yield Problem(Claim.file, found, "a level for every month of the record", "Add a claim that covers them.")


def _ungoverned(data: Data, at: Month) -> Iterator[Problem]:
    for country in COUNTRIES:
        terms = [row for row in data.administrations if row.country == country]
        bare = [m for m in range(FIRST_MONTH, at + 1) if not any(row.start <= m <= row.end for row in terms)]
        if bare:
            found = f"no administration of {country} for {_span(bare)}"
            remedy = "Add the term, or correct the `end` of the one before."
            yield Problem(Administration.file, found, f"one for every month to the origin, {month_text(at)}", remedy)
    known = sum(row.country == "Mexico" for row in data.administrations)
    if known >= ADMINISTRATIONS:
        expected = f"at most {ADMINISTRATIONS - 1}, the number that the model can hold"
        remedy = f"Delete terms that ended before {month_text(FIRST_MONTH)}."
        yield Problem(Administration.file, f"{known} administrations of Mexico", expected, remedy)


def _unmeasured(data: Data, at: Month) -> Iterator[Problem]:
    if not poll_shares(data.polls, at):
        found = f"no usable poll in the field by the origin, {month_text(at)}"
        yield Problem(Poll.file, found, "at least one on force, agents or favourability", "Check `use`, `wording` and the dates.")
    if not finals_used(data.overdose_final, at) and not totals_used(data.overdose_releases, at):
        found = f"no deaths with synthetic opioids before the origin, {month_text(at)}, here or in {OverdoseRelease.file}"
        yield Problem(OverdoseFinal.file, found, "final counts or provisional totals", "Check the dates and the series of both files.")


def rows_left_out(data: Data) -> list[Problem]:
    """Rows that are public but enter no model: of months after the origin, and polls before opposition is modelled."""
    at = origin(data)
    waiting: tuple[tuple[Sequence[Any], Callable[[Any], int], str], ...] = (
        (data.events, lambda row: row.date.month, "date"),
        (data.claims, lambda row: row.start, "start"),
        ([p for p in data.polls if p.use == "yes"], field_month, "field_end"),
        (data.overdose_final, lambda row: row.month, "month"),
        (data.overdose_releases, lambda row: row.period_end, "period_end"),
    )
    found = []
    for rows, month, column in waiting:
        late = [row for row in rows if month(row) > at]
        if late:
            expected = f"months to the origin, {month_text(at)}; until the origin reaches them they are left out"
            found.append(_rows(late, column, expected, f"Raise covered_through of {Event.file} once every event up to then has been read."))
    early = [p for p in data.polls if p.use == "yes" and field_month(p) < FIRST_KNOT]
    if early:
        expected = f"field work from {month_text(FIRST_KNOT)} on; earlier polls are left out"
        found.append(_rows(early, "field_end", expected, "Correct the dates, or set use to no."))
    return found


def _rows(rows: Sequence[Any], column: str, expected: str, remedy: str) -> Problem:
    first = rows[0]
    name = " ".join(month_text(v) if c in ("month", "period_end") else str(v) for c in first.key for v in (getattr(first, c),))
    found = name if len(rows) == 1 else f"{name} and {len(rows) - 1} more rows"
    return Problem(first.file, found, expected, remedy, column=column, severity="warning")


def _span(months: Sequence[int]) -> str:
    return month_text(months[0]) if len(months) == 1 else f"{len(months)} months from {month_text(months[0])} to {month_text(months[-1])}"
