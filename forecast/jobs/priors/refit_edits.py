"""What an edit of priors does, by fitting again. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.inputs import DEFAULT_SEED, Inputs
from forecast.forecasting.question_forecasts import monte_carlo_error
from forecast.jobs.priors.reference import reference
from forecast.jobs.priors.try_edits import EditTrial, beside, check_edits, named, try_edits
from forecast.jobs.run import fit
from forecast.jobs.snapshot import inputs_of
from forecast.priors.distributions import PriorSpec
from forecast.progress import Progress, silent
from forecast.report.parts.chances import questions
from forecast.reweighting.edit_effects import FITTED
from forecast.reweighting.prior_edits import ReweightingDiagnostics, edited_priors
from forecast.workspace import Workspace


def refit_edits(workspace: Workspace, edits: Mapping[str, PriorSpec], seed: int | None = None, progress: Progress = silent) -> EditTrial:
    """Every question under the priors of the workspace and the edits, fitted to the data that the newest run was made from.

    Where a run in the store was fitted to just that by the same seed, its numbers are taken and nothing is fitted.
    Raises what `fit`, `reference`, `inputs_of` and `try_edits` raise.
    """
    before = check_edits(workspace, edits)
    since = {name: before.edited.spec(name) for name in edited_priors(before.priors, before.edited)}
    was = {q["id"]: q for q in before.questions}
    seed = DEFAULT_SEED if seed is None else seed
    if (kept := before.kept(workspace.reports, seed)) is not None:
        itself = try_edits(workspace, edits, kept.run_id)  # weighted by nothing, since its priors are those asked for
        rows = [beside(q, was[q["id"]]) for q in itself.questions]
        return replace(itself, run_id=before.path.name, how="refit", questions=rows, pending=before.pending, kept=kept)
    made = fit(_edited(inputs_of(before.path), since, progress), seed, progress, explored=False)
    by_reading = {name: _judged(made, name) for name in made.readings}
    return EditTrial(
        run_id=before.path.name,
        edits=named(before.now, edits),
        how="refit",
        accepted=True,
        k_hat=float("-inf"),
        ess=min(r.ess for r in by_reading.values()),
        headline_id=before.headline,
        questions=[beside(q, was[q["id"]]) for q in questions(made)],
        by_reading=by_reading,
        pending=before.pending,
    )


def _edited(inputs: Inputs, edits: Mapping[str, PriorSpec], progress: Progress) -> Inputs:
    """The inputs under the edits. Classes and widening act through the priors of the ladder that a fit to other states gives; where such a
    prior is edited itself, that edit stands."""
    priors = inputs.priors.replace(edits)
    if any(name in FITTED for name in edits):
        specs = reference(inputs.data, priors, progress=progress).specs
        priors = priors.replace({**specs, **edits})
    return replace(inputs, priors=priors)


def _judged(made: Forecast, reading: str) -> ReweightingDiagnostics:
    """The headline of one reading, its Monte Carlo error, and how many independent draws its draws are worth."""
    answer, found = made.headline, made.readings[reading]
    draws, one = answer.draws[[list(made.readings).index(reading)]], np.ones(1)
    slots = found.ladder.path_batch_means(answer.question.kind, answer.question.level or 0, answer.question.horizon)
    by_draws = monte_carlo_error(draws, one, None)
    ess = float(draws.var(ddof=1)) / by_draws**2 if by_draws > 0 else float(draws.size)
    return ReweightingDiagnostics(answer.by_reading[reading], float("-inf"), ess, monte_carlo_error(draws, one, slots), fitted=True)
