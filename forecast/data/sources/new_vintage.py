"""What is new in what was fetched, against what is held; and whether it can be true at all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any, Final

from pydantic import ValidationError

from forecast.data.problems import describe_error
from forecast.data.records import Record
from forecast.data.sources.connector import PublishedFigure, SeriesSpec, TargetTable
from forecast.data.sources.formats import LOOK, format_error
from forecast.domain import Month, last_day, month_text
from forecast.errors import SourceError

LEAST_SHARE: Final = 0.5
"""A vintage with fewer of the months held before is no vintage but a fragment."""

FACTOR: Final = 2.0
"""Months that both vintages have differ by less than this on the whole (the median), or the unit has changed."""

OVERLAP: Final = 12
"""Months in common from which that can be said."""


@dataclass(frozen=True, slots=True)
class Vintage:
    """New rows, as cells and as records, in no order; `note` says what is odd about them."""

    rows: tuple[tuple[dict[str, str], Record], ...]
    note: str = ""


def new_vintage(
    target: TargetTable, series: Sequence[SeriesSpec], figures: Sequence[PublishedFigure], held: Sequence[Record], day: date
) -> Vintage:
    """The rows to add on `day`, the day on which they are first seen here and so count as published.

    held: all rows of the target's table. Months that have not ended by `day` are left out. Raises SourceError where the figures cannot be
    true: none at all, out of bounds, older or far fewer than those held, of another unit, or different from others of the same day.
    """
    rows: list[tuple[dict[str, str], Record]] = []
    notes = []
    for one in series:
        mine = sorted((f for f in figures if f.series == one.name and _wanted(f, one, day)), key=lambda f: f.month)
        _plausible(one, mine)
        newest = _newest(target, [row for row in held if getattr(row, target.series) == one.name])
        _against(target, one, mine, newest)
        changed = [f for f in mine if f.month not in newest or _differs(target, one, f, newest[f.month])]
        if changed and target.whole:
            changed = mine
        _later(target, one, changed, newest, day)
        rows += [_row(target, one, figure, day) for figure in changed]
        if lacking := sorted(set(newest) - {f.month for f in mine}):
            notes.append(f"{one.name} lacks {len(lacking)} months that are held ({_span(lacking)}); they stay")
    return Vintage(tuple(rows), "; ".join(notes))


def _wanted(figure: PublishedFigure, series: SeriesSpec, day: date) -> bool:
    return last_day(figure.month) <= day and (series.since is None or figure.month >= series.since)


def _plausible(series: SeriesSpec, figures: Sequence[PublishedFigure]) -> None:
    if not figures:
        raise format_error(f"There is no figure of {series.name}.")
    seen: set[Month] = set()
    for figure in figures:
        if figure.month in seen:
            raise format_error(f"{series.name} of {month_text(figure.month)} is there twice.")
        seen.add(figure.month)
        value = figure.values[0]
        if value and not series.least <= float(value) <= series.most:
            raise format_error(
                f"{series.name} of {month_text(figure.month)} is {value}; possible are {series.least:,g} to {series.most:,g}."
            )


def _newest(target: TargetTable, held: Iterable[Record]) -> dict[Month, Any]:
    """The vintage to compare with: of each month the row published last; of what is kept whole, only the last release."""
    newest: dict[Month, Any] = {}
    rows = sorted(held, key=_published)
    for row in rows:
        if not target.whole or _published(row) == _published(rows[-1]):
            newest[Month(getattr(row, target.month))] = row
    return newest


def _against(target: TargetTable, series: SeriesSpec, figures: Sequence[PublishedFigure], newest: dict[Month, Any]) -> None:
    months = {figure.month for figure in figures}
    if newest and max(months) < max(newest):
        raise format_error(f"{series.name} ends with {month_text(max(months))}, but {month_text(max(newest))} is held: this copy is older.")
    common = months & set(newest)
    if len(common) < LEAST_SHARE * len(newest):
        raise format_error(
            f"{series.name} has {len(common)} of the {len(newest)} months held: a vintage never loses more than half of them."
        )
    pairs = [(float(f.values[0]), getattr(newest[f.month], target.values[0])) for f in figures if f.month in common and f.values[0]]
    ratios = [new / old for new, old in pairs if old and new > 0]
    if len(ratios) >= OVERLAP and not 1 / FACTOR < median(ratios) < FACTOR:
        raise format_error(f"{series.name} is {median(ratios):.3g} times what is held for the same months: has its unit changed?")


def _differs(target: TargetTable, series: SeriesSpec, figure: PublishedFigure, row: Record) -> bool:
    """Beyond the digits that are kept."""
    slack = 0.0 if series.decimals is None else 1.01 * 10.0**-series.decimals
    for column, text in zip(target.values, figure.values, strict=True):
        old = getattr(row, column)
        new = float(text) if text else None
        if (old is None) != (new is None) or (
            old is not None and new is not None and not math.isclose(old, new, rel_tol=1e-6, abs_tol=slack)
        ):
            return True
    return False


def _later(target: TargetTable, series: SeriesSpec, changed: Sequence[PublishedFigure], newest: dict[Month, Any], day: date) -> None:
    """A vintage is later than the one it revises: of two seen on one day, the first is kept until the day is over."""
    for figure in changed:
        if figure.month in newest and _published(newest[figure.month]) >= day:
            raise SourceError(
                f"{series.name} of {month_text(figure.month)} differs from a vintage published {_published(newest[figure.month])}.",
                "Revisions are never overwritten: pull again tomorrow.",
            )


def _row(target: TargetTable, series: SeriesSpec, figure: PublishedFigure, day: date) -> tuple[dict[str, str], Record]:
    cells = {
        target.series: series.name,
        target.month: month_text(figure.month),
        "published": day.isoformat(),
        **series.cells,
        **dict(zip(target.values, figure.values, strict=True)),
    }
    try:
        return cells, target.record.model_validate(cells)
    except ValidationError as e:
        error = e.errors(include_url=False)[0]
        found, expected, _ = describe_error(error)
        column = error["loc"][0] if error["loc"] else "?"
        raise SourceError(
            f"{series.name} of {month_text(figure.month)}, column {column}: found {found}; expected {expected}.", LOOK
        ) from None


def _published(row: Any) -> date:
    last: date = row.published.last
    return last


def _span(months: Sequence[Month]) -> str:
    return month_text(months[0]) if len(months) == 1 else f"{month_text(months[0])} to {month_text(months[-1])}"
