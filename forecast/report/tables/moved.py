"""Tables of what moved the forecast: part by part for the headline and its neighbours, by kind for every question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.report.tables.table import Cell, Table, table
from forecast.report.what_moved import KINDS, by_kind, points, shown
from forecast.report.words import capital, percent

Report = Mapping[str, Any]

NAMES = {"reached_by": "level {} or above", "in_force_at": "level {} or above at the end", "fallen_to": "level {} or below"}


def parts(report: Report) -> Table:
    """A row a part, in points; a part that cannot be told from noise is marked ~. Chances before and after stand at the ends."""
    moved, ids = report["moved"], shown(report)
    columns = ("Change", *(capital(name(report, id_)) for id_ in ids))
    if not ids:
        return table(columns, [], range(1, len(columns)))
    questions = [moved["questions"][id_] for id_ in ids]
    rows: list[list[Cell | None]] = [["Before", *(percent(q["before"]) for q in questions)]]
    for i, part in enumerate(moved["parts"]):
        marked = [points(q["parts"][i]) + ("\u00a0~" if q["within_noise"][i] else "") for q in questions]
        rows.append([f"{capital(KINDS[part['kind']])}: {part['label']}", *marked])
    rows.append(["Monte Carlo noise", *(points(q["noise"]) for q in questions)])
    rows.append(["Its standard error", *(f"{100 * q['remainder_se']:.2f}" for q in questions)])
    rows.append(["Now", *(percent(q["after"]) for q in questions)])
    return table(columns, rows, range(1, len(columns)))


def questions(report: Report) -> Table:
    """Every question of both runs: before, now, and what each kind of change added."""
    moved = report["moved"]
    asked = moved.get("questions", {})
    kinds = [k for k in KINDS if any(k in by_kind(moved, id_) for id_ in asked)]
    rows = [
        [
            id_,
            percent(q["before"]),
            percent(q["after"]),
            points(q["after"] - q["before"]),
            *(points(by_kind(moved, id_).get(kind, 0.0)) for kind in kinds),
            f"{100 * q['remainder_se']:.2f}",
        ]
        for id_, q in asked.items()
    ]
    columns = ("Question", "Before", "Now", "Points", *(capital(KINDS[k]) for k in kinds), "Its standard error")
    return table(columns, rows, range(1, len(columns)))


def name(report: Report, id_: str) -> str:
    """A question in few words: level 4 or above, 12 months."""
    q = next((q for q in report["questions"] if q["id"] == id_), None)
    if q is None or q["level"] is None:
        return id_
    return f"{NAMES[q['kind']].format(q['level'])}, {q['horizon_months']} months"
