"""How far each prior moved the headline of the newest published run, read from its report: nothing is computed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from forecast.report.read import read_report
from forecast.runs.store import latest


def prior_moves(reports: Path) -> tuple[str, Mapping[str, float]] | None:
    """The newest published run, and by prior the most by which it moved the headline there (a probability); None without a run.

    A prior was moved by half a standard deviation, counted for less and for more, or set to another choice. One that acts on other
    questions only is not there. Raises StoreError if the run is damaged.
    """
    run = latest(reports)
    if run is None:
        return None
    examined = read_report(run).get("sensitivity", {})
    found = [(row["name"], move) for row in examined.get("scaled", []) for move in (*row["moves"], *row["tilts"])]
    found += [(row["name"], row) for row in examined.get("sweeps", []) if row["accepted"]]
    moves: dict[str, float] = {}
    for name, move in found:
        moves[name] = max(moves.get(name, 0.0), abs(move["difference"]))
    return run.name, moves
