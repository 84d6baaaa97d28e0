"""Geopolitical risk, the world's and Mexico's: the XLS file of Caldara and Iacoviello. CC BY 4.0, cite Caldara and Iacoviello (2022)."""

from __future__ import annotations

from typing import Final

from forecast.data.sources.connector import INDICATORS, Connector, Figure, Request, Series
from forecast.data.sources.formats import month_cell, number, sheet_rows
from forecast.domain import month, month_text

COLUMNS: Final = {"GPR": "gpr_global", "GPRC_MEX": "gprc_mex"}
NAME: Final = "data_gpr_export.xls"
SOURCE: Final = "Caldara and Iacoviello, GPR index"
SINCE: Final = month("2000-01")


def parse(bodies: tuple[bytes, ...]) -> tuple[Figure, ...]:
    """Monthly values of both series; the file goes back to 1900, long before the newer indices begin: cells that are empty say nothing."""
    figures = []
    for when, *cells in sheet_rows(bodies[0], NAME, None, ("month", *COLUMNS)):
        if all(cell in ("", None) for cell in cells):
            continue
        at = month_cell(when, f"{NAME}, column 'month',")
        for (column, series), cell in zip(COLUMNS.items(), cells, strict=True):
            if value := number(cell, f"{NAME}, column {column!r} of {month_text(at)},", 6):
                figures.append(Figure(series, at, (value,)))
    return tuple(figures)


CONNECTOR: Final = Connector(
    key="gpr",
    publisher="Dario Caldara and Matteo Iacoviello",
    host="www.matteoiacoviello.com",
    requests=(Request("/gpr_files/data_gpr_export.xls"),),
    target=INDICATORS,
    series=(
        Series("gpr_global", 0.1, 10_000, {"unit": "index, 1985-2019 = 100", "source": SOURCE}, SINCE, 6),
        Series("gprc_mex", 0, 100, {"unit": "per cent of articles", "source": SOURCE}, SINCE, 6),
    ),
    parse=parse,
    most_bytes=20_000_000,
)
