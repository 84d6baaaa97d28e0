"""What the codebook forbids in a row of events.csv."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from forecast.data.finding import finding
from forecast.data.records import Event
from forecast.data.suggestions import did_you_mean, shown
from forecast.data.tables import Table
from forecast.data.vocabulary import CHANNEL_OF, INSTRUMENTS, LEVERAGE_CHANNELS, ROLES
from forecast.errors import Problem

type Wrong = tuple[str, str, str, str]  # column, found, expected, remedy

NEEDS: Final = {
    "decision": ("direction", "operation_level"),
    "claim": ("operation_level",),
    "request": ("operation_level",),
    "opposition": ("intensity", "direction"),
}
"""Columns that a row of a role fills in."""

PRESSURE_NEEDS: Final = ("kind", "intensity", "direction", "instrument")
"""Columns that every row of family B fills in."""

FORBIDS: Final = {
    "claim": ("direction", "intensity"),
    "decision": ("intensity",),
    **dict.fromkeys(("pressure", "opposition", "context"), ("operation_level",)),
}
"""Columns that a row of a role leaves empty."""


def check_events(table: Table[Event]) -> Iterator[Problem]:
    """Each combination of family, role, kind and the columns that depend on them which the codebook does not know."""
    for i, event in enumerate(table.rows):
        for column, found, expected, remedy in (*_family(event), *_by_role(event), *_pressure(event), *_until(event)):
            yield finding(table, i, column, found, expected, remedy)


def _family(event: Event) -> Iterator[Wrong]:
    roles = ROLES[event.family]
    if event.role not in roles:
        yield "role", shown(event.role), f"{' or '.join(roles)} in family {event.family}", "Correct the role or the family."
    words = INSTRUMENTS[event.family]
    if event.instrument and event.instrument not in words:
        if words:
            yield "instrument", shown(event.instrument), f"an instrument of family {event.family}", did_you_mean(event.instrument, words)
        else:
            yield "instrument", shown(event.instrument), f"nothing in family {event.family}", "Empty the cell."
    if event.family != "B":
        for column in ("kind", "answers"):
            if getattr(event, column) is not None:
                yield column, shown(getattr(event, column)), "nothing: only family B has one", "Empty the cell or correct the family."


def _by_role(event: Event) -> Iterator[Wrong]:
    for column in NEEDS.get(event.role, ()):
        if getattr(event, column) is None:
            yield column, "nothing", f"a value: a {event.role} has one", "Fill it in by the codebook."
    for column in FORBIDS.get(event.role, ()):
        if getattr(event, column) is not None:
            yield (
                column,
                shown(str(getattr(event, column))),
                f"nothing: a row of role {event.role} has none",
                "Empty the cell or correct the role.",
            )


def _pressure(event: Event) -> Iterator[Wrong]:
    if event.family != "B":
        return
    for column in PRESSURE_NEEDS:
        if not getattr(event, column):
            yield column, "nothing", "a value: pressure has one", "Fill it in by the codebook."
    right = CHANNEL_OF.get(event.instrument)
    if event.channel not in LEVERAGE_CHANNELS:
        yield "channel", shown(event.channel), f"one of {', '.join(LEVERAGE_CHANNELS)}", did_you_mean(event.channel, LEVERAGE_CHANNELS)
    elif right and event.channel != right:
        yield "channel", shown(event.channel), f"{right}, the channel of {event.instrument}", "Correct the channel or the instrument."
    if event.kind and event.direction and (event.kind == "relaxation") != (event.direction == "-"):
        yield "direction", shown(event.direction), "- for a relaxation, + for all other pressure", "Correct the direction or the kind."


def _until(event: Event) -> Iterator[Wrong]:
    if event.until and event.kind != "measure":
        yield "until", shown(str(event.until)), "nothing: only a measure stays in force", "Empty the cell or correct the kind."
    if event.until and event.until.last < event.date.first:
        yield "until", shown(str(event.until)), f"a day not before the date {event.date}", "Correct one of the two."
    if event.ends and event.kind != "relaxation":
        yield "ends", shown(";".join(event.ends)), "nothing: only a relaxation ends a measure", "Empty the cell or correct the kind."
