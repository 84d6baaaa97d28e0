"""Pesos per US dollar: monthly averages of the Federal Reserve's H.10 release, as FRED's plain CSV. Missing is empty or a dot."""

from __future__ import annotations

from typing import Final

from forecast.data.sources.connector import INDICATORS, Connector, Figure, Request, Series
from forecast.data.sources.formats import csv_rows, month_cell, number
from forecast.domain import month, month_text

ID: Final = "EXMXUS"
NAME: Final = "fredgraph.csv"


def parse(bodies: tuple[bytes, ...]) -> tuple[Figure, ...]:
    """Monthly averages; a month that says nothing is left out, never a zero."""
    figures = []
    for when, cell in csv_rows(bodies[0], NAME, ("observation_date", ID)):
        at = month_cell(when, f"{NAME}, column 'observation_date',")
        if value := number(cell, f"{NAME}, column {ID!r} of {month_text(at)},", 4, missing=("", ".")):
            figures.append(Figure("usdmxn_avg", at, (value,)))
    return tuple(figures)


CONNECTOR: Final = Connector(
    key="usdmxn",
    publisher="Board of Governors of the Federal Reserve System",
    host="fred.stlouisfed.org",
    requests=(Request("/graph/fredgraph.csv", (("id", ID),)),),
    target=INDICATORS,
    series=(
        Series("usdmxn_avg", 1, 1000, {"unit": "MXN per USD", "source": "Federal Reserve H.10 monthly averages"}, month("2000-01"), 4),
    ),
    parse=parse,
    most_bytes=1_000_000,
)
