"""What an edit of priors does, by fitting again. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from forecast.forecasting.reweigh import ByReading
from forecast.jobs.run import DEFAULT_SEED, fit
from forecast.jobs.try_prior import Tried, check_edits
from forecast.jobs.workspace import load_workspace
from forecast.priors.spec import Spec
from forecast.progress import Progress, silent
from forecast.report.parts.chances import questions
from forecast.workspace import Workspace


def refit_edits(workspace: Workspace, edits: Mapping[str, Spec], seed: int | None = None, progress: Progress = silent) -> Tried:
    """Every question under the edits, beside the newest run. Raises what `fit` and `try_edits` raise."""
    path, old, headline, before = check_edits(workspace, edits)
    inputs = load_workspace(workspace)
    made = fit(replace(inputs, priors=inputs.priors.replace(edits)), DEFAULT_SEED if seed is None else seed, progress, explored=False)
    answer = made.headline
    size = answer.draws.shape[1]
    rows = [{**q, "before": before.get(q["id"], q["probability"])} for q in questions(made)]
    return Tried(
        run_id=path.name,
        edits={name: (str(old.spec(name)), str(spec)) for name, spec in edits.items()},
        how="refit",
        accepted=True,
        k_hat=float("-inf"),
        ess=float(size),
        headline_id=headline,
        questions=rows,
        by_reading={
            name: ByReading(p, float("-inf"), float(size), float(answer.draws[i].std() / size**0.5))
            for i, (name, p) in enumerate(answer.by_reading.items())
        },
    )
