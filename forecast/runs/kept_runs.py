"""Runs in the store that were made from what somebody asks about: the same data under the priors in question."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast.errors import StoreError
from forecast.runs.manifest import NAME, read_manifest
from forecast.runs.store import list_runs
from forecast.storage.files import UnreadableError, read_bounded


@dataclass(frozen=True)
class KeptRun:
    """A run that was fitted, published or not, and its probability of every question by id."""

    run_id: str
    probabilities: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        return {"run_id": self.run_id, "probabilities": dict(self.probabilities)}


def kept_run(reports: Path, meta: Mapping[str, Any], priors_digest: str, seed: int | None = None) -> KeptRun | None:
    """The newest run fitted by the same model to the same data as a run with this `meta`, under priors with this digest; None if none is.

    seed: only a run with this seed. Runs whose manifest cannot be trusted are passed over, as are those that were weighted, not fitted.
    """
    same = ("data_digest", "model_version")
    asked = (
        {key: meta.get(key) for key in same}
        | {"priors_digest": priors_digest, "fitted_in": None}
        | ({} if seed is None else {"seed": seed})
    )
    if None in (asked["data_digest"], asked["model_version"]):
        return None
    for run in reversed(list_runs(reports)):
        with suppress(StoreError, UnreadableError):
            if priors_digest.encode() not in read_bounded(run.path / NAME):  # most are of other priors, and not worth verifying
                continue
            found = read_manifest(run.path).meta
            if all(key in found and found[key] == value for key, value in asked.items()) and isinstance(found.get("probabilities"), dict):
                return KeptRun(run.run_id, {str(id_): float(p) for id_, p in found["probabilities"].items()})
    return None
