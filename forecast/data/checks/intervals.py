"""Starts and ends: no interval ends before it starts, and intervals that exclude each other do not overlap."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator
from typing import Any

from forecast.data.problems import Finding
from forecast.data.records import Administration, Claim, ReadingRow, Spell, State
from forecast.data.tables import RecordTable
from forecast.domain import FIRST_MONTH, month_text
from forecast.errors import Problem


def check_claims(table: RecordTable[Claim]) -> Iterator[Finding]:
    yield from _backwards(table, "start", "end", month_text)


def check_spells(table: RecordTable[Spell]) -> Iterator[Finding]:
    yield from _backwards(table, "start", "end", month_text)
    yield from _overlaps(table, "start", "end", month_text, lambda row: row.country)


def check_state_years(table: RecordTable[State]) -> Iterator[Finding]:
    yield from _backwards(table, "year_start", "year_end", str)
    yield from _overlaps(table, "year_start", "year_end", str, lambda row: row.country)


def check_pressure_years(table: RecordTable[Any]) -> Iterator[Finding]:
    yield from _backwards(table, "year_start", "year_end", str)


def check_terms(table: RecordTable[Administration]) -> Iterator[Finding]:
    """One administration a country at a time."""
    yield from _backwards(table, "start", "end", month_text)
    yield from _overlaps(table, "start", "end", month_text, lambda row: row.country)


def check_every_month_governed(table: RecordTable[Administration]) -> Iterator[Finding]:
    """Every month of the record has an administration."""
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
                found = month_text(start)
                expected = f"{month_text(end + 1)}, the month after the last one ended"
                yield i, "start", found, expected, "Close the gap or add the administration between."


def check_main(table: RecordTable[ReadingRow]) -> Iterator[Finding]:
    """There is a main reading."""
    if "main" not in {row.reading for row in table.rows}:
        yield Problem("readings.csv", "no reading 'main'", "a row of main without an override", "Add it: main,title,,,,,why")


def check_overrides(table: RecordTable[ReadingRow]) -> Iterator[Finding]:
    """Main has no override, every other row is a complete one, a reading has one title, and its rows do not overlap."""
    for i, row in enumerate(table.rows):
        for column in ("start", "end", "level", "published"):
            value = getattr(row, column)
            if row.reading == "main" and value is not None:
                yield (i, column, "a value", "nothing: main is what the claims give", "Empty the cell, or name another reading.")
            if row.reading != "main" and value is None and column != "end":
                yield (i, column, "nothing", "a value: an override has one", "Fill it in.")
    titles: dict[str, str] = {}
    for i, row in enumerate(table.rows):
        if row.title and titles.setdefault(row.reading, row.title) != row.title:
            yield (i, "title", repr(row.title), f"{titles[row.reading]!r} as above, or nothing", "Give a reading one title.")
    yield from _backwards(table, "start", "end", month_text)
    yield from _overlaps(table, "start", "end", month_text, lambda row: row.reading)


def _backwards(table: RecordTable[Any], start: str, end: str, text: Any) -> Iterator[Finding]:
    for i, row in enumerate(table.rows):
        first, last = getattr(row, start), getattr(row, end)
        if first is not None and last is not None and last < first:
            yield (i, end, text(last), f"not before its start {text(first)}", "Correct one of the two.")


def _overlaps(table: RecordTable[Any], start: str, end: str, text: Any, group: Any) -> Iterator[Finding]:
    spans: dict[Hashable, list[tuple[int, float, int]]] = {}
    for i, row in enumerate(table.rows):
        first, last = getattr(row, start), getattr(row, end)
        if first is not None:
            spans.setdefault(group(row), []).append((first, float("inf") if last is None else last, i))
    for name, intervals in spans.items():
        intervals.sort()
        for (_, last, before), (first, _, i) in itertools.pairwise(intervals):
            if first <= last:
                line = table.line(before)
                where = f" of line {line}" if line else ""
                found = f"{text(first)}, inside the row{where} that covers {name} then"
                expected = "rows that do not overlap"
                yield i, start, found, expected, "End the earlier row before this one starts."
