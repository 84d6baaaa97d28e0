"""Which runs of a store other things rest on, so that they are kept whatever their age."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from forecast.errors import StoreError
from forecast.runs import ledger, manifest, store

FITTED_IN: Final = "fitted_in"
"""In the manifest of a weighted run: the run whose draws it weighs."""
FOLLOWS: Final = "follows"
"""In the manifest of a published run: the one published before it."""
FORECAST: Final = "forecast"
"""The kind of an entry of the ledger that freezes the questions of a run."""


def needed(reports: Path) -> frozenset[str]:
    """Ids of the runs that must stay: the published one, the one before it, those whose draws the two weigh, and those that were
    published and whose questions are not in the ledger yet.

    Raises StoreError if `latest`, a run of these, or the ledger is damaged, so that nothing is known for certain.
    """
    if (lost := store.lost(reports)) is not None:
        raise StoreError(
            f"`latest` is missing, though run {lost} was published, so it is not known which runs are needed.",
            f"`forecast runs publish {lost}` sets it anew.",
        )
    latest = store.latest(reports)
    if latest is None:
        return frozenset()
    pair = [latest.name, *([before] if (before := _noted(reports, latest.name).get(FOLLOWS)) else [])]
    fits = [fit for run_id in pair if (fit := _noted(reports, run_id).get(FITTED_IN))]
    return frozenset([*pair, *fits, *_not_entered(reports, latest.name)])


def _not_entered(reports: Path, latest: str) -> list[str]:
    entered = {entry.content.get("run_id") for entry in ledger.read(reports) if entry.kind == FORECAST}
    waiting: list[str] = []
    at: str | None = latest
    while at is not None and at not in entered and at not in waiting and (reports / at).is_dir():
        waiting.append(at)
        at = _noted(reports, at).get(FOLLOWS)
    return waiting


def _noted(reports: Path, run_id: str) -> dict[str, Any]:
    """What the manifest of a run notes; nothing if the run is gone."""
    run = reports / run_id
    return dict(manifest.read_manifest(run).meta) if run.is_dir() else {}
