"""How a long job reports its progress, without knowing whether a terminal, a log or nobody listens."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

type Report = Callable[[float, str], None]
"""A simpler listener, for one stage: called with the share done (0 to 1) and a few words."""


class Progress(Protocol):
    """A listener that a job calls as it goes on.

    stage    name of the part of the job
    done     share of the stage that is done, 0 to 1; None if unknown. 1 ends the stage
    message  what to add in words

    A listener never raises and never alters the job.
    """

    def __call__(self, stage: str, done: float | None = None, message: str = "") -> None: ...


def silent(stage: str, done: float | None = None, message: str = "") -> None:
    """The listener that does nothing: the default of every job."""


def listener_of(progress: Progress | bool) -> Progress:
    """The listener itself; for True one that prints to standard error, for False `silent`."""
    if not isinstance(progress, bool):
        return progress
    return _Printed() if progress else silent


class _Printed:
    """Prints a line when a stage begins and at each further tenth of it."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def __call__(self, stage: str, done: float | None = None, message: str = "") -> None:
        tenth = -1 if done is None else int(10 * done + 1e-9)
        if self._last.get(stage) == tenth:
            return
        self._last[stage] = tenth
        with suppress(OSError):
            sys.stderr.write(f"{stage}{'' if done is None else f' {100 * done:.0f} %'}{': ' if message else ''}{message}\n")


def within(progress: Progress, whole: str) -> Progress:
    """A listener for a job that is a part of the stage `whole`: it passes messages on under that name, without a share done."""

    def pass_on(stage: str, done: float | None = None, message: str = "") -> None:
        words = message if done is None else f"{int(10 * done) * 10} %"  # at most ten messages a stage
        progress(whole, None, f"{stage}{': ' if words else ''}{words}")

    return pass_on
