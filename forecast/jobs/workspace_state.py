"""Data and priors as they are now: what a refit would follow, which series are late, what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from forecast.data.freshness import STALE, freshness
from forecast.data.tables import Data
from forecast.errors import ForecastError, InputError, StoreError
from forecast.forecasting.inputs import Inputs, load_workspace
from forecast.jobs.input_fingerprint import InputFingerprint
from forecast.jobs.refit.decision import why
from forecast.jobs.saved_run import SavedRun
from forecast.workspace import Workspace

SOON: Final = 3
"""So many scheduled events are named."""


@dataclass(frozen=True, slots=True)
class Series:
    """A series: its newest period, and by when its next figure is due.

    by: "timetable" of the publisher, or "reading": no timetable, and someone should have looked again by that day.
    """

    series: str
    file: str
    used_for: str
    newest: str | None
    due: str | None
    by: Literal["timetable", "reading"]
    status: str


@dataclass(frozen=True, slots=True)
class WorkspaceState:
    """refused: the number of problems, 0 if data and priors are sound. differ: what a refit would follow, None if nothing.

    damage: what is wrong with the history of the priors, which counts as one problem; None if it is sound.
    coming: the next scheduled events, day or month and what.
    """

    refused: int = 0
    differ: str | None = None
    series: tuple[Series, ...] = ()
    coming: tuple[tuple[str, str], ...] = ()
    damage: str | None = None


def workspace_state(where: Workspace, published: SavedRun | None, today: date) -> WorkspaceState:
    """The workspace on a day, beside the published run if there is one that can be trusted."""
    try:
        inputs = load_workspace(where, today=today)
    except InputError as e:
        return WorkspaceState(refused=max(1, len(e.problems)))
    except StoreError as e:
        return WorkspaceState(refused=1, damage=e.message)
    return WorkspaceState(
        0, _differ(published, inputs) if published else None, tuple(_series(inputs.data, today)), tuple(_coming(inputs.data, today))
    )


def _differ(published: SavedRun, inputs: Inputs) -> str | None:
    then, now = InputFingerprint.from_manifest(published.meta), InputFingerprint.of(inputs)
    if then == now:
        return None
    try:
        before = published.inputs
    except ForecastError:
        before = None
    return why(then, now, before, inputs)


def _series(data: Data, today: date) -> Iterator[Series]:
    for f in freshness(data, today):
        through = data.coverage.get(f.file)
        due = f.expected_next or (through + STALE if through else None)
        by: Literal["timetable", "reading"] = "timetable" if f.expected_next else "reading"
        yield Series(f.series, f.file, f.used_for, f.newest, due.isoformat() if due else None, by, f.status)


def _coming(data: Data, today: date) -> Iterator[tuple[str, str]]:
    """One of which only the month is known comes at its end."""
    rows = sorted((row for row in data.calendar if row.date.last >= today), key=lambda row: row.date.last)
    yield from ((str(row.date), row.what) for row in rows[:SOON])
