"""What the published run says of priors and its headline: how far each moved it, and which value of one would bring another about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.progress import Progress, silent
from forecast.report.read import read_report
from forecast.runs.store import latest
from forecast.workspace import Workspace

if TYPE_CHECKING:
    from forecast.priors.distributions import Distribution
    from forecast.priors.elicitation import SolvedPrior


def headline_moves(reports: Path) -> tuple[str, Mapping[str, float]] | None:
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


def solve_headline(where: Workspace, name: str, target: float, progress: Progress = silent) -> SolvedPrior:
    """Move the prior `name` until the headline is `target`, by the draws of the published run; nothing is fitted or written.

    Raises SpecError for what cannot be solved for, and what `try_edits` raises: no run, or one made from other priors.
    """
    from forecast.jobs.priors.try_edits import try_edits
    from forecast.priors.elicitation import Evaluation, solve_for_headline
    from forecast.priors.load import load_priors

    progress("solving", None, name)

    def ask(spec: Distribution) -> Evaluation:
        tried = try_edits(where, {name: spec})
        return Evaluation(tried.headline, tried.accepted, tried.how)

    found = solve_for_headline(name, load_priors(where.priors).spec(name), target, ask)
    progress("solving", 1.0)
    return found
