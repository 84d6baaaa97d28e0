"""Provisional overdose deaths: the US National Center for Health Statistics, through the CDC's Socrata interface.

Every value is a text, months are English names, what is null is left out of its row, and pages hold 1,000 rows unless more are asked for.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from forecast.data.sources.connector import RELEASES, Connector, PublishedFigure, Request, SeriesSpec, Token
from forecast.data.sources.formats import format_error, json_rows, number_text
from forecast.data.suggestions import nearest, quoted
from forecast.domain import Month, month, month_text

INDICATOR_SERIES: Final = {
    "Number of Drug Overdose Deaths": "all_drugs",
    "Synthetic opioids, excl. methadone (T40.4)": "synthetic_opioids",
}
"""The publisher's indicators → our series."""

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

PAGE: Final = 5000
MIN_PAGE: Final = 1000
"""A server that ignores `$limit` sends this many rows; a page with fewer is the last one."""

VALUES: Final = ("data_value", "predicted_value", "percent_pending_investigation")
IN_EVERY_ROW: Final = ("state", "year", "month", "period", "indicator")
NAME: Final = "The answer"


def parse(bodies: tuple[bytes, ...]) -> tuple[PublishedFigure, ...]:
    """Twelve-month totals by release. percent_complete, which may read 99.5+, is not needed; rows without a total are left out."""
    rows = [row for body in bodies for row in json_rows(body, NAME)]
    _all_columns(rows)
    figures: dict[tuple[str, Month], PublishedFigure] = {}
    for row in rows:
        series, at = INDICATOR_SERIES[_one_of(row, "indicator", tuple(INDICATOR_SERIES))], _month(row)
        if (series, at) in figures:
            raise format_error(f"{NAME} gives {series} of {month_text(at)} twice.")
        values = tuple(number_text(_text(row, column), f"column {column!r} of {month_text(at)}") for column in VALUES)
        figures[series, at] = PublishedFigure(series, at, values)
    for label, series in INDICATOR_SERIES.items():
        if not any(name == series for name, _ in figures):
            raise format_error(f"{NAME} has no row whose column 'indicator' is {label!r}.")
    return tuple(figures[key] for key in sorted(figures) if any(figures[key].values[:2]))


def next_page(request: Request, body: bytes) -> Request | None:
    """The request for the next page; None after the last page."""
    rows = len(json_rows(body, NAME))
    if rows < MIN_PAGE:
        return None
    query = dict(request.query)
    query["$offset"] = str(int(query["$offset"]) + rows)
    return replace(request, query=tuple(query.items()))


def explain(body: bytes) -> str:
    """The `message` of either kind of error answer."""
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    message = envelope.get("message") if isinstance(envelope, dict) else None
    return message[:300] if isinstance(message, str) else ""


def _all_columns(rows: list[dict[str, Any]]) -> None:
    """No column is missing from all rows (nulls are left out of a row), and the identifying columns are in every row."""
    there = {column for row in rows for column in row}
    for column in (*IN_EVERY_ROW, *VALUES):
        if rows and column not in there:
            near = nearest(column, there - {*IN_EVERY_ROW, *VALUES})
            raise format_error(f"{NAME} has no column {column!r}{f'; it has {quoted(near)}' if near else ''}.")
    for column in IN_EVERY_ROW:
        if any(row.get(column) is None for row in rows):
            raise format_error(f"{NAME} has a row without {column!r}.")


def _text(row: dict[str, Any], column: str) -> str:
    """A cell; null or missing is empty."""
    value = row.get(column)
    if value is not None and not isinstance(value, str):
        raise format_error(f"Column {column!r} holds {quoted(json.dumps(value))}, which is not text.")
    return value or ""


def _one_of(row: dict[str, Any], column: str, known: tuple[str, ...]) -> str:
    value = _text(row, column)
    if value not in known:
        raise format_error(f"Column {column!r} holds {quoted(value)}; expected {' or '.join(map(repr, known))}.")
    return value


def _month(row: dict[str, Any]) -> Month:
    _one_of(row, "state", ("US",))
    _one_of(row, "period", ("12 month-ending",))
    name, year = _one_of(row, "month", MONTHS), _text(row, "year")
    try:
        return month(f"{year}-{MONTHS.index(name) + 1:02d}")
    except ValueError:
        raise format_error(f"Column 'year' holds {quoted(year)}, which is not a year.") from None


CONNECTOR: Final = Connector(
    key="overdose",
    publisher="US National Center for Health Statistics",
    host="data.cdc.gov",
    requests=tuple(
        Request(
            "/resource/xkb8-kh2a.json",
            (("state", "US"), ("indicator", label), ("$order", ":id"), ("$limit", str(PAGE)), ("$offset", "0")),
            next_page,
        )
        for label in INDICATOR_SERIES
    ),
    target=RELEASES,
    series=(SeriesSpec("all_drugs", least=10_000, most=500_000), SeriesSpec("synthetic_opioids", least=1_000, most=500_000)),
    parse=parse,
    token=Token("SOCRATA_APP_TOKEN", "X-App-Token"),
    explain=explain,
)
