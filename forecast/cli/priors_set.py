"""`forecast priors set`, `undo` and `log`: change a prior for good, take a change back, and read what was changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import click

from forecast.cli._context import Context
from forecast.cli._options import common, examples
from forecast.cli._text import terminal_width, wrap

if TYPE_CHECKING:
    from forecast.jobs.priors.edits import EditLog, HeadlineChange, PriorEditResult, UndoResult
    from forecast.priors.edit_log import Edit, HandEdit, HeadlineEstimate
    from forecast.workspace import Workspace

_EDIT: Final = re.compile(r"[^=(]+=.*", re.DOTALL)
"""NAME = PRIOR. The = in `LogNormal(12, 0.6, shift=3)` comes after a bracket, so it is not this one."""

NAMED: Final = 4
"""Number of edits named after an undo that stay in force; the others are counted."""


@click.command(
    "set",
    epilog=examples(
        "forecast priors set leverage.effect 'Normal(0.8, 0.3)' --why 'Tariffs were met with defiance.' --by me",
        "forecast priors set 'leverage.effect = Normal(0.8, 0.3)' 'ladder.just_risen = Normal(2, 1)' --why 'Both doubted.' --by me --json",
    ),
)
@common()
@click.argument("edits", metavar="EDIT...", nargs=-1, required=True)
@click.option("--why", required=True, metavar="TEXT", help="The reason. It is written to the file as `why`.")
@click.option("--by", required=True, metavar="NAME", help="Your name.")
@click.option("--source", metavar="TEXT", help="The evidence for it.  [default: judgement]")
def set_(context: Context, edits: tuple[str, ...], why: str, by: str, source: str | None) -> None:
    """Change priors in their files and add each edit to the history.

    EDIT is 'NAME = PRIOR' in quotes, or NAME and PRIOR as two words. Several edits may be given. Comments in the files stay. If one edit is
    invalid, nothing is written. `forecast priors try` shows what an edit would do, `forecast priors undo` reverts it.
    """
    where = context.own_workspace
    from forecast.jobs.priors.edits import SOURCE, set_priors
    from forecast.priors.parsing import parse_edits

    parsed = parse_edits(join_words(edits))
    done = set_priors(where, parsed, why=why, by=by, source=source or SOURCE, now=context.now)
    if context.json:
        context.say_json(done.as_dict() | {"workspace": str(where.root), "files": changed_files(where, done)})
    else:
        print_result(context, where, done)


def print_result(context: Context, where: Workspace, done: PriorEditResult) -> None:
    """What was set, and where."""
    for text in result_lines(done):
        _say(context, text)
    if done.edits:
        context.say_written(where, changed_files(where, done))


def _say(context: Context, text: str) -> None:
    for line in wrap(text, terminal_width(), subsequent_indent="  "):
        context.say(line)


def changed_files(where: Workspace, done: PriorEditResult | UndoResult) -> list[str]:
    """The files that the edits changed, as paths in the workspace."""
    from forecast.priors.edit_log import FOLDER
    from forecast.priors.load import load_priors

    priors = load_priors(where.priors)
    files = {f"priors/{priors[edit.name].file}" for edit in done.edits}
    return sorted(files | {f"priors/{FOLDER}/{edit.time.year}.toml" for edit in done.edits})


def join_words(words: Sequence[str]) -> list[str]:
    """Edits in the form `NAME = PRIOR`, from words of which some may be NAME and PRIOR apart."""
    edits: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        apart = not _EDIT.fullmatch(word) and rest and not _EDIT.fullmatch(rest[0])
        edits.append(f"{word} = {rest.pop(0)}" if apart else word)
    return edits


def result_lines(done: PriorEditResult) -> Iterator[str]:
    """What was set, in lines."""
    for name in done.unchanged:
        yield f"{name} has this value already; nothing to change."
    for edit in done.edits:
        yield f"{edit.name} = {edit.new}, before {edit.old}; revision {edit.revision}."
    if done.edits:
        yield from _outlook(done.headline)


def _outlook(seen: HeadlineChange) -> Iterator[str]:
    """How a change moves the headline, and when the forecast changes."""
    if seen.lacking:
        yield f"Its effect on the headline could not be computed. {seen.lacking}"
    elif seen.before:
        yield f"{_headline(seen.before, seen.after)}."
    yield "The forecast changes with the next `forecast refit`."


@click.command("undo", epilog=examples("forecast priors undo --help", "forecast priors log"))
@common()
@click.argument("revisions", metavar="REVISION...", nargs=-1, required=True)
def undo(context: Context, revisions: tuple[str, ...]) -> None:
    """Undo changes of priors, and restore value, reason, source, author and date.

    REVISION is what `forecast priors log` shows before a change, such as 3-1c9e07aa, or its number alone. Only the last change of a prior
    can be undone; if there are several, undo the newest first. An undo is added to the history and can itself be undone.
    """
    from forecast.jobs.priors.edits import undo_priors

    where = context.own_workspace
    done = undo_priors(where, revisions, context.now)
    if context.json:
        context.say_json(done.as_dict() | {"workspace": str(where.root), "files": changed_files(where, done)})
        return
    for text in _taken_back(done):
        _say(context, text)
    context.say_written(where, changed_files(where, done))


def _taken_back(done: UndoResult) -> Iterator[str]:
    for before, edit in zip(done.undone, done.edits, strict=True):
        yield f"{edit.name} = {edit.new} again, before {edit.old}."
        yield f"Revision {edit.revision} undoes {before.revision}. The reason in the file is again: {edit.why} ({edit.by})"
    if done.staying:
        names = ", ".join(f"{edit.name} ({edit.revision})" for edit in done.staying[:NAMED])
        more = f" and {len(done.staying) - NAMED} more" if len(done.staying) > NAMED else ""
        yield f"These were changed by the same command and stay: {names}{more}."
    yield from _outlook(done.headline)


@click.command("log", epilog=examples("forecast priors log", "forecast priors log leverage.effect --json"))
@common()
@click.argument("name", required=False)
def log(context: Context, name: str | None) -> None:
    """Show who changed which prior, when and why, newest first.

    An edit made directly in a prior file is shown as "edited by hand". If the history itself was altered, the exit code is 7.
    """
    from forecast.jobs.priors.edits import read_edit_log
    from forecast.priors.catalogue import check_known

    if name is not None:
        check_known(name)
    entries = read_edit_log(context.workspace, name)
    if context.json:
        by_hand = [{"name": hand.name, "from": hand.old, "to": hand.new, "until": hand.until} for hand in entries.by_hand]
        context.say_json({"edits": [edit.as_dict() for edit in reversed(entries.history.edits)], "by_hand": by_hand})
        return
    lines = list(_listed(entries))
    for line in lines or ["No prior has been changed since the history began." if name is None else f"{name} has not been changed."]:
        context.say(line)


def _listed(entries: EditLog) -> Iterator[str]:
    from forecast.priors.edit_log import BY_HAND

    def by_hand(hand: HandEdit) -> Iterator[str]:
        yield f"{BY_HAND:<31}{hand.name}"
        yield f"    {hand.old} → {hand.new}"
        yield "    Edited in the file; author and reason are not known."

    for hand in entries.by_hand:
        if hand.until is None:
            yield from by_hand(hand)
    for edit in reversed(entries.history.edits):
        yield from _entry(edit)
        for hand in entries.by_hand:
            if hand.until == edit.number:
                yield from by_hand(hand)


def _entry(edit: Edit) -> Iterator[str]:
    undoes = f" (undoes {edit.undoes})" if edit.undoes else ""
    formerly = f", then called {edit.old_name}" if edit.old_name else ""
    yield f"{edit.revision:<13}{edit.time:%Y-%m-%d %H:%M}  {edit.name}{formerly}{undoes}"
    yield f"    {edit.old} → {edit.new}"
    yield from _indented(f"{edit.why} ({edit.by})")
    if edit.before:
        yield from _indented(_headline(edit.before, edit.after))


def _indented(text: str) -> list[str]:
    return wrap(text, terminal_width(), "    ", "    ")


def _headline(before: HeadlineEstimate, after: HeadlineEstimate | None) -> str:
    from forecast.formatting import fine_percent

    rough = "" if before.accepted else "roughly "
    text = f"Headline {rough}{fine_percent(before.probability)}"
    if after is None:
        return f"{text} before; only a refit can compute the new one"
    how = after.how if after.accepted else f"{after.how}; too uncertain to rely on, needs a refit"
    return f"{text} → {fine_percent(after.probability)} ({how})"
