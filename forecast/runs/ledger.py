"""The ledger, `reports/ledger/`: a file an entry, written whole, to which files are added and in which none is ever altered.

Each entry carries its own digest and that of the entry before, and `head.json` the number of entries and the digest of the last, so
whatever is altered, taken out, put in between, renamed or cut off at the end is seen. A lock of its own lets a person record a number
while a refit holds the lock of the store.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from forecast.errors import StoreError
from forecast.storage.atomic import is_leftover, replace_text
from forecast.storage.files import MissingError, UnreadableError, explained_write_errors, read_bounded, sync_to_disk
from forecast.storage.hash_chain import read_sealed_json, sealed_json
from forecast.storage.locks import folder_lock, folder_read_lock

FOLDER: Final = "ledger"
HEAD: Final = "head.json"
_NAME: Final = re.compile(r"([0-9]{6,})-([a-z]+)\.json")
_FRAME: Final = ("number", "kind", "created", "previous", "sha256")
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
MAX_BYTES: Final = 16_000_000
"""No entry is larger: one of a run has forty kilobytes."""
AT_ONCE: Final = timedelta(minutes=1)
"""Commands whose clocks differ by less ran at once; a clock that was set back differs by more, and stays visible."""
_DAMAGE: Final = (UnreadableError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
_REMEDY: Final = "Restore reports/ledger/ from a copy; its files must never be changed."


@dataclass(frozen=True, slots=True)
class Head:
    """How many entries there are, and the digest of the last (empty if there are none)."""

    entries: int
    digest: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One record: its number from 1, what kind it is, when it was written by the clock, its digest, and its content."""

    number: int
    kind: str
    created: datetime
    sha256: str
    content: Mapping[str, Any]


class Writer:
    """The entries as they stand, and the right to add to them; `writing` gives it out."""

    def __init__(self, folder: Path, entries: Sequence[Entry]) -> None:
        self._folder = folder
        self.entries = list(entries)

    def append(self, kind: str, content: Mapping[str, Any], now: datetime) -> Entry:
        """Add an entry: on the disk when this returns. The content must be what JSON can hold. ForecastError if it cannot be written."""
        if taken := [key for key in _FRAME if key in content]:
            raise ValueError(f"{taken} are the ledger's own words")
        number = len(self.entries) + 1
        body = {
            "number": number,
            "kind": kind,
            "created": self._time(now).strftime(_TIME),
            "previous": self.entries[-1].sha256 if self.entries else "",
            **content,
        }
        text = sealed_json(body)
        replace_text(self._folder / _name(number, kind), text)
        self.entries.append(_entry(json.loads(text)))
        replace_text(self._folder / HEAD, _head_text(self.entries))
        return self.entries[-1]

    def _time(self, now: datetime) -> datetime:
        """When an entry counts as made. Who waited for the ledger read the clock before another's entry was made: then it is as old."""
        last = self.entries[-1].created if self.entries else now
        return (last if timedelta(0) < last - now < AT_ONCE else now).astimezone(UTC)


@contextmanager
def writing(reports: Path) -> Iterator[Writer]:
    """Hold the ledger for the length of the block, which is short. Raises StoreError if it is damaged, LockedError if another holds it."""
    folder = reports / FOLDER
    with explained_write_errors(folder):
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_to_disk(reports)
    with folder_lock(folder):
        entries, problems = _look(folder)
        _refuse(problems)
        # Before the next entry, so that a ledger that has entries has a head, and the head is never more than one entry behind.
        if _lags(folder, entries):
            replace_text(folder / HEAD, _head_text(entries))
        yield Writer(folder, entries)


def read(reports: Path) -> tuple[Entry, ...]:
    """All entries in their order, every digest verified; none if there is no ledger yet. Raises StoreError if it is damaged."""
    entries, problems = _held(reports)
    _refuse(problems)
    return entries


def head(reports: Path) -> Head:
    """The head of a ledger that is sound; StoreError if it is damaged."""
    return head_of(read(reports))


def head_of(entries: Sequence[Entry]) -> Head:
    return Head(len(entries), entries[-1].sha256 if entries else "")


def _head_text(entries: Sequence[Entry]) -> str:
    head = head_of(entries)
    return sealed_json({"entries": head.entries, "digest": head.digest})


