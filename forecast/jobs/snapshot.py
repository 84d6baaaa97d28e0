"""What a run was made from, read back: its inputs as they were, and its draws with the situation they were fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from forecast.errors import InputError, StoreError, UsageError
from forecast.forecasting.inputs import Inputs, load_workspace
from forecast.priors.catalogue import CATALOGUE, parse_prior
from forecast.priors.distributions import PriorSpec
from forecast.priors.text import SpecError
from forecast.runs.input_snapshot import FOLDER
from forecast.runs.manifest import check, read_manifest

if TYPE_CHECKING:
    from forecast.reweighting.data_update import FittedDraws

AGAIN: Final = "Make a new run: `forecast run --publish`."


def inputs_of(run: Path) -> Inputs:
    """The inputs a run was made from, as the run saw them: as of its day, with its priors.

    Raises UsageError if the run kept none (it was written by an earlier version), StoreError if they were altered since, InputError if
    this version refuses them.
    """
    meta = read_manifest(run).meta
    if not (run / FOLDER / "data").is_dir():
        raise UsageError(f"Run {run.name} did not keep the data and priors it was made from.", AGAIN)
    check(run)
    try:
        found = load_workspace(run / FOLDER, _day(meta, "as_of"), _day(meta, "today"))
        found = replace(found, priors=found.priors.replace(_specs_of(meta, found)))
    except InputError as e:
        said = f"The data and priors that run {run.name} was made from are refused by this version: {e.message}"
        raise InputError(said, AGAIN, e.problems) from e
    return found


def basis_of(run: Path, inputs: Inputs | None = None) -> FittedDraws:
    """The draws of a run and the situation they were fitted to, assessed again by the run's seed; to be weighted by `updated`.

    inputs: those of the run, if they were read already. Raises what `inputs_of` raises, InputError if the run was made by another
    version of the model or this version reads the inputs otherwise, StoreError if its draws cannot be read.
    """
    from forecast.data.fingerprint import data_digest
    from forecast.forecasting.origin_state import build_origin_state
    from forecast.model.tolerance_data import MODEL_VERSION
    from forecast.reweighting.data_update import FittedDraws
    from forecast.reweighting.draws_archive import unpack_draws
    from forecast.runs.draws_files import read_draws

    inputs = inputs or inputs_of(run)
    meta = read_manifest(run).meta
    found = {"model_version": MODEL_VERSION, "data_digest": data_digest(inputs.data), "priors_digest": inputs.priors.digest()}
    for key, now in found.items():
        if meta.get(key) != now:
            raise InputError(f"Run {run.name} was made by a version that differs: its {key} was {meta.get(key)}, now it is {now}.", AGAIN)
    origin_state = build_origin_state(inputs.data, inputs.priors, int(meta["seed"]))
    arrays = read_draws(run)
    try:
        draws = {str(name): unpack_draws(arrays, str(name)) for name in arrays["readings"]}
        return FittedDraws(origin_state, draws, unpack_draws(arrays, "prior"))
    except KeyError as e:
        raise StoreError(f"Run {run.name} has no draws that can be read ({e}).", AGAIN) from None


def _day(meta: Mapping[str, Any], key: str) -> date | None:
    return date.fromisoformat(meta[key]) if meta.get(key) else None


def _specs_of(meta: Mapping[str, Any], inputs: Inputs) -> dict[str, PriorSpec]:
    """The priors that the run had otherwise than its files: those of the ladder, as of an earlier day."""
    said = {name: entry["spec"] for name, entry in meta.get("priors", {}).items() if name in CATALOGUE}
    try:
        return {name: parse_prior(name, text) for name, text in said.items() if text != str(inputs.priors.spec(name))}
    except SpecError as e:
        raise InputError(f"A prior in the manifest cannot be read: {e}.", AGAIN) from e
