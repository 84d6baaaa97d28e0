"""What a publisher's file has to say about itself so that the rest is the same for all: where to ask, what to read, where it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from forecast.data.records import Indicator, OverdoseRelease, Record
from forecast.domain import Month


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the publisher's host. `then` reads the answer and gives the request that follows, a next page say, or None."""

    path: str
    query: tuple[tuple[str, str], ...] = ()
    then: Callable[[Request, bytes], Request | None] | None = field(default=None, compare=False)

    @property
    def target(self) -> str:
        """Path and query as they stand in the address; without the host, and never with a secret."""
        return f"{self.path}?{urlencode(self.query, safe='$:,()')}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Token:
    """A key that the publisher may ask for: the environment variable that holds it, and the header that carries it."""

    variable: str
    header: str


@dataclass(frozen=True, slots=True)
class TargetTable:
    """The file that figures go to, and its columns: which names the series, which the month, which hold the figures.

    whole: a vintage is kept whole as soon as one of its figures is new; else only the months that are new or revised are.
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
    """One series of a target: the cells that all its rows share, the first month wanted, and what its figures can be.

    least, most: bounds of every first value, both possible. decimals: places that are kept (None: as published).
    """

    name: str
    least: float
    most: float
    cells: Mapping[str, str] = field(default_factory=dict)
    since: Month | None = None
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """What a publisher says of one month of one series: one text a value column of the target, empty where nothing is said."""

    series: str
    month: Month
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Connector:
    """A publisher: the word for it on the command line, its host, what to ask, and how to read the answers.

    parse: all answers, in the order asked → figures, in any order; raises SourceError naming the column for an answer of another shape.
    explain: the publisher's own words in an answer that is an error, empty if there are none.
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
