"""Data between two states: rows are changed group by group, and after each group the data are complete enough for a forecast."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Final

from forecast.data.diff import RowChange
from forecast.data.outcome import claims_in_force
from forecast.data.records import Claim, Record
from forecast.data.tables import RECORDS, Data, history_months, origin, table_rows
from forecast.domain import FIRST_MONTH, PartialDate, last_day

CLAIMS: Final = Claim.file
CARRIED: Final = "level-goes-on"


def clock(data: Data) -> tuple[int, date]:
    """What of the coverage the forecast depends on: the origin, and the day on which claims are read."""
    return origin(data), max(last_day(origin(data)), data.coverage[CLAIMS])


class PartialData:
    """Data between two states: the tables and the coverage, which `apply` changes and `data` completes."""

    def __init__(self, start: Data) -> None:
        self.start = start
        self.tables: dict[str, tuple[Any, ...]] = {name: table_rows(start, name) for name in RECORDS}
        self.coverage = dict(start.coverage)

    def apply(self, changes: Iterable[RowChange], new: Data) -> None:
        """Apply changes. Where claims or readings are among them, claims are read through the day on which the new data read them."""
        for c in changes:
            table = list(self.tables[c.table])
            place = next((i for i, row in enumerate(table) if row is c.old), len(table))
            table[place : place + 1] = [] if c.new is None else [c.new]
            self.tables[c.table] = tuple(table)
            if c.table in ("claims", "readings"):
                self.coverage[CLAIMS] = new.coverage[CLAIMS]

    def data(self) -> Data:
        tables: dict[str, Any] = dict(self.tables)
        ids = {e.id for e in tables["events"]}
        claims = {c.claim_id for c in tables["claims"]}
        tables["events"] = tuple(_without(e, ids, "ends", "caused_by", "same_act_as") for e in tables["events"])
        tables["claims"] = tuple(_without(_without(c, ids, "basis_ids"), claims, "supersedes") for c in tables["claims"])
        data = replace(self.start, **tables, coverage=self.coverage)
        return replace(data, claims=(*data.claims, *_carried(data)))


def _without[R: Record](row: R, there: set[str], *columns: str) -> R:
    """The row without references to rows that are not there."""
    cut = {c: kept for c in columns if (kept := tuple(i for i in getattr(row, c) if i in there)) != getattr(row, c)}
    return row.model_copy(update=cut) if cut else row


def _carried(data: Data) -> Iterator[Claim]:
    """A claim for the months at the end that none covers: the level goes on. It is dated before all others, so any other is preferred."""
    tau = clock(data)[1]
    documented = [c for c in data.claims if c.stance == "documented" and c.published.last <= tau]
    months = history_months(data)
    uncovered = [m for m in months if not any(c.start <= m and (c.end is None or m <= c.end) for c in documented)]
    if uncovered and uncovered[0] > FIRST_MONTH:
        level = claims_in_force(documented, tau, range(FIRST_MONTH, uncovered[0]))[-1].level
        like = next(c for c in documented)
        dawn = PartialDate.parse("0001-01-01")
        yield like.model_copy(
            update={"claim_id": CARRIED, "start": uncovered[0], "end": None, "level": level, "published": dawn, "supersedes": ()}
        )
