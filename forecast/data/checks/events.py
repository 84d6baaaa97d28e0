"""What the codebook forbids in a row of events.csv, from the families, roles and kinds that it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from forecast.data.coding_rules import CHANNEL_OF, INSTRUMENTS, LEVERAGE_CHANNELS, ROLES
from forecast.data.problems import Finding
from forecast.data.records import Event
from forecast.data.suggestions import did_you_mean, quoted
from forecast.data.tables import RecordTable

type ColumnProblem = tuple[str, str, str, str]  # column, found, expected, remedy

REQUIRED_BY_ROLE: Final = {
    "decision": ("direction", "operation_level"),
    "claim": ("operation_level",),
    "request": ("operation_level",),
    "opposition": ("intensity", "direction"),
}
"""Columns that a row of a role fills in."""

REQUIRED_OF_PRESSURE: Final = ("kind", "intensity", "direction", "instrument")
"""Columns that every row of family B fills in."""

FORBIDDEN_BY_ROLE: Final = {
    "claim": ("direction", "intensity"),
    "decision": ("intensity",),
    **dict.fromkeys(("pressure", "opposition", "context"), ("operation_level",)),
}
"""Columns that a row of a role leaves empty."""


def check_events(table: RecordTable[Event]) -> Iterator[Finding]:
    """Combinations of family, role, kind and dependent columns that the codebook does not have."""
    for i, event in enumerate(table.rows):
        for column, found, expected, remedy in (*_family(event), *_by_role(event), *_pressure(event), *_until(event)):
            yield (i, column, found, expected, remedy)


def _family(event: Event) -> Iterator[ColumnProblem]:
    roles = ROLES[event.family]
    if event.role not in roles:
        yield "role", quoted(event.role), f"{' or '.join(roles)} in family {event.family}", "Correct the role or the family."
    words = INSTRUMENTS[event.family]
    if event.instrument and event.instrument not in words:
        if words:
            yield "instrument", quoted(event.instrument), f"an instrument of family {event.family}", did_you_mean(event.instrument, words)
        else:
            yield "instrument", quoted(event.instrument), f"nothing in family {event.family}", "Empty the cell."
    if event.family != "B":
        for column in ("kind", "answers"):
            if getattr(event, column) is not None:
                yield column, quoted(getattr(event, column)), "nothing: only family B has one", "Empty the cell or correct the family."


def _by_role(event: Event) -> Iterator[ColumnProblem]:
    for column in REQUIRED_BY_ROLE.get(event.role, ()):
        if getattr(event, column) is None:
            yield column, "nothing", f"a value: a {event.role} has one", "Fill it in by the codebook."
    for column in FORBIDDEN_BY_ROLE.get(event.role, ()):
        if getattr(event, column) is not None:
            yield (
                column,
                quoted(str(getattr(event, column))),
                f"nothing: a row of role {event.role} has none",
                "Empty the cell or correct the role.",
            )


def _pressure(event: Event) -> Iterator[ColumnProblem]:
    if event.family != "B":
        return
    for column in REQUIRED_OF_PRESSURE:
        if not getattr(event, column):
            yield column, "nothing", "a value: pressure has one", "Fill it in by the codebook."
    right = CHANNEL_OF.get(event.instrument)
    if event.channel not in LEVERAGE_CHANNELS:
        yield "channel", quoted(event.channel), f"one of {', '.join(LEVERAGE_CHANNELS)}", did_you_mean(event.channel, LEVERAGE_CHANNELS)
    elif right and event.channel != right:
        yield "channel", quoted(event.channel), f"{right}, the channel of {event.instrument}", "Correct the channel or the instrument."
    if event.kind and event.direction and (event.kind == "relaxation") != (event.direction == "-"):
        yield "direction", quoted(event.direction), "- for a relaxation, + for all other pressure", "Correct the direction or the kind."


def _until(event: Event) -> Iterator[ColumnProblem]:
    if event.until and event.kind != "measure":
        yield "until", quoted(str(event.until)), "nothing: only a measure stays in force", "Empty the cell or correct the kind."
    if event.until and event.until.last < event.date.first:
        yield "until", quoted(str(event.until)), f"a day not before the date {event.date}", "Correct one of the two."
    if event.ends and event.kind != "relaxation":
        yield "ends", quoted(";".join(event.ends)), "nothing: only a relaxation ends a measure", "Empty the cell or correct the kind."
