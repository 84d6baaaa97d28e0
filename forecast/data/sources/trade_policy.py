"""Trade-policy uncertainty: the XLSX file of Caldara, Iacoviello, Molligo, Prestipino and Raffo. Very skewed: use logs."""

from __future__ import annotations

from typing import Final

from forecast.data.sources.connector import INDICATORS, Connector, Figure, Request, Series
from forecast.data.sources.formats import month_cell, number, sheet_rows
from forecast.domain import month, month_text

NAME: Final = "tpu_web_latest.xlsx"


def parse(bodies: tuple[bytes, ...]) -> tuple[Figure, ...]:
    """Monthly values; the daily and quarterly sheets beside them are not looked at."""
    figures = []
    for when, cell in sheet_rows(bodies[0], NAME, "TPU_MONTHLY", ("DATE", "TPU")):
        if cell in ("", None):
            continue
        at = month_cell(when, f"{NAME}, column 'DATE',")
        figures.append(Figure("tpu", at, (number(cell, f"{NAME}, column 'TPU' of {month_text(at)},", 6),)))
    return tuple(figures)


CONNECTOR: Final = Connector(
    key="tpu",
    publisher="Dario Caldara, Matteo Iacoviello and others",
    host="www.matteoiacoviello.com",
    requests=(Request("/tpu_files/tpu_web_latest.xlsx"),),
    target=INDICATORS,
    series=(
        Series(
            "tpu",
            0,
            100_000,
            {"unit": "index, 100 = 1 per cent of articles", "source": "Caldara, Iacoviello and others, TPU index"},
            month("2000-01"),
            6,
        ),
    ),
    parse=parse,
)
