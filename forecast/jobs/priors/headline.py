"""The headline of the published run and the priors: how far each prior moved it, and which value of one prior gives another headline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.progress import Progress, silent
from forecast.workspace import Workspace

if TYPE_CHECKING:
    from forecast.priors.distributions import Distribution
    from forecast.priors.elicitation import SolvedPrior


def headline_moves(reports: Path) -> tuple[str, Mapping[str, float]] | None:
    """The newest published run, and for each prior the largest change of its headline (a probability). None without a run.

    Each prior was shifted by half a standard deviation, weighted down and up, or replaced by another choice. Priors that act only on other
    questions are left out. The numbers are read from the run's report. Raises StoreError if the run is damaged.
    """
    from forecast.jobs.saved_run import SavedRun

    run = SavedRun.latest(reports)
    if run is None:
        return None
    run.check()
    sensitivity = run.report.sensitivity
    differences = [(row.name, move.difference) for row in sensitivity.scaled for move in (*row.moves, *row.tilts)]
    differences += [(row.name, row.difference) for row in sensitivity.sweeps if row.accepted]
    moves: dict[str, float] = {}
    for name, difference in differences:
        moves[name] = max(moves.get(name, 0.0), abs(difference))
    return run.name, moves


def solve_headline(where: Workspace, name: str, target: float, progress: Progress = silent) -> SolvedPrior:
    """Shift the prior `name` until the headline is `target`, by reweighting the published run. Nothing is fitted or written.

    Raises SpecError if the prior cannot be solved for, and what `try_edits` raises, for example without a published run.
    """
    from forecast.jobs.priors.try_edits import try_edits
    from forecast.priors.elicitation import Evaluation, solve_for_headline
    from forecast.priors.load import load_priors

    progress("solving", None, name)

    def ask(spec: Distribution) -> Evaluation:
        tried = try_edits(where, {name: spec})
        return Evaluation(tried.headline, tried.accepted, tried.how)

    solved = solve_for_headline(name, load_priors(where.priors).spec(name), target, ask)
    progress("solving", 1.0)
    return solved
