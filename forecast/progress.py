"""How a long job says how far it is, without knowing whether a terminal, a log or nobody listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called by a job as it goes on: the stage's name, the part done (0 to 1, None where unknown) and what to add in words.

    `done=1` ends the stage. A listener never raises and never alters the job.
    """

    def __call__(self, stage: str, done: float | None = None, message: str = "") -> None: ...


def within(progress: Progress, whole: str) -> Progress:
    """A listener for a job that is only a part of the stage `whole`: what it says is said under that name, without a share."""

    def tell(stage: str, done: float | None = None, message: str = "") -> None:
        words = message if done is None else f"{int(10 * done) * 10} %"  # no more than ten messages a stage
        progress(whole, None, f"{stage}{': ' if words else ''}{words}")

    return tell


def silent(stage: str, done: float | None = None, message: str = "") -> None:
    """The listener that does not listen: the default of every job."""
