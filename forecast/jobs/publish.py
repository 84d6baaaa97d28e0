"""Running and publishing: which run may become `latest`, and when."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from forecast.jobs.workspace import Inputs
from forecast.progress import Progress, silent
from forecast.runs import lock, store

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Done:
    """A run on disk, what it says, and whether it was published."""

    path: Path
    report: Mapping[str, Any]
    published: bool


def run_and_publish(
    inputs: Inputs,
    reports: Path,
    clock: Callable[[], datetime],
    seed: int | None,
    publish: bool,
    progress: Progress = silent,
    engine: Literal["nutpie", "pymc"] = "nutpie",
) -> Done:
    """Fit, write the run, and publish it if asked to or if nothing was published before.

    A run as of an earlier day is never published. Raises GateError, LockedError or what stands in the way of writing; `latest` then
    stays as it was.
    """
    from forecast.jobs.as_then import as_then
    from forecast.jobs.run import DEFAULT_SEED, fit, write_report

    publishing = inputs.as_of is None and (publish or store.latest(reports) is None)
    held = lock.publisher(reports, "forecast run", clock()) if publishing else nullcontext()
    with held:
        forecast = fit(as_then(inputs, progress), DEFAULT_SEED if seed is None else seed, progress, engine)
        finished = write_report(forecast, reports, clock(), progress, inputs.revisions)
        if publishing:
            store.publish(reports, finished.run_id)
    return Done(finished.path, finished.report, publishing)
