"""What a run's headline is made of, from its draws alone: no data are read, no model is fitted."""

from __future__ import annotations

from typing import Any

from forecast.errors import StoreError
from forecast.jobs.saved_run import SavedRun
from forecast.reweighting.draws_archive import check_asked, check_form
from forecast.runs.manifest import RESTORE
from forecast.sensitivity.analysis import analyse_sensitivity
from forecast.workspace import Workspace


def sensitivity_of(workspace: Workspace, run: str = "latest") -> dict[str, Any]:
    """The `sensitivity` of report.json of a run, with its id.

    Raises UsageError without a run, InputError if its draws are of another form or the priors it was made from are not known,
    StoreError if the run is damaged.
    """
    saved = SavedRun.named(workspace.reports, run)
    headline = saved.meta.get("headline")
    if headline is None:
        raise StoreError(f"Run {saved.name} does not say which question its headline is.", RESTORE)
    arrays = dict(saved.draws)  # each is read many times
    check_form(arrays)
    check_asked(arrays, headline)
    return {"run_id": saved.name, **analyse_sensitivity(arrays, saved.priors, headline).as_dict()}
