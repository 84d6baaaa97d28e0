"""Default values for columns that were left out: the next free id, and what follows from other cells by the codebook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from string import ascii_lowercase
from typing import Final

from forecast.data.coding_rules import CHANNEL_OF, ROLES
from forecast.data.records import Poll
from forecast.data.tables import Data
from forecast.domain import PartialDate

SLOW_POLLSTERS: Final = ("pew", "latinobarometro")
"""Pollsters who publish months after the field work, by the beginning of their names."""

DAYS, DAYS_SLOW = 10, 120
STATED: Final = "stated by the source"


def proposed_value(data: Data, name: str, column: str, cells: Mapping[str, str], taken: Iterable[str] = ()) -> str | None:
    """The default for a column of a row with these cells, None where only a person knows; `taken`: ids besides those of `data`."""
    if name == "events":
        return _event(data, column, cells, taken)
    if name == "claims":
        return next_id((*(c.claim_id for c in data.claims), *taken), "OC") if column == "claim_id" else None
    return _poll(data, column, cells, taken)


def next_id(taken: Iterable[str], prefix: str) -> str:
    """The id after the highest one with a prefix, with the same number of digits."""
    numbers = [match[1] for used in taken if (match := re.fullmatch(rf"{re.escape(prefix)}([0-9]+)", used))]
    width = max(map(len, numbers), default=3)
    return f"{prefix}{max(map(int, numbers), default=0) + 1:0{width}d}"


def _event(data: Data, column: str, cells: Mapping[str, str], taken: Iterable[str]) -> str | None:
    family = cells.get("family", "")
    if column == "id" and family in ROLES:
        return next_id((*(e.id for e in data.events), *taken), family)
    if column == "role" and len(ROLES.get(family, ())) == 1:
        return ROLES[family][0]
    if column == "channel" and family == "B":
        return CHANNEL_OF.get(cells.get("instrument", ""))
    if column == "direction" and family == "B" and cells.get("kind"):
        return "-" if cells["kind"] == "relaxation" else "+"
    return "no" if column == "disputed" else None


def _poll(data: Data, column: str, cells: Mapping[str, str], taken: Iterable[str]) -> str | None:
    if column == "published_basis" and cells.get("published"):
        rule = _published(cells)
        return rule[1] if rule and rule[0] == cells["published"] else STATED
    if column == "published" and (rule := _published(cells)):
        return rule[0]
    if column == "poll_id" and cells.get("pollster") and cells.get("topic") and _partial(cells.get("field_end")):
        return _poll_id(data, cells, {*(p.poll_id for p in data.polls), *taken})
    return None


def _published(cells: Mapping[str, str]) -> tuple[str, str] | None:
    """The day on which a poll without a stated day counts as published, and the rule of the codebook that says so."""
    end = _partial(cells.get("field_end"))
    if end is None:
        return None
    if len(end.text) == 4:
        return date(end.last.year, 12, 31).isoformat(), "rule: year only, last day of the year"
    days = DAYS_SLOW if cells.get("pollster", "").lower().startswith(SLOW_POLLSTERS) else DAYS
    return (end.last + timedelta(days=days)).isoformat(), f"rule: field end + {days} days"


def _poll_id(data: Data, cells: Mapping[str, str], taken: set[str]) -> str:
    """`pollster-YYYY-MM:topic`, in the short forms of earlier rows, with a letter after the month if that is taken."""
    house = _short(data.polls, "pollster", cells["pollster"], 0) or re.sub(r"[^a-z0-9]", "", cells["pollster"].lower())
    topic = _short(data.polls, "topic", cells["topic"], 1) or cells["topic"].removeprefix("mx_")
    when = cells["field_end"][:7]
    proposed = (f"{house}-{when}{suffix}:{topic}" for suffix in ("", *ascii_lowercase[1:]))
    return next((i for i in proposed if i not in taken), f"{house}-{when}:{topic}")


def _short(polls: Iterable[Poll], column: str, value: str, part: int) -> str | None:
    """The short form of this pollster or topic in the id of its newest row."""
    ids = [poll.poll_id for poll in polls if getattr(poll, column) == value]
    match = re.fullmatch(r"(.+?)-[0-9]{4}[^:]*:(.+)", ids[-1]) if ids else None
    return match[part + 1] if match else None


def _partial(text: str | None) -> PartialDate | None:
    try:
        return PartialDate.parse(text or "")
    except ValueError:
        return None
