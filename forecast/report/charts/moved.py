"""What moved the headline, as steps from the chance before to the chance now."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from forecast.report.charts.rows import Axis, Bar, Dot, Row, rows_chart
from forecast.report.charts.svg import Size
from forecast.report.what_moved import KINDS, points
from forecast.report.words import percent

Report = Mapping[str, Any]

MOST = 14
"""So many parts have a row each; of more, the smallest share one of their kind."""


def steps(report: Report, size: Size) -> Any:
    """A row a part: its bar begins where the row above ended. Upward and downward in two colours, what cannot be told from noise grey."""
    moved = report["moved"]
    q = moved.get("questions", {}).get(report["headline"])
    rows: list[Row] = []
    at = [q["before"]] if q else []
    if q:
        rows.append(Row("Before", percent(q["before"]), (Dot(q["before"], "soft", filled=False, size=110),)))
        for label, value, faint in _parts(moved, q):
            rows.append(_step(_cut(label, size), at[-1], value, faint))
            at.append(at[-1] + value)
        rows.append(Row("Now", percent(q["after"]), (Dot(q["after"], size=130),), strong=True))
        at.append(q["after"])
    return rows_chart(rows, size, _axis(min(at, default=0.0), max(at, default=0.1)), left=330, right=64, reference=at[-1] if at else None)


def _parts(moved: Mapping[str, Any], q: Mapping[str, Any]) -> list[tuple[str, float, bool]]:
    """Label, value and whether it is within the noise, of each part told alone or of those of a kind told together; noise last."""
    told = list(zip(moved["parts"], q["parts"], q["within_noise"], strict=True))
    alone = sorted(range(len(told)), key=lambda i: -abs(told[i][1]))[:MOST] if len(told) > MOST else range(len(told))
    out: list[tuple[str, float, bool]] = []
    rest: dict[str, list[float]] = {}
    for i, (part, value, faint) in enumerate(told):
        if i in alone:
            out.append((part["label"], value, faint))
        else:
            rest.setdefault(part["kind"], []).append(value)
    out += [(f"{KINDS[kind]}, {len(values)} smaller parts", sum(values), True) for kind, values in rest.items()]
    return [*out, (f"{KINDS['noise']}, standard error {100 * q['remainder_se']:.2f}", q["noise"], True)]


def _step(label: str, start: float, value: float, faint: bool) -> Row:
    colour = "soft" if faint else "one" if value > 0 else "two"
    bar = Bar(min(start, start + value), max(start, start + value), colour, 3 if faint else 7)
    return Row(label, points(value), (), (bar,))


def _cut(label: str, size: Size) -> str:
    most = 54 if size.phone else 52
    return label if len(label) <= most else f"{label[: most - 1].rstrip()}…"


def _axis(low: float, high: float) -> Axis:
    """Round ticks around the chances that occur, not from zero: the steps are what is looked at."""
    wide = max(high - low, 0.002)
    step = 10.0 ** math.floor(math.log10(wide))
    step = next(s for s in (step / 5, step / 2, step, 2 * step, 5 * step) if wide / s <= 5)
    first, last = math.floor((low - wide * 0.05) / step), math.ceil((high + wide * 0.05) / step)
    ticks = tuple(round(i * step, 6) for i in range(max(first, 0), last + 1))
    return Axis(ticks[0], ticks[-1], ticks)
