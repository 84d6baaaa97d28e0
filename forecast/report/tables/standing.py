"""How the numbers of earlier runs did, as the ledger had it when this run was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.report.tables.table import Table, table

Report = Mapping[str, Any]

KINDS = {
    "reached_by": "Levels reached within {} months",
    "in_force_at": "Levels in force after {} months",
    "fallen_to": "Levels fallen to within {} months",
    "event": "Events within {} months",
    "count": "Numbers of events within {} months",
    "count_any": "At least one event within {} months",
}


def standing(report: Report) -> Table:
    """A row a kind of question and horizon; no rows before any is resolved."""
    rows = [
        (
            KINDS[s["kind"]].format(s["horizon_months"]),
            str(s["n"]),
            str(s["windows"]),
            "Brier" if s["measure"] == "brier" else "RPS",
            *(f"{s[author]:.3f}" if author in s else None for author in ("model", "persistence", "climatology")),
        )
        for s in report["standing"].get("scores", ())
    ]
    return table(("Questions", "Resolved", "Separate windows", "Score", "Forecast", "Persistence", "Climatology"), rows, (1, 2, 4, 5, 6))


def summary(report: Report) -> str:
    """Counts, and what such scores can show; empty for a run that was not published, or the first."""
    found = report["standing"]
    if not found:
        return ""
    states = ", ".join(f"{n} {state}" for state, n in found["questions"].items() if n)
    return f"Of the questions of earlier runs in the ledger: {states}. {found['caution']}"