def holds(entries: Sequence[Entry], earlier: Head) -> bool:
    """Whether these entries go on from an earlier head: none of those before it was altered or taken out."""
    return earlier.entries <= len(entries) and head_of(entries[: earlier.entries]) == earlier


def verify(reports: Path) -> tuple[str, ...]:
    """All that is wrong with the ledger's own chain, in words; empty if it is sound or there is none."""
    return tuple(_held(reports)[1])


def lags(reports: Path) -> bool:
    """Whether the head of a sound ledger is one entry behind: a writer died between entry and head, or an entry was put in by hand."""
    folder = reports / FOLDER
    if not folder.is_dir():
        return False
    with folder_read_lock(folder):
        entries, problems = _look(folder)
        return bool(entries) and not problems and _lags(folder, entries)


def _lags(folder: Path, entries: Sequence[Entry]) -> bool:
    try:
        return read_bounded(folder / HEAD, MAX_BYTES) != _head_text(entries).encode()
    except MissingError:
        return True


def _held(reports: Path) -> tuple[tuple[Entry, ...], list[str]]:
    folder = reports / FOLDER
    if not folder.exists():
        return (), []
    if not folder.is_dir():
        return (), [f"{folder} is not a folder"]
    with folder_read_lock(folder):
        return _look(folder)


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise StoreError("\n  ".join(["The ledger is damaged:", *problems, _REMEDY]))


def _look(folder: Path) -> tuple[tuple[Entry, ...], list[str]]:
    """The entries that can be read, in order, and all that is wrong. The caller holds the ledger."""
    problems: list[str] = []
    files: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        found = _NAME.fullmatch(path.name)
        if path.name == HEAD or is_leftover(path):
            continue
        if not found or found[0] != _name(int(found[1]), found[2]) or int(found[1]) == 0:
            problems.append(f"{path.name} is not an entry of the ledger")
        elif int(found[1]) in files:
            problems.append(f"{path.name} and {files[int(found[1])].name} have one number")
        else:
            files[int(found[1])] = path
    entries: list[Entry] = []
    previous: str | None = ""
    for before, number in pairwise([0, *sorted(files)]):
        if number > before + 1:
            gap = f"entry {before + 1} is" if number == before + 2 else f"entries {before + 1} to {number - 1} are"
            problems.append(f"{gap} missing")
            previous = None
        at = files[number]
        try:
            body = read_sealed_json(read_bounded(at, MAX_BYTES))
            entry = _entry(body)
            if at.name != _name(entry.number, entry.kind):
                problems.append(f"{at.name} holds entry {entry.number}, a {entry.kind}")
            if previous is not None and body["previous"] != previous:
                problems.append(f"{at.name} does not follow the entry before it: one of the two was exchanged")
            entries.append(entry)
            previous = entry.sha256
        except _DAMAGE as e:
            problems.append(f"{at.name} cannot be trusted: {e}")
            previous = None
    return tuple(entries), problems or _head_problems(folder / HEAD, entries)


def _head_problems(path: Path, entries: Sequence[Entry]) -> list[str]:
    """A writer that died between entry and head leaves the head one behind; that is no damage, and the next writer mends it."""
    try:
        body = read_sealed_json(read_bounded(path, MAX_BYTES))
        written = Head(int(body["entries"]), str(body["digest"]))
    except MissingError:
        return [f"{HEAD} is missing"] if entries else []
    except _DAMAGE as e:
        return [f"{HEAD} cannot be trusted: {e}"]
    if written.entries > len(entries):
        return [f"the last {written.entries - len(entries)} of {written.entries} entries are missing"]
    if len(entries) - written.entries > 1 or not holds(entries, written):
        return [f"{HEAD} is not that of these {len(entries)} entries"]
    return []


def _name(number: int, kind: str) -> str:
    return f"{number:06d}-{kind}.json"


def _entry(body: Mapping[str, Any]) -> Entry:
    content = {key: value for key, value in body.items() if key not in _FRAME}
    created = datetime.strptime(body["created"], _TIME).replace(tzinfo=UTC)
    return Entry(int(body["number"]), str(body["kind"]), created, str(body["sha256"]), content)
