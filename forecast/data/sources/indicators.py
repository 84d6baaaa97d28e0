"""Monthly series of one column each: geopolitical risk, trade-policy uncertainty, and the exchange rate.

They differ in the format of the file and the names of its columns only. Geopolitical risk is CC BY 4.0: cite Caldara and Iacoviello (2022).
Trade-policy uncertainty is very skewed: use its logarithm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from forecast.data.sources.connector import INDICATORS, Connector, PublishedFigure, Request, SeriesSpec
from forecast.data.sources.formats import csv_rows, number_text, parse_month, sheet_rows
from forecast.domain import month, month_text

SINCE: Final = month("2000-01")
"""The first month that is kept."""

EMPTY: Final = ("", None)

GPR_FILE, TPU_FILE, FRED_FILE = "data_gpr_export.xls", "tpu_web_latest.xlsx", "fredgraph.csv"
GPR_COLUMNS: Final = {"GPR": "gpr_global", "GPRC_MEX": "gprc_mex"}
TPU_COLUMNS: Final = {"TPU": "tpu"}
FRED_COLUMNS: Final = {"EXMXUS": "usdmxn_avg"}
"""The publishers' columns → our series."""


def parse_gpr(bodies: tuple[bytes, ...]) -> tuple[PublishedFigure, ...]:
    """Both indices from the first sheet of an XLS file; it begins in 1900, and a cell is empty until its index begins."""
    rows = sheet_rows(bodies[0], GPR_FILE, None, ("month", *GPR_COLUMNS))
    return _figures((row for row in rows if _has_figure(row)), GPR_FILE, "month", GPR_COLUMNS, 6)


def parse_tpu(bodies: tuple[bytes, ...]) -> tuple[PublishedFigure, ...]:
    """The monthly sheet of an XLSX file that also has daily and quarterly ones."""
    rows = sheet_rows(bodies[0], TPU_FILE, "TPU_MONTHLY", ("DATE", *TPU_COLUMNS))
    return _figures((row for row in rows if _has_figure(row)), TPU_FILE, "DATE", TPU_COLUMNS, 6)


def parse_fred(bodies: tuple[bytes, ...]) -> tuple[PublishedFigure, ...]:
    """Monthly averages from FRED's plain CSV, in which a missing month is empty or a dot."""
    rows = csv_rows(bodies[0], FRED_FILE, ("observation_date", *FRED_COLUMNS))
    return _figures(rows, FRED_FILE, "observation_date", FRED_COLUMNS, 4, missing=("", "."))


def _has_figure(row: Sequence[Any]) -> bool:
    return any(cell not in EMPTY for cell in row[1:])


def _figures(
    rows: Iterable[Sequence[Any]], file: str, month_column: str, columns: Mapping[str, str], decimals: int, missing: Sequence[str] = ("",)
) -> tuple[PublishedFigure, ...]:
    """The figures of rows that hold a month and a cell a column; a missing cell gives none, never a zero."""
    figures = []
    for when, *cells in rows:
        at = parse_month(when, f"{file}, column {month_column!r},")
        for (column, series), cell in zip(columns.items(), cells, strict=True):
            if value := number_text(cell, f"{file}, column {column!r} of {month_text(at)},", decimals, missing):
                figures.append(PublishedFigure(series, at, (value,)))
    return tuple(figures)


_GPR_SOURCE: Final = "Caldara and Iacoviello, GPR index"

GEOPOLITICAL_RISK: Final = Connector(
    key="gpr",
    publisher="Dario Caldara and Matteo Iacoviello",
    host="www.matteoiacoviello.com",
    requests=(Request(f"/gpr_files/{GPR_FILE}"),),
    target=INDICATORS,
    series=(
        SeriesSpec("gpr_global", 0.1, 10_000, {"unit": "index, 1985-2019 = 100", "source": _GPR_SOURCE}, SINCE, 6),
        SeriesSpec("gprc_mex", 0, 100, {"unit": "per cent of articles", "source": _GPR_SOURCE}, SINCE, 6),
    ),
    parse=parse_gpr,
    most_bytes=20_000_000,
)

_TPU_CELLS: Final = {"unit": "index, 100 = 1 per cent of articles", "source": "Caldara, Iacoviello and others, TPU index"}

TRADE_POLICY: Final = Connector(
    key="tpu",
    publisher="Dario Caldara, Matteo Iacoviello and others",
    host="www.matteoiacoviello.com",
    requests=(Request(f"/tpu_files/{TPU_FILE}"),),
    target=INDICATORS,
    series=(SeriesSpec("tpu", 0, 100_000, _TPU_CELLS, SINCE, 6),),
    parse=parse_tpu,
)

_FRED_CELLS: Final = {"unit": "MXN per USD", "source": "Federal Reserve H.10 monthly averages"}

EXCHANGE_RATE: Final = Connector(
    key="usdmxn",
    publisher="Board of Governors of the Federal Reserve System",
    host="fred.stlouisfed.org",
    requests=(Request(f"/graph/{FRED_FILE}", (("id", "EXMXUS"),)),),
    target=INDICATORS,
    series=(SeriesSpec("usdmxn_avg", 1, 1000, _FRED_CELLS, SINCE, 4),),
    parse=parse_fred,
    most_bytes=1_000_000,
)
