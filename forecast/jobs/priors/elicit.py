"""`forecast priors elicit --headline`: which prior the published run's draws want for the headline that someone has in mind."""

from __future__ import annotations

from forecast.jobs.priors.try_edits import try_edits
from forecast.priors.distributions import Distribution
from forecast.priors.elicitation import Evaluation, SolvedPrior, solve_for_headline
from forecast.priors.load import load_priors
from forecast.progress import Progress, silent
from forecast.workspace import Workspace


def solve_headline(where: Workspace, name: str, target: float, progress: Progress = silent) -> SolvedPrior:
    """Move the prior `name` until the headline is `target`, by the draws of the published run; nothing is fitted or written.

    Raises SpecError for what cannot be solved for, and what `try_edits` raises: no run, or one made from other priors.
    """
    progress("solving", None, name)

    def ask(spec: Distribution) -> Evaluation:
        tried = try_edits(where, {name: spec})
        return Evaluation(tried.headline, tried.accepted, tried.how)

    found = solve_for_headline(name, load_priors(where.priors).spec(name), target, ask)
    progress("solving", 1.0)
    return found
