"""References to other rows: each must exist and be of the right kind."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from forecast.data.problems import Finding
from forecast.data.records import Claim, Event, Scheduled, SecondCoding, Stake, State
from forecast.data.suggestions import nearest, quoted
from forecast.data.tables import RecordTable
from forecast.domain import TOP

MAX_NAMED: Final = 6
"""Rows of a circle that are named."""


def check_event_links(table: RecordTable[Event]) -> Iterator[Finding]:
    """`ends`, `caused_by` and `same_act_as` name other rows, `ends` a measure, and `same_act_as` an earlier row."""
    by_id = {event.id: event for event in table.rows}
    for i, event in enumerate(table.rows):
        for column in ("ends", "caused_by", "same_act_as"):
            yield from _dangling(table, i, column, by_id, "events.csv")
            if event.id in getattr(event, column):
                yield (i, column, "its own id", "another row's", "Delete it.")
        for named in (by_id[x] for x in event.ends if x in by_id):
            if named.kind != "measure":
                yield (i, "ends", f"{named.id}, a {named.kind or named.role}", "a measure", "Name the measure that it ends.")
            elif named.until is None:
                found = f"{named.id}, which has no `until`"
                expected = "a measure with the day it ended"
                yield i, "ends", found, expected, f"Write that day into `until` of {named.id}."
            if named.date.first > event.date.last:
                yield (i, "ends", f"{named.id} of {named.date}", f"a row not after {event.date}", "Correct the date or the id.")
        for named in (by_id[x] for x in event.same_act_as if x in by_id):
            if named.date.first > event.date.last:
                found = f"{named.id} of {named.date}, the later row"
                expected = "the id of the earlier row"
                yield i, "same_act_as", found, expected, f"Empty the cell and name {event.id} in {named.id} instead."
    for column in ("caused_by", "same_act_as"):
        yield from _circles(table, column)


def _circles(table: RecordTable[Any], column: str) -> Iterator[Finding]:
    """A circle of rows that lead back to themselves through `column`. A row that names itself is reported elsewhere."""
    key = table.rows[0].key[0] if table.rows else ""
    names = [getattr(row, key) for row in table.rows]
    graph = {name: [x for x in getattr(row, column) if x != name] for name, row in zip(names, table.rows, strict=True)}
    try:
        TopologicalSorter({name: [x for x in named if x in graph] for name, named in graph.items()}).prepare()
    except CycleError as e:
        *circle, _ = e.args[1]  # its first member is also the last
        named = ", ".join(circle[:MAX_NAMED]) + (", …" if len(circle) > MAX_NAMED else "")
        remedy = "Cut it: take the later row out of the cell of the earlier one."
        yield (names.index(circle[0]), column, f"a circle of {quoted(named, 200)[1:-1]}", "rows that lead to earlier ones", remedy)


def check_causes(table: RecordTable[Event]) -> Iterator[Finding]:
    """`caused_by` names no later row."""
    by_id = {event.id: event for event in table.rows}
    for i, event in enumerate(table.rows):
        for cause in (by_id[x] for x in event.caused_by if x in by_id):
            if cause.date.first > event.date.last:
                expected = f"a row not after {event.date}: a cause comes before its effect"
                yield (i, "caused_by", f"{cause.id} of {cause.date}", expected, "Correct the date or the id.")


def check_claim_links(claims: RecordTable[Claim], events: RecordTable[Event]) -> Iterator[Finding]:
    """`supersedes` names claims, `basis_ids` events."""
    claim_ids = {claim.claim_id for claim in claims.rows}
    event_ids = {event.id for event in events.rows}
    for i, claim in enumerate(claims.rows):
        yield from _dangling(claims, i, "supersedes", claim_ids, "outcome_claims.csv")
        if claim.claim_id in claim.supersedes:
            yield (i, "supersedes", "its own id", "another claim's", "Delete it.")
        yield from _dangling(claims, i, "basis_ids", event_ids, "events.csv")
    yield from _circles(claims, "supersedes")


def check_calendar_links(calendar: RecordTable[Scheduled], events: RecordTable[Event]) -> Iterator[Finding]:
    """`event_id` names an event, and where the row ends something, a measure."""
    by_id = {event.id: event for event in events.rows}
    for i, row in enumerate(calendar.rows):
        if row.event_id and row.event_id not in by_id:
            yield _unknown(i, "event_id", row.event_id, by_id, "events.csv")
        elif row.effect == "ends" and row.event_id and by_id[row.event_id].kind != "measure":
            yield (i, "event_id", f"{row.event_id}, no measure", "the measure that ends", "Name the measure.")


def check_coding_links(coding: RecordTable[SecondCoding], events: RecordTable[Event]) -> Iterator[Finding]:
    ids = {event.id for event in events.rows}
    for i, row in enumerate(coding.rows):
        if row.id not in ids:
            yield _unknown(i, "id", row.id, ids, "events.csv")


def check_countries(table: RecordTable[Any], states: RecordTable[State]) -> Iterator[Finding]:
    """Spells and pressure are of states that reference_states.csv has."""
    countries = {state.country for state in states.rows}
    for i, row in enumerate(table.rows):
        if row.country not in countries:
            yield _unknown(i, "country", row.country, countries, "reference_states.csv")


def check_stakes(stakes: RecordTable[Stake]) -> Iterator[Finding]:
    """`applies_to_levels` lists levels of the ladder."""
    levels = [str(k) for k in range(TOP + 1)]
    for i, stake in enumerate(stakes.rows):
        for level in stake.applies_to_levels:
            if level not in levels:
                yield (i, "applies_to_levels", quoted(level), f"levels from 0 to {TOP}, with ';' between them", "Correct the list.")


def _dangling(table: RecordTable[Any], i: int, column: str, ids: Collection[str], file: str) -> Iterator[Finding]:
    for named in getattr(table.rows[i], column):
        if named not in ids:
            yield _unknown(i, column, named, ids, file)


def _unknown(i: int, column: str, named: str, ids: Collection[str], file: str) -> Finding:
    near = nearest(named, ids)
    remedy = f"Did you mean {near!r}? Else add that row first." if near else "Add that row first, or correct the name."
    return (i, column, quoted(named), f"a name in {file}", remedy)
