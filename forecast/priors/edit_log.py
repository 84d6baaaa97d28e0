"""The history of edits of priors in `priors/history/`: what was changed, when, by whom and why. Entries are added and never altered.

`start.toml` holds all priors as they were when the history began, `<year>.toml` the edits since, in the order of their numbers. The digest
of an edit covers the digest of the one before, so any alteration, removal or insertion is detected.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Self, TypedDict

from forecast.errors import StoreError
from forecast.priors.catalogue import RENAMED
from forecast.priors.load import Priors
from forecast.storage.hash_chain import chained_digest
from forecast.storage.toml import read_toml_file

FOLDER: Final = "history"
START: Final = "start.toml"
SHIPPED: Final = "as shipped"
BY_HAND: Final = "edited by hand"
_REMEDY: Final = "Restore priors/history/ from a copy or from version control. Its entries must never be altered."


class Revision(TypedDict):
    """The text of a prior, and the edit that it comes from: a revision, `as shipped` or `edited by hand`."""

    spec: str
    revision: str


@dataclass(frozen=True, slots=True)
class HeadlineEstimate:
    """The headline under a set of priors.

    question     id of the headline question
    probability  its probability
    how          how it was computed, such as "fitted" or "reweighted"
    accepted     whether it can be relied on
    run          id of the run"""

    question: str
    probability: float
    how: str
    accepted: bool
    run: str

    def as_dict(self) -> dict[str, Any]:
        return {"question": self.question, "probability": self.probability, "how": self.how, "accepted": self.accepted, "run": self.run}


@dataclass(frozen=True, slots=True)
class Provenance:
    """The reason for a prior, its source, its author, and its date."""

    why: str
    source: str
    by: str
    date: date

    def as_dict(self) -> dict[str, Any]:
        return {"why": self.why, "source": self.source, "by": self.by, "date": self.date.isoformat()}

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`."""
        return cls(raw["why"], raw["source"], raw["by"], date.fromisoformat(raw["date"]))


