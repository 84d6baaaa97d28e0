"""One publisher at a time. The system holds the lock for as long as its owner lives, so a dead owner's lock is free at once."""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Final, cast

from forecast.errors import ForecastError, LockedError
from forecast.storage.files import explained_write_errors
from forecast.storage.locks import NoLocksError, acquire_lock

NAME: Final = ".lock"
_PATIENCE: Final = 0.3  # seconds: `owner` holds the lock for a moment to see whether it is free


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


@dataclass(frozen=True, slots=True)
class Hold:
    """The lock, held through this open file."""

    path: Path
    file: IO[bytes]

    def check(self) -> None:
        """Raises ForecastError if the file was deleted or replaced since: whoever came then found no lock, and may publish too."""
        if not _is_at(self.file, self.path):
            raise ForecastError(
                f"{self.path} was deleted while this command held it, so another may be publishing; this one publishes nothing.",
                "Leave that file alone: a dead owner's lock is free by itself. Then run this again.",
            )


@contextmanager
def publisher(
    reports: Path,
    what: str,
    now: datetime,
    wait: float = 0.0,
    waiting: Callable[[str], None] = lambda words: None,
    makes_room: bool = False,
) -> Iterator[Hold]:
    """Hold the right to move `latest`, to write the ledger and to remove runs, for the length of the block.

    wait: seconds to wait while another process holds it, `math.inf` for as long as it takes.
    waiting: called once, with words that name who holds the lock.
    makes_room: the command is there to make room on a full disk, so it goes on even if its name cannot be written into the lock.
    Raises LockedError, naming the owner and the lock's age, if another process still holds it then.
    """
    path = reports / NAME
    with explained_write_errors(reports):
        reports.mkdir(parents=True, exist_ok=True)
    file, got = _take(path, _PATIENCE)
    if not got:
        with file:
            waiting(_held_by(_read(file), now))
        since = time.monotonic()
        file, got = _take(path, wait - _PATIENCE)
        now += timedelta(seconds=time.monotonic() - since)
    with file:
        if not got:
            raise LockedError(_held_by(_read(file), now), _remedy(wait))
        mine = {"pid": os.getpid(), "host": socket.gethostname(), "started": now.isoformat(), "what": what}
        with explained_write_errors(path):
            _sign(file, json.dumps(mine).encode(), makes_room)
        try:
            yield Hold(path, file)
        finally:
            file.truncate(0)


def owner(reports: Path) -> Owner | None:
    """Who publishes right now, None if nobody does. What a dead owner left in the file does not count."""
    with looking(reports) as found:
        return found


@contextmanager
def looking(reports: Path) -> Iterator[Owner | None]:
    """Who publishes right now. If nobody does (None), nobody begins before the end of the block, which is to be short.

    Where there is no lock that can be looked at (no such file, a folder of its name, a file system without locks), nobody can publish.
    """
    path = reports / NAME
    file = _opened(path)
    if file is None:
        yield None
        return
    with file:
        try:
            free = acquire_lock(file.fileno(), path, 0.0)
        except NoLocksError:
            free = True
        yield None if free else _read(file)


def _opened(path: Path) -> IO[bytes] | None:
    """The lock file, for writing where that is allowed: network disks lock nothing else. None if there is none, or no regular file."""
    if not path.is_file():
        return None
    for mode in ("r+b", "rb"):
        with suppress(OSError):
            return cast(IO[bytes], path.open(mode, buffering=0))
    return None


def _take(path: Path, patience: float) -> tuple[IO[bytes], bool]:
    """The lock file, and whether it could be locked in time. One that was deleted meanwhile is no lock: it is opened anew."""
    if path.exists() and not path.is_file():
        raise ForecastError(f"{path} is not a regular file, so it cannot be the lock.", "Move it away; the next command makes a new lock.")
    end = time.monotonic() + patience
    while True:
        with explained_write_errors(path.parent):
            file = path.open("a+b", buffering=0)  # nothing stays in a buffer for a full disk to refuse later
        try:
            got = acquire_lock(file.fileno(), path, end - time.monotonic())
        except NoLocksError:
            file.close()
            raise
        if not got:
            return file, False
        if _is_at(file, path):
            return file, True
        file.close()


def _is_at(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _sign(file: IO[bytes], text: bytes, makes_room: bool) -> None:
    file.truncate(0)
    try:
        file.write(text)
    except OSError as e:
        if not makes_room or e.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise


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
