"""How far each prior moved the headline of the newest published run, read from its report: nothing is computed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from forecast.jobs.saved_run import SavedRun


def headline_moves(reports: Path) -> tuple[str, Mapping[str, float]] | None:
    """The newest published run, and by prior the most by which it moved the headline there (a probability); None without a run.

    A prior was moved by half a standard deviation, counted for less and for more, or set to another choice. One that acts on other
    questions only is not there. Raises StoreError if the run is damaged.
    """
    run = SavedRun.latest(reports)
    if run is None:
        return None
    run.check()
    examined = run.report.sensitivity
    differences = [(c.name, move.difference) for c in examined.scaled for move in (*c.moves, *c.tilts)]
    differences += [(setting.name, setting.difference) for setting in examined.sweeps if setting.accepted]
    moves: dict[str, float] = {}
    for name, difference in differences:
        moves[name] = max(moves.get(name, 0.0), abs(difference))
    return run.name, moves
