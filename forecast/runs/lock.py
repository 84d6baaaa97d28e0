"""One publisher at a time. The system holds the lock for as long as its owner lives, so a dead owner's lock is free at once."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Final

from forecast.errors import LockedError
from forecast.runs.files import cannot_write

NAME: Final = ".lock"
_PATIENCE: Final = 0.3  # seconds: `owner` holds the lock for a moment to see whether it is free
_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds the lock, since when (None: it has only just taken it), and what for."""

    pid: int
    host: str
    started: datetime | None
    what: str

    def __str__(self) -> str:
        since = "a moment ago" if self.started is None else f"since {self.started:%Y-%m-%d %H:%M:%S} UTC"
        return f"{self.what} (process {self.pid or 'unknown'} on {self.host}, {since})"


@contextmanager
def publisher(
    reports: Path, what: str, now: datetime, wait: float = 0.0, waiting: Callable[[str], None] = lambda words: None
) -> Iterator[None]:
    """Hold the right to move `latest`, to write the ledger and to remove runs, for the length of the block.

    wait: seconds to wait while another process holds it, `math.inf` for as long as it takes. waiting: told once, in words, who is waited
    for. Raises LockedError, naming the owner and the lock's age, if another process still holds it then.
    """
    with cannot_write(reports):
        reports.mkdir(parents=True, exist_ok=True)
        file = (reports / NAME).open("a+b", buffering=0)  # nothing stays in a buffer for a full disk to refuse later
    with file:
        if not _acquire(file, _PATIENCE):
            waiting(_held_by(_read(file), now))
            since = time.monotonic()
            got = _acquire(file, wait - _PATIENCE)
            now += timedelta(seconds=time.monotonic() - since)
            if not got:
                raise LockedError(_held_by(_read(file), now), _remedy(wait))
        mine = {"pid": os.getpid(), "host": socket.gethostname(), "started": now.isoformat(), "what": what}
        with cannot_write(reports / NAME):
            file.truncate(0)
            file.write(json.dumps(mine).encode())
        try:
            yield
        finally:
            file.truncate(0)


def owner(reports: Path) -> Owner | None:
    """Who publishes right now, None if nobody does. What a dead owner left in the file does not count."""
    try:
        file = (reports / NAME).open("rb", buffering=0)
    except FileNotFoundError:
        return None
    with file:
        return None if _acquire(file, 0.0) else _read(file)


def _acquire(file: IO[bytes], patience: float) -> bool:
    end = time.monotonic() + patience
    pause = _PAUSE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if (left := end - time.monotonic()) <= 0:
                return False
            time.sleep(min(pause, left))
            pause = min(1.5 * pause, _LONGEST_PAUSE)


def _read(file: IO[bytes]) -> Owner:
    file.seek(0)
    try:
        body = json.loads(file.read())
        return Owner(body["pid"], body["host"], datetime.fromisoformat(body["started"]), body["what"])
    except (ValueError, KeyError, TypeError):
        return Owner(0, socket.gethostname(), None, "a command that has just begun")


def _held_by(who: Owner, now: datetime) -> str:
    age = "" if who.started is None else f", for {timedelta(seconds=round((now - who.started).total_seconds()))} so far"
    return f"{who} holds the lock of reports/{age}."


def _remedy(wait: float) -> str:
    waited = f"Waited {wait:g} seconds. " if wait else ""
    return f"{waited}Wait for it, or end it if it hangs; its lock is free the moment it ends."
