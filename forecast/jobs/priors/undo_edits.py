"""`forecast priors undo`: take edits of priors back, with all that stood in the files before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forecast.data.lock import editing
from forecast.errors import LockedError, UsageError
from forecast.jobs.priors.set_edits import Headlines, headlines
from forecast.priors.apply_edits import undo
from forecast.priors.edit_log import Edit, History, read_history
from forecast.priors.load import Priors, load_priors
from forecast.priors.parsing import parse_prior
from forecast.workspace import Workspace, check_own

_LOG = "`forecast priors log` lists what was changed."


@dataclass(frozen=True)
class Undone:
    """What was taken back, the edits that did so, edits made together with the former that stay, and the headline on both sides."""

    undone: tuple[Edit, ...]
    edits: tuple[Edit, ...]
    staying: tuple[Edit, ...]
    headline: Headlines

    def as_dict(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "undone": [edit.revision for edit in self.undone],
            "edits": [edit.as_dict() for edit in self.edits],
            "made_together": [edit.revision for edit in self.staying],
            "forecast_before": self.headline.before and self.headline.before.as_dict(),
            "forecast_after": self.headline.after and self.headline.after.as_dict(),
            "forecast_lacking": self.headline.lacking,
        }


def undo_priors(where: Workspace, revisions: Sequence[str], now: datetime) -> Undone:
    """Restore value, reason, source, author and day that priors had before the edits with these revisions; the history is added to.

    Raises UsageError for a revision that is unknown, taken back already, not the newest of its prior or followed by an edit by hand, and
    in a workspace that is not to be edited; StoreError if the history is damaged; LockedError while another command writes. Then nothing
    is written.
    """
    check_own(where)
    priors, history = load_priors(where.priors), read_history(where.priors)
    undone = _chosen(history, priors, revisions)
    seen = headlines(where, priors, {edit.name: parse_prior(edit.name, edit.old) for edit in undone})
    with editing(where.priors):
        if load_priors(where.priors) != priors or read_history(where.priors) != history:
            raise LockedError("The priors were changed by another command meanwhile; nothing was written.", "Try again.")
        written = undo(where.priors, priors, undone, now=now, before=seen.before, after=seen.after)
    names, changes = {edit.name for edit in undone}, {edit.change for edit in undone}
    staying = tuple(edit for edit in history.edits if edit.change in changes and edit.name not in names)
    return Undone(undone, written, staying, seen)


def _chosen(history: History, priors: Priors, revisions: Sequence[str]) -> tuple[Edit, ...]:
    """The edits that are meant, each the last of its prior. Raises UsageError."""
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


def _check_newest(history: History, edit: Edit) -> None:
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
    raise UsageError(f"{edit.revision} is not in force any more: a later change of {edit.name} took it back.", _LOG)
