"""What the headline is made of: where each prior and each block of data would take it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from forecast.report.charts.rows import Axis, Bar, Dot, Row, percent_axis, rows_chart
from forecast.report.charts.svg import Size
from forecast.report.tables.sensitivity import label, scaled, spans
from forecast.report.words import capital, percent_range, points

Report = Mapping[str, Any]


def made_of(report: Report, size: Size) -> Any:
    """Priors moved half their spread down (hollow) and up (filled); data and priors counted less (hollow) and more (filled)."""
    found = scaled(report)
    groups: tuple[tuple[str, str, Sequence[Mapping[str, Any]], str], ...] = (
        ("Priors, moved half an sd lower or higher", "tilts", _largest(found, "prior", "tilts", 9), "one"),
        ("Priors, counting less or more", "moves", _all(found, "all priors") + _largest(found, "prior", "moves", 5), "three"),
        ("Data, counting less or more", "moves", _all(found, "all data") + _largest(found, "data", "moves", 7), "two"),
    )
    rows: list[Row] = []
    base, highest = report["sensitivity"]["probability"], report["sensitivity"]["probability"]
    for title, key, members, colour in groups:
        rows += [Row(title, heading=True)] if members else []
        for row in members:
            low, high = (move["probability"] for move in row[key])
            highest = max(highest, low, high)
            moved = " / ".join(points(move["difference"]) for move in row[key])
            dots = (Dot(low, colour, filled=False, size=46), Dot(high, colour, size=46))
            bars = (Bar(min(low, high), max(low, high), colour, 2),)
            rows.append(Row(capital(label(row)), moved, dots, bars, strong=row["kind"] == "all"))
    rows += _settings(report)
    highest = max([highest, *(bar.high for row in rows for bar in row.bars)])
    return rows_chart(rows, size, _axis(highest), left=225, right=92, reference=base)


def _axis(highest: float) -> Axis:
    """From 0 to the next five points, where that makes a few ticks."""
    top = math.ceil(20 * highest)
    return Axis(0, top / 20, tuple(i / 20 for i in range(top + 1))) if 2 <= top <= 6 else percent_axis(highest)


def _settings(report: Report) -> list[Row]:
    """How far settings that are fixed take it."""
    found = [(capital(words.removeprefix("other ")), low, high) for words, (low, high) in spans(report).items()]
    rows = [
        Row(words, percent_range(low, high), (Dot(low, "four", size=46), Dot(high, "four", size=46)), (Bar(low, high, "four", 2),))
        for words, low, high in found
    ]
    return [Row("Settings, from the lowest to the highest", heading=True), *rows] if rows else []


def _all(found: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    return [row for row in found if row["name"] == name]


def _largest(found: Sequence[Mapping[str, Any]], kind: str, key: str, most: int) -> list[Mapping[str, Any]]:
    """Those that move it most; the table has all."""
    chosen = [row for row in found if row["kind"] == kind]
    return sorted(chosen, key=lambda row: -max(abs(move["difference"]) for move in row[key]))[:most]
