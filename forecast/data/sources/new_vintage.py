"""Which fetched figures are new against the rows held, and whether they are plausible."""

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

MIN_SHARE: Final = 0.5
"""A vintage with a smaller share of the months held is incomplete."""

MAX_FACTOR: Final = 2.0
"""If the median ratio of the months in both vintages is larger, the unit has changed."""

MIN_COMMON: Final = 12
"""Months in common that this comparison needs."""


@dataclass(frozen=True, slots=True)
class Vintage:
    """New rows, as cells and as records, in no order, and a note on what is unusual about them."""

    rows: tuple[tuple[dict[str, str], Record], ...]
    note: str = ""


def new_vintage(
    target: TargetTable, series: Sequence[SeriesSpec], figures: Sequence[PublishedFigure], held: Sequence[Record], day: date
) -> Vintage:
    """The rows to add on `day`, on which they are first seen and so count as published.

    held: all rows of the target's table. Months that have not ended by `day` are left out. Raises SourceError for implausible figures:
    none at all, out of bounds, older or far fewer than those held, of another unit, or different from others of the same day.
    """
    rows: list[tuple[dict[str, str], Record]] = []
    notes = []
    for spec in series:
        mine = sorted((f for f in figures if f.series == spec.name and _is_wanted(f, spec, day)), key=lambda f: f.month)
        _check_values(spec, mine)
        newest = _newest(target, [row for row in held if getattr(row, target.series) == spec.name])
        _check_against_held(target, spec, mine, newest)
        changed = [f for f in mine if f.month not in newest or _differs(target, spec, f, newest[f.month])]
        if changed and target.whole:
            changed = mine
        _check_later(spec, changed, newest, day)
        rows += [_row(target, spec, figure, day) for figure in changed]
        if lacking := sorted(set(newest) - {f.month for f in mine}):
            notes.append(f"{spec.name} lacks {len(lacking)} months that are held ({_span(lacking)}); they stay")
    return Vintage(tuple(rows), "; ".join(notes))


def _is_wanted(figure: PublishedFigure, series: SeriesSpec, day: date) -> bool:
    return last_day(figure.month) <= day and (series.since is None or figure.month >= series.since)


def _check_values(series: SeriesSpec, figures: Sequence[PublishedFigure]) -> None:
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
    """The vintage to compare with: the newest row of each month; where vintages are kept whole, only the last release."""
    newest: dict[Month, Any] = {}
    rows = sorted(held, key=_published)
    for row in rows:
        if not target.whole or _published(row) == _published(rows[-1]):
            newest[Month(getattr(row, target.month))] = row
    return newest


def _check_against_held(target: TargetTable, series: SeriesSpec, figures: Sequence[PublishedFigure], newest: dict[Month, Any]) -> None:
    months = {figure.month for figure in figures}
    if newest and max(months) < max(newest):
        raise format_error(f"{series.name} ends with {month_text(max(months))}, but {month_text(max(newest))} is held: this copy is older.")
    common = months & set(newest)
    if len(common) < MIN_SHARE * len(newest):
        raise format_error(
            f"{series.name} has {len(common)} of the {len(newest)} months held: a vintage never loses more than half of them."
        )
    pairs = [(float(f.values[0]), getattr(newest[f.month], target.values[0])) for f in figures if f.month in common and f.values[0]]
    ratios = [new / old for new, old in pairs if old and new > 0]
    if len(ratios) >= MIN_COMMON and not 1 / MAX_FACTOR < median(ratios) < MAX_FACTOR:
        raise format_error(f"{series.name} is {median(ratios):.3g} times what is held for the same months: has its unit changed?")


def _differs(target: TargetTable, series: SeriesSpec, figure: PublishedFigure, row: Record) -> bool:
    """Whether a figure differs from a row by more than rounding."""
    slack = 0.0 if series.decimals is None else 1.01 * 10.0**-series.decimals
    for column, text in zip(target.values, figure.values, strict=True):
        old = getattr(row, column)
        new = float(text) if text else None
        if (old is None) != (new is None) or (
            old is not None and new is not None and not math.isclose(old, new, rel_tol=1e-6, abs_tol=slack)
        ):
            return True
    return False


def _check_later(series: SeriesSpec, changed: Sequence[PublishedFigure], newest: dict[Month, Any], day: date) -> None:
    """A vintage must be later than the one it revises: of two seen on one day, only the first is kept."""
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