@dataclass(frozen=True, slots=True)
class Edit:
    """One prior changed once.

    Edits of one `change` were made together: the digests of all priors, and the outlooks, are those before and after all of them.
    replaced: the provenance that the file had before (None in edits of earlier versions); undoes: the revision that the edit takes back;
    old_name: what the prior was called then, if it has another name now.
    """

    number: int
    change: int
    time: datetime
    name: str
    old: str
    new: str
    why: str
    by: str
    source: str
    digest_before: str
    digest_after: str
    before: HeadlineEstimate | None
    after: HeadlineEstimate | None
    sha256: str
    replaced: Provenance | None = None
    undoes: str = ""
    old_name: str = ""

    @property
    def revision(self) -> str:
        return f"{self.number}-{self.sha256[:8]}"

    def as_dict(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "revision": self.revision,
            "change": self.change,
            "time": self.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "name": self.name,
            "old_name": self.old_name or None,
            "from": self.old,
            "to": self.new,
            "why": self.why,
            "by": self.by,
            "source": self.source,
            "replaced": self.replaced and self.replaced.as_dict(),
            "undoes": self.undoes or None,
            "digest_before": self.digest_before,
            "digest_after": self.digest_after,
            "forecast_before": self.before and self.before.as_dict(),
            "forecast_after": self.after and self.after.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class HandEdit:
    """A prior changed in its file without an entry in the history. `until` is the number of the next edit, None if there is none."""

    name: str
    old: str
    new: str
    until: int | None = None


@dataclass(frozen=True)
class EditHistory:
    """The history of a folder of priors, by their current names.

    start  the text of every prior when the history began; empty if it has not begun
    edits  the edits since, oldest first
    head   the digest that the next edit is chained to
    """

    start: Mapping[str, str]
    edits: tuple[Edit, ...]
    head: str = ""

    def latest(self) -> dict[str, Edit]:
        """The last edit of every prior that has one."""
        return {edit.name: edit for edit in self.edits}

    def known(self) -> dict[str, str]:
        """The text of every prior according to the history."""
        return {**self.start, **{edit.name: edit.new for edit in self.edits}}

    def in_force(self, name: str) -> tuple[Edit, ...]:
        """The edits of a prior that are in force, oldest first: those that were not undone, or whose undo was undone."""
        meant: dict[str, Edit] = {}  # revision → the edit; for an undo, the edit that it reverts or restores
        stands: list[Edit] = []
        for edit in (edit for edit in self.edits if edit.name == name):
            target = meant[edit.revision] = meant.get(edit.undoes, edit)
            if target in stands:
                stands.remove(target)
            else:
                stands.append(target)
        return tuple(stands)

    def by_hand(self, priors: Priors) -> tuple[HandEdit, ...]:
        """The changes that have no entry in the history: first those before a later edit, then the current ones."""
        known = dict(self.start)
        met = []
        for edit in self.edits:
            if known.get(edit.name, edit.old) != edit.old:
                met.append(HandEdit(edit.name, known[edit.name], edit.old, edit.number))
            known[edit.name] = edit.new
        now = [HandEdit(n, known[n], str(p.spec)) for n, p in priors.items() if known.get(n, str(p.spec)) != str(p.spec)]
        return (*met, *now)


def revisions(priors: Priors, folder: Path) -> dict[str, Revision]:
    """The exact revision of every prior of the workspace's `folder` priors/. Raises StoreError if the history is damaged."""
    history = read_history(folder)
    known, latest = history.known(), history.latest()
    records = {}
    for name, prior in priors.items():
        text = str(prior.spec)
        revision = latest[name].revision if name in latest else SHIPPED
        records[name] = Revision(spec=text, revision=revision if known.get(name, text) == text else BY_HAND)
    return records


def read_history(folder: Path) -> EditHistory:
    """The history of the priors in `folder`, every digest verified; empty if there is none. Raises StoreError if it is damaged."""
    kept = folder / FOLDER
    if not kept.is_dir():
        return EditHistory({}, ())
    start = _read_start(kept / START)
    records = [(raw, path) for path in sorted(kept.glob("[0-9]*.toml")) for raw in _read(path)]
    if records and not start:
        raise StoreError(f"{kept / START} is missing, though edits were made since.", _REMEDY)
    edits: list[Edit] = []
    previous = specs_digest(start)
    for number, (raw, path) in enumerate(sorted(records, key=lambda item: _number(*item)), 1):
        if raw.get("number") != number:
            raise StoreError(f"{path}: the edit after number {number - 1} is missing or duplicated.", _REMEDY)
        if raw.get("sha256") != chained_digest(previous, raw):
            raise StoreError(f"{path}: edit {number} was altered, or one before it: the digest does not match.", _REMEDY)
        edits.append(_edit(raw, path))
        previous = edits[-1].sha256
    return EditHistory({RENAMED.get(name, name): spec for name, spec in start.items()}, tuple(edits), previous)


def specs_digest(specs: Mapping[str, str]) -> str:
    """SHA-256 of specs by name: that of `Priors.digest` for the same priors."""
    return hashlib.sha256("\n".join(f"{name} = {spec}" for name, spec in sorted(specs.items())).encode()).hexdigest()


def edit_from_record(raw: Mapping[str, Any]) -> Edit:
    """An edit as the file has it. Raises KeyError, TypeError or ValueError if it is none."""
    before, after = dict(raw["before"]), dict(raw["after"])
    time = raw["time"]
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise TypeError("time is not a moment with its time zone")
    return Edit(
        number=raw["number"],
        change=raw["change"],
        time=time,
        name=RENAMED.get(raw["name"], raw["name"]),
        old=raw["from"],
        new=raw["to"],
        why=raw["why"],
        by=raw["by"],
        source=raw["source"],
        digest_before=before.pop("priors"),
        digest_after=after.pop("priors"),
        before=HeadlineEstimate(**before) if before else None,
        after=HeadlineEstimate(**after) if after else None,
        sha256=raw["sha256"],
        replaced=Provenance.of(raw["replaced"]) if "replaced" in raw else None,
        undoes=raw.get("undoes", ""),
        old_name=raw["name"] if raw["name"] in RENAMED else "",
    )


def _edit(raw: Mapping[str, Any], path: Path) -> Edit:
    try:
        return edit_from_record(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise StoreError(f"{path}: edit {raw.get('number')} is incomplete or invalid: {e}.", _REMEDY) from e


def _number(raw: Mapping[str, Any], path: Path) -> int:
    number = raw.get("number")
    if not isinstance(number, int):
        raise StoreError(f"{path}: an edit without its number.", _REMEDY)
    return number


def _read(path: Path) -> Iterator[dict[str, Any]]:
    records = _toml(path)
    edits = records.get("edit", [])
    if records.keys() - {"edit"} or not isinstance(edits, list) or not all(isinstance(raw, dict) for raw in edits):
        raise StoreError(f"{path} holds something other than edits.", _REMEDY)
    yield from edits


def _read_start(path: Path) -> dict[str, str]:
    if not path.exists(follow_symlinks=False):
        return {}
    records = _toml(path)
    specs = records.get("priors")
    if not isinstance(specs, dict) or not specs or records.get("sha256") != specs_digest(specs):
        raise StoreError(f"{path} was altered: its digest does not match.", _REMEDY)
    return {str(name): str(spec) for name, spec in specs.items()}


def _toml(path: Path) -> dict[str, Any]:
    document, problems = read_toml_file(path, str(path))
    if document is None:
        raise StoreError(f"{problems[0]}", _REMEDY)
    return document.tables
