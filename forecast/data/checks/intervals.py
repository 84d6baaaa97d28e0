"""Starts and ends: no span ends before it starts, and spans that exclude each other do not overlap."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator
from typing import Any

from forecast.data.problems import row_problem
from forecast.data.records import Administration, Claim, ReadingRow, Spell, State
from forecast.data.tables import RecordTable
from forecast.domain import FIRST_MONTH, month_text
from forecast.errors import Problem


def check_claims(table: RecordTable[Claim]) -> Iterator[Problem]:
    yield from _backwards(table, "start", "end", month_text)


def check_spells(table: RecordTable[Spell]) -> Iterator[Problem]:
    yield from _backwards(table, "start", "end", month_text)
    yield from _overlaps(table, "start", "end", month_text, lambda row: row.country)


def check_state_years(table: RecordTable[State]) -> Iterator[Problem]:
    yield from _backwards(table, "year_start", "year_end", str)
    yield from _overlaps(table, "year_start", "year_end", str, lambda row: row.country)


def check_pressure_years(table: RecordTable[Any]) -> Iterator[Problem]:
    yield from _backwards(table, "year_start", "year_end", str)


def check_terms(table: RecordTable[Administration]) -> Iterator[Problem]:
    """One administration a country at a time."""
    yield from _backwards(table, "start", "end", month_text)
    yield from _overlaps(table, "start", "end", month_text, lambda row: row.country)


def check_every_month_governed(table: RecordTable[Administration]) -> Iterator[Problem]:
    """No month from the first of the record on is without an administration."""
    for country in ("Mexico", "US"):
        terms = sorted((row.start, row.end, i) for i, row in enumerate(table.rows) if row.country == country)
        if not terms or terms[0][0] > FIRST_MONTH:
            yield Problem(
                "administrations.csv",
                f"no administration of {country} in {month_text(FIRST_MONTH)}",
                "one in every month",
                "Add the administration that was in office.",
            )
        for (_, end, _), (start, _, i) in itertools.pairwise(terms):
            if start > end + 1:
                yield row_problem(
                    table,
                    i,
                    "start",
                    month_text(start),
                    f"{month_text(end + 1)}, the month after the last one ended",
                    "Close the gap or add the administration between.",
                )


def check_main(table: RecordTable[ReadingRow]) -> Iterator[Problem]:
    """There is a main reading."""
    if "main" not in {row.reading for row in table.rows}:
        yield Problem("readings.csv", "no reading 'main'", "a row of main without an override", "Add it: main,title,,,,,why")


def check_overrides(table: RecordTable[ReadingRow]) -> Iterator[Problem]:
    """Main has no override; every other row is a whole override; the rows of one reading do not overlap."""
    for i, row in enumerate(table.rows):
        for column in ("start", "end", "level", "published"):
            value = getattr(row, column)
            if row.reading == "main" and value is not None:
                yield row_problem(
                    table, i, column, "a value", "nothing: main is what the claims give", "Empty the cell, or name another reading."
                )
            if row.reading != "main" and value is None and column != "end":
                yield row_problem(table, i, column, "nothing", "a value: an override has one", "Fill it in.")
    titles: dict[str, str] = {}
    for i, row in enumerate(table.rows):
        if row.title and titles.setdefault(row.reading, row.title) != row.title:
            yield row_problem(
                table, i, "title", repr(row.title), f"{titles[row.reading]!r} as above, or nothing", "Give a reading one title."
            )
    dated = [i for i, row in enumerate(table.rows) if row.start is not None]
    part = RecordTable(tuple(table.rows[i] for i in dated), tuple(table.lines[i] for i in dated) if table.lines else ())
    yield from _backwards(part, "start", "end", month_text)
    yield from _overlaps(part, "start", "end", month_text, lambda row: row.reading)


def _backwards(table: RecordTable[Any], start: str, end: str, text: Any) -> Iterator[Problem]:
    for i, row in enumerate(table.rows):
        first, last = getattr(row, start), getattr(row, end)
        if last is not None and last < first:
            yield row_problem(table, i, end, text(last), f"not before its start {text(first)}", "Correct one of the two.")


def _overlaps(table: RecordTable[Any], start: str, end: str, text: Any, group: Any) -> Iterator[Problem]:
    spans: dict[Hashable, list[tuple[int, float, int]]] = {}
    for i, row in enumerate(table.rows):
        last = getattr(row, end)
        spans.setdefault(group(row), []).append((getattr(row, start), float("inf") if last is None else last, i))
    for name, found in spans.items():
        found.sort()
        for (_, last, before), (first, _, i) in itertools.pairwise(found):
            if first <= last:
                line = table.line(before)
                where = f" of line {line}" if line else ""
                yield row_problem(
                    table,
                    i,
                    start,
                    f"{text(first)}, inside the row{where} that covers {name} then",
                    "rows that do not overlap",
                    "End the earlier row before this one starts.",
                )
