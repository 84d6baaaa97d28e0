"""What a run's headline is made of, from its draws alone: no data are read, no model is fitted."""

from __future__ import annotations

from typing import Any

from forecast.errors import StoreError
from forecast.jobs.priors_then import priors_of
from forecast.priors.load import load_priors
from forecast.reweighting.draws_archive import check_asked, check_form
from forecast.runs.draws_files import DRAWS, read_draws
from forecast.runs.manifest import read_manifest
from forecast.runs.store import resolve
from forecast.runs.verified import REMEDY, read_verified
from forecast.sensitivity.analysis import analyse_sensitivity
from forecast.workspace import Workspace


def sensitivity_of(workspace: Workspace, run: str = "latest") -> dict[str, Any]:
    """The `sensitivity` of report.json of a run, with its id.

    Raises UsageError without a run, InputError if its draws are of another form or the priors it was made from are not known,
    StoreError if the run is damaged.
    """
    path = resolve(workspace.reports, run)
    meta = read_manifest(path).meta
    headline = meta.get("headline")
    if headline is None:
        raise StoreError(f"Run {path.name} does not say which question its headline is.", REMEDY)
    read_verified(path, DRAWS)
    arrays = read_draws(path)
    check_form(arrays)
    check_asked(arrays, headline)
    return {
        "run_id": path.name,
        **analyse_sensitivity(arrays, priors_of(load_priors(workspace.priors), meta, path.name), headline).as_dict(),
    }
