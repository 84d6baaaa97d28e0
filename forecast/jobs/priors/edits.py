"""`forecast priors set`, `undo` and `log`: change priors for good, take changes back, and read what was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from forecast.errors import ForecastError, InputError, LockedError, Problem, StoreError, UsageError
from forecast.priors.apply_edits import write_edits, write_undo
from forecast.priors.edit_log import Edit, EditHistory, HandEdit, HeadlineEstimate, read_history
from forecast.priors.load import Priors, load_priors
from forecast.priors.parsing import parse_prior
from forecast.priors.plausibility import check_reading_names
from forecast.priors.specs import PriorSpec
from forecast.runs import manifest, store
from forecast.storage.locks import folder_lock
from forecast.workspace import Workspace, check_writable

SOURCE: Final = "judgement"
_TRIES: Final = 10
"""If another command writes meanwhile, the headlines are computed again, at most so many times."""


@dataclass(frozen=True)
class HeadlineChange:
    """The headline before and after an edit of priors.

    before   None if only a refit can compute it, or if it is not known
    after    the same
    lacking  why it is not known; empty if it is"""

    before: HeadlineEstimate | None = None
    after: HeadlineEstimate | None = None
    lacking: str = ""


@dataclass(frozen=True)
class PriorEditResult:
    """The result of setting priors.

    edits      one for each prior that changed
    unchanged  names of the priors that had the value already
    headline   before and after, or why it is not known"""

    edits: tuple[Edit, ...]
    unchanged: tuple[str, ...]
    headline: HeadlineChange

    def as_dict(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "edits": [edit.as_dict() for edit in self.edits],
            "unchanged": list(self.unchanged),
            "forecast_before": self.headline.before and self.headline.before.as_dict(),
            "forecast_after": self.headline.after and self.headline.after.as_dict(),
            "forecast_lacking": self.headline.lacking,
        }


def set_priors(
    where: Workspace, edits: Mapping[str, PriorSpec], *, why: str, by: str, now: datetime, source: str = SOURCE
) -> PriorEditResult:
    """Set priors in their files and add each edit to the history. An edit that changes nothing is left out.

    The headline before is that of the published run; if priors were changed since, its draws are reweighted to the current priors. The
    headline after includes the edits.
    Raises InputError with every edit that is invalid, UsageError in a workspace that must not be edited, StoreError if the history is
    damaged, LockedError while another command writes; then nothing is written.
    """
    check_writable(where)
    texts = [_clean(text, flag) for text, flag in ((why, "--why"), (by, "--by"), (source, "--source"))]
    for _ in range(_TRIES):
        priors, run = load_priors(where.priors), _published(where)
        _check_readings(where, priors, priors.replace(edits))
        changed = {name: spec for name, spec in edits.items() if spec != priors.spec(name)}
        seen = headline_change(where, priors, changed) if changed else HeadlineChange()  # this takes a second, too long to hold the lock
        with folder_lock(where.priors):
            now_there = load_priors(where.priors)
            if now_there.digest() != priors.digest() or _published(where) != run:
                continue  # another command wrote meanwhile: the headlines belong to other priors or to another run
            written = write_edits(
                where.priors, now_there, changed, why=texts[0], by=texts[1], source=texts[2], now=now, before=seen.before, after=seen.after
            )  # fmt: skip
        return PriorEditResult(written, tuple(name for name in edits if name not in changed), seen)
    raise LockedError(f"Other commands keep changing {where.priors}.", "Wait until they have ended, then try again.")


def _published(where: Workspace) -> str | None:
    """The id of the published run; None if there is none that can be read, which `headlines` tells."""
    try:
        run = store.latest(where.reports)
    except StoreError:
        return None
    return run.name if run else None


@dataclass(frozen=True)
class EditLog:
    """The edits of priors, oldest first, and the changes made by hand."""

    history: EditHistory
    by_hand: tuple[HandEdit, ...]


def read_edit_log(where: Workspace, name: str | None = None) -> EditLog:
    """The history of all priors or of one, and the edits by hand. Raises StoreError if it is damaged, InputError for invalid priors."""
    history = read_history(where.priors)
    by_hand = history.by_hand(load_priors(where.priors))
    if name is None:
        return EditLog(history, by_hand)
    edits = tuple(edit for edit in history.edits if edit.name == name)
    return EditLog(EditHistory(history.start, edits, history.head), tuple(hand for hand in by_hand if hand.name == name))


def headline_change(where: Workspace, priors: Priors, edits: Mapping[str, PriorSpec]) -> HeadlineChange:
    """The headline with the priors of the workspace, and with the edits, from the published run and its draws.

    A run that is missing, damaged or of another version does not stop an edit; the result says why the headline is not known.
    """
    before: HeadlineEstimate | None = None
    try:
        run = store.latest(where.reports)
        if run is None:
            return HeadlineChange(lacking="No run was published.")
        meta = manifest.read_manifest(run).meta
        headline, chance = meta.get("headline"), meta.get("probability")
        if meta.get("priors_digest") == priors.digest() and headline is not None and chance is not None:
            before = HeadlineEstimate(headline, chance, "fitted", True, run.name)
        else:
            before = _tried(where, {})
        after = _tried(where, edits)
    except ForecastError as e:
        return HeadlineChange(before, lacking=str(e))
    return HeadlineChange(before, after, "" if before else "Only a refit can compute it.")


def _tried(where: Workspace, edits: Mapping[str, PriorSpec]) -> HeadlineEstimate | None:
    """The headline from the draws of the published run, or None if only a refit can compute it."""
    from forecast.jobs.priors.try_edits import try_edits

    tried = try_edits(where, edits)
    return None if tried.how == "refit" else HeadlineEstimate(tried.headline_id, tried.headline, tried.how, tried.accepted, tried.run_id)


def _check_readings(where: Workspace, priors: Priors, edited: Priors) -> None:
    """The weights must name the readings of the data. If readings.csv is invalid, `data check` reports it and nothing is checked here."""
    if edited.spec("readings.weights") == priors.spec("readings.weights"):
        return
    from forecast.data.read import read_table
    from forecast.data.records import ReadingRow

    table, problems = read_table(where.data / ReadingRow.file, ReadingRow)
    if not problems and (wrong := check_reading_names(edited, {row.reading for row in table.rows})):
        raise InputError.of(wrong)


def _clean(text: str, flag: str) -> str:
    """The text on one line. UsageError if it is empty, InputError for characters that a file cannot hold."""
    line = " ".join(text.split())
    if not line:
        raise UsageError(f"{flag} is empty.", "Each change needs a reason and an author.")
    if not line.isprintable():
        raise InputError.of([Problem("edit", f"{flag} {line!r}", "plain text", "Remove characters that cannot be printed.")])
    return line


_LOG = "`forecast priors log` lists what was changed."


@dataclass(frozen=True)
class UndoResult:
    """The result of an undo.

    undone    the edits that were undone
    edits     the new edits in the history that undo them
    staying   edits made together with the former that stay in force
    headline  before and after, or why it is not known"""

    undone: tuple[Edit, ...]
    edits: tuple[Edit, ...]
    staying: tuple[Edit, ...]
    headline: HeadlineChange

    def as_dict(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "undone": [edit.revision for edit in self.undone],
            "edits": [edit.as_dict() for edit in self.edits],
            "made_together": [edit.revision for edit in self.staying],
            "forecast_before": self.headline.before and self.headline.before.as_dict(),
            "forecast_after": self.headline.after and self.headline.after.as_dict(),
            "forecast_lacking": self.headline.lacking,
        }


def undo_priors(where: Workspace, revisions: Sequence[str], now: datetime) -> UndoResult:
    """Restore the value, reason, source, author and day that priors had before the edits with these revisions. The history gets new edits.

    Raises UsageError for a revision that is unknown, undone already, not the newest of its prior or followed by an edit by hand, and
    in a workspace that must not be edited; StoreError if the history is damaged; LockedError while another command writes. Then nothing
    is written.
    """
    check_writable(where)
    priors, history = load_priors(where.priors), read_history(where.priors)
    undone = _chosen(history, priors, revisions)
    seen = headline_change(where, priors, {edit.name: parse_prior(edit.name, edit.old) for edit in undone})
    with folder_lock(where.priors):
        if load_priors(where.priors) != priors or read_history(where.priors) != history:
            raise LockedError("The priors were changed by another command meanwhile; nothing was written.", "Try again.")
        written = write_undo(where.priors, priors, undone, now=now, before=seen.before, after=seen.after)
    names, changes = {edit.name for edit in undone}, {edit.change for edit in undone}
    staying = tuple(edit for edit in history.edits if edit.change in changes and edit.name not in names)
    return UndoResult(undone, written, staying, seen)


def _chosen(history: EditHistory, priors: Priors, revisions: Sequence[str]) -> tuple[Edit, ...]:
    """The edits with these revisions, each the last of its prior. Raises UsageError."""
    chosen: dict[str, Edit] = {}
    for revision in revisions:
        edit = next((edit for edit in history.edits if revision in (edit.revision, str(edit.number))), None)
        if edit is None:
            raise UsageError(f"The history has no revision {revision!r}.", _LOG)
        if edit.name in chosen:
            raise UsageError(f"{edit.revision} and {chosen[edit.name].revision} both changed {edit.name}.", "Give one of them.")
        _check_newest(history, edit)
        if str(priors.spec(edit.name)) != edit.new:
            raise UsageError(
                f"{edit.name} was edited in its file after {edit.revision}: it is {priors.spec(edit.name)} there, not {edit.new}.",
                f"Set it to {edit.new} first, or use `forecast priors set` to give it the value you want.",
            )
        if edit.replaced is None:
            raise UsageError(
                f"{edit.revision} was made by an earlier version, which kept the old value only: {edit.old}.",
                f"`forecast priors set '{edit.name} = {edit.old}' --why … --by …` restores that.",
            )
        chosen[edit.name] = edit
    return tuple(chosen.values())


def _check_newest(history: EditHistory, edit: Edit) -> None:
    """UsageError unless the edit is the last of its prior, or the last that is in force."""
    last = next(other for other in reversed(history.edits) if other.name == edit.name)
    stands = history.in_force(edit.name)
    if edit == last or edit in stands[-1:]:
        return
    if edit in stands:
        later = [other.revision for other in reversed(stands[stands.index(edit) + 1 :])]
        raise UsageError(
            f"{edit.name} was changed again after {edit.revision}.", f"Undo the later changes first, in this order: {', '.join(later)}."
        )
    raise UsageError(f"{edit.revision} is not in force any more: a later change of {edit.name} undid it.", _LOG)
