"""`reports/attempts.jsonl`: what every refit did, also those that published nothing. Lines are added and never altered.

A refit adds a line when it starts and one when it ends, both while it holds the lock. An end repeats its start, so each line can be read by
itself; a start without an end is a refit that still runs or was killed. What a crash left of a half-written line is passed over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from forecast.errors import StoreError
from forecast.storage.files import MissingError, UnreadableError, explained_write_errors, read_end

NAME: Final = "attempts.jsonl"
LONGEST: Final = 1_000
"""Characters of a reason that are kept."""
_READ: Final = 65_536  # bytes at the end of the file that are looked at


@dataclass(frozen=True, slots=True)
class Attempt:
    """A refit: what was asked for, when it started and ended (None: not yet, or never), what it decided and why, and its exit code.

    decision: skipped, reweighted, refitted or refused; None if it came to none. run_id: the published run it left. seconds: what it cost.
    """

    started: AwareDatetime
    pid: int
    what: str
    ended: AwareDatetime | None = None
    decision: str | None = None
    reason: str = ""
    exit_code: int | None = None
    run_id: str | None = None
    seconds: float | None = None


_ATTEMPT: Final = TypeAdapter(Attempt)


def start(reports: Path, what: str, now: datetime) -> Attempt:
    """Write down that a refit starts. The caller holds `lock.publisher`. Raises ForecastError if it cannot be written."""
    return _add(reports, Attempt(now, os.getpid(), what))


def end(
    reports: Path, attempt: Attempt, now: datetime, decision: str | None, reason: str, exit_code: int, run_id: str | None,
    seconds: float | None = None,
) -> Attempt:  # fmt: skip
    """Write down how it ended. Raises ForecastError if it cannot be written."""
    kept = reason if len(reason) <= LONGEST else reason[: LONGEST - 1] + "…"
    ended = replace(attempt, ended=now, decision=decision, reason=kept, exit_code=exit_code, run_id=run_id, seconds=seconds)
    return _add(reports, ended)


def last(reports: Path) -> Attempt | None:
    """The newest attempt, None if there was none. Raises StoreError if the file cannot be read."""
    return next(_backwards(reports), None)


def _add(reports: Path, attempt: Attempt) -> Attempt:
    times = {"started": attempt.started.isoformat(), "ended": attempt.ended and attempt.ended.isoformat()}
    line = json.dumps(asdict(attempt) | times, ensure_ascii=False) + "\n"
    path = reports / NAME
    with explained_write_errors(path):
        fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(fd).st_size
            torn = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
            left = (b"\n" if torn else b"") + line.encode()
            while left:
                left = left[os.write(fd, left) :]
            os.fsync(fd)
        finally:
            os.close(fd)
    return attempt


def _backwards(reports: Path) -> Iterator[Attempt]:
    path = reports / NAME
    try:
        lines = read_end(path, _READ).split(b"\n")
    except MissingError:
        return
    except UnreadableError as e:
        raise StoreError(
            f"{path} cannot be read: {e.found} was found where {e.expected} was expected.", "Move it away: the next refit begins another."
        ) from e
    for line in reversed(lines):
        with suppress(ValidationError):
            yield _ATTEMPT.validate_json(line)
