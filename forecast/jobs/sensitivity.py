"""What a run's headline is made of, from its draws alone: no data are read, no model is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.errors import InputError
from forecast.forecasting.archive import check_form
from forecast.forecasting.sensitivity.whole import sensitivity
from forecast.priors.catalogue import CATALOGUE, parse_prior
from forecast.priors.files import Priors, load_priors
from forecast.priors.text import SpecError
from forecast.runs.draws import read_draws
from forecast.runs.manifest import read_manifest
from forecast.runs.store import resolve
from forecast.workspace import Workspace


def sensitivity_of(workspace: Workspace, run: str = "latest") -> dict[str, Any]:
    """The `sensitivity` of report.json of a run, with its id.

    Raises UsageError without a run, InputError if its draws are of another form or the priors it was made from are not known.
    """
    path = resolve(workspace.reports, run)
    meta = read_manifest(path).meta
    arrays = read_draws(path)
    check_form(arrays)
    return {"run_id": path.name, **sensitivity(arrays, priors_of(workspace, meta, path.name), str(meta["headline"])).as_dict()}


def priors_of(workspace: Workspace, meta: Mapping[str, Any], run: str) -> Priors:
    """The priors that a run was made from: those of the workspace, with what its manifest says otherwise. InputError if that is not all."""
    now = load_priors(workspace.priors)
    if meta.get("priors_digest") == now.digest():
        return now
    try:
        named = {name: parse_prior(name, said["spec"]) for name, said in meta.get("priors", {}).items() if name in CATALOGUE}
        then = now.replace({name: spec for name, spec in named.items() if spec != now.spec(name)})
    except (SpecError, KeyError, TypeError):
        then = now
    if then.digest() != meta.get("priors_digest"):
        raise InputError(
            f"Run {run} was made from other priors than the workspace has now, and does not name them.",
            "Make a new one: `forecast run --publish`. What it found itself stands in its report.",
        )
    return then
