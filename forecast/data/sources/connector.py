"""The description of a publisher, so that everything else is the same for all: where to ask, how to read the answer, where it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from forecast.data.records import Indicator, OverdoseRelease, Record
from forecast.domain import Month


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the publisher's host. `then` reads the answer and returns the request that follows, such as a next page, or None."""

    path: str
    query: tuple[tuple[str, str], ...] = ()
    then: Callable[[Request, bytes], Request | None] | None = field(default=None, compare=False)

    @property
    def target(self) -> str:
        """Path and query of the address, without the host and never with a secret."""
        return f"{self.path}?{urlencode(self.query, safe='$:,()')}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Token:
    """A key that the publisher may ask for: the environment variable that holds it, and the header that sends it."""

    variable: str
    header: str


@dataclass(frozen=True, slots=True)
class TargetTable:
    """The file that figures go to.

    table, record: its table and type of rows. series, month, values: the columns with the name of the series, the month and the figures.
    whole: keep a whole vintage if one of its figures is new; otherwise only the new or revised months.
    """

    table: str
    record: type[Record]
    series: str
    month: str
    values: tuple[str, ...]
    whole: bool


INDICATORS: Final = TargetTable("indicators", Indicator, "series", "month", ("value",), whole=False)
RELEASES: Final = TargetTable(
    "overdose_releases", OverdoseRelease, "indicator", "period_end", ("reported", "predicted", "percent_pending"), whole=True
)


@dataclass(frozen=True, slots=True)
class SeriesSpec:
    """One series of a target.

    least, most: inclusive bounds of every first value. cells: cells that all its rows share. since: first month to keep. decimals: decimal
    places to keep (None: as published).
    """

    name: str
    least: float
    most: float
    cells: Mapping[str, str] = field(default_factory=dict)
    since: Month | None = None
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """The figures of one month of one series: one text for each value column of the target, empty if not published."""

    series: str
    month: Month
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Connector:
    """A publisher.

    key: its name on the command line. host, requests: what to ask. target, series: where the figures go, and what they can be.
    parse: all answers, in the order asked → figures, in any order; raises SourceError naming the column if the format has changed.
    most_bytes: size limit of one answer. explain: the publisher's message in an error answer, empty if there is none.
    """

    key: str
    publisher: str
    host: str
    requests: tuple[Request, ...]
    target: TargetTable
    series: tuple[SeriesSpec, ...]
    parse: Callable[[tuple[bytes, ...]], tuple[PublishedFigure, ...]]
    most_bytes: int = 10_000_000
    token: Token | None = None
    explain: Callable[[bytes], str] = field(default=lambda body: "")
