"""The basic terms of the forecast: months, levels, horizons, questions. Frozen, no I/O, standard library only."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, Literal, NewType

Month = NewType("Month", int)
"""A reference month, counted as 12·year + month − 1, so that subtraction gives months."""

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


def month(text: str) -> Month:
    """The month written `YYYY-MM`; ValueError if there is no such month."""
    match = _MONTH.fullmatch(text)
    if not match or match[1] == "0000" or not 1 <= int(match[2]) <= 12:
        raise ValueError(f"{text!r} is not a month of the form YYYY-MM")
    return Month(12 * int(match[1]) + int(match[2]) - 1)


def month_of(day: date) -> Month:
    return Month(12 * day.year + day.month - 1)


def month_text(m: int) -> str:
    return f"{m // 12:04d}-{m % 12 + 1:02d}"


def first_day(m: int) -> date:
    return date(m // 12, m % 12 + 1, 1)


@lru_cache(4096)
def last_day(m: int) -> date:
    return date(m // 12, m % 12 + 1, calendar.monthrange(m // 12, m % 12 + 1)[1])


STALE_AFTER: Final = 45
"""A forecast is stale so many days after the end of its origin."""


def is_stale(origin: int, today: date) -> bool:
    return (today - last_day(origin)).days > STALE_AFTER


_PARTIAL = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


@dataclass(frozen=True, slots=True, order=True)
class PartialDate:
    """A date known to the day, the month or the year. It counts as its last day.

    last   the last day that it may be
    first  the first such day
    text   as it was written
    """

    last: date
    first: date
    text: str

    @classmethod
    @lru_cache(4096)  # the rows of a release share a day, and data are read again and again
    def parse(cls, text: str) -> PartialDate:
        """`YYYY`, `YYYY-MM` or `YYYY-MM-DD`; ValueError for anything else, or a day that does not exist."""
        match = _PARTIAL.fullmatch(text)
        if not match:
            raise ValueError(f"{text!r} is not a date of the form YYYY, YYYY-MM or YYYY-MM-DD")
        year, mon, day = (int(part) if part else None for part in match.groups())
        assert year is not None
        try:
            if mon is None:
                return cls(date(year, 12, 31), date(year, 1, 1), text)
            if day is None:
                return cls(date(year, mon, calendar.monthrange(year, mon)[1]), date(year, mon, 1), text)
            return cls(date(year, mon, day), date(year, mon, day), text)
        except (ValueError, calendar.IllegalMonthError):
            raise ValueError(f"{text!r} is not a day of the calendar") from None

    @property
    def month(self) -> Month:
        return month_of(self.last)

    def __str__(self) -> str:
        return self.text


LEVELS: Final = ("refusal", "liaison", "surveillance", "embedded", "covert action", "acknowledged action")
"""Names of the levels 0..5 of the ladder."""

TOP: Final = len(LEVELS) - 1
HORIZONS: Final = (3, 6, 12, 24)
"""Months after the origin for which questions are asked."""
LONGEST: Final = HORIZONS[-1]
"""Months after the origin that are simulated."""

FIRST_MONTH: Final = month("2006-01")
"""The first month of Mexico's record; the first transition is into the month after it."""

CHANNELS: Final = ("economic", "diplomatic", "security")

PUBLISHED_CHOICE: Final = "as published"
DISPUTED_ACT: Final = "disputed act"
PRESSURE_SCALE: Final = "scale of pressure"
"""Groups of the multiverse that a report names: the published analysis, the one without the disputed act, other transforms of pressure."""

type LevelKind = Literal["reached_by", "in_force_at", "fallen_to"]
type QuestionKind = Literal["reached_by", "in_force_at", "fallen_to", "event", "count"]

_PREFIX: Final[Mapping[QuestionKind, str]] = {
    "reached_by": "reach", "in_force_at": "hold", "fallen_to": "fall", "event": "event", "count": "count",
}  # fmt: skip
_LEVEL_ID = re.compile(r"(reach|hold|fall)-([0-5])-([1-9][0-9]*)m")
_COMPANION_ID = re.compile(r"(event|count)-([a-z0-9]+(?:-[a-z0-9]+)*)-([1-9][0-9]*)m")


@dataclass(frozen=True, slots=True)
class QuestionId:
    """The parts of a question's id; `str` puts them together again.

    kind       what is asked
    level      the level asked about, None for a companion question
    companion  the companion question's name, None for a question about a level
    horizon    months after the origin
    """

    kind: QuestionKind
    level: int | None
    companion: str | None
    horizon: int

    def __str__(self) -> str:
        return f"{_PREFIX[self.kind]}-{self.companion if self.level is None else self.level}-{self.horizon}m"


@dataclass(frozen=True, slots=True)
class Question:
    """A question that can be resolved.

    id       its stable name, such as `reach-4-12m`; see `parse_id`
    text     the question in words
    kind     what is asked
    level    the level asked about, None for a companion question
    horizon  months after the origin
    start    first month of the window
    end      last month of the window
    """

    id: str
    text: str
    kind: QuestionKind
    level: int | None
    horizon: int
    start: Month
    end: Month

    @staticmethod
    def parse_id(text: str) -> QuestionId:
        """The parts of an id of the forecast's own questions. ValueError for any other text.

        >>> Question.parse_id("count-mass-hand-over-12m")
        QuestionId(kind='count', level=None, companion='mass-hand-over', horizon=12)
        """
        kinds: dict[str, QuestionKind] = {prefix: kind for kind, prefix in _PREFIX.items()}
        if match := _LEVEL_ID.fullmatch(text):
            return QuestionId(kinds[match[1]], int(match[2]), None, int(match[3]))
        if match := _COMPANION_ID.fullmatch(text):
            return QuestionId(kinds[match[1]], None, match[2], int(match[3]))
        raise ValueError(f"{text!r} is not the id of a question")

    @property
    def companion(self) -> str | None:
        """The companion question's name, None for a question about a level."""
        return self.parse_id(self.id).companion
