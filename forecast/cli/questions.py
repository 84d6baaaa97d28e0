"""`forecast questions`: the ledger of what was forecast, by whom, and how it came out."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, date
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._context import Context
from forecast.cli._options import Day, common, examples
from forecast.cli._root import Group
from forecast.cli._text import terminal_width, wrap

if TYPE_CHECKING:
    from forecast.evaluation.question_ledger import QuestionLedger
    from forecast.jobs.questions.freeze import LeftOut
    from forecast.jobs.questions.record import RecordedEntry
    from forecast.runs.ledger import Head

WIDTH = 80


class Probability(click.ParamType[float]):
    name = "probability"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return float(value[:-1]) / 100.0 if value.endswith("%") else float(value)
        except ValueError:
            self.fail(f"{value!r} is not a probability; write 0.05 or 5%.", param, ctx)


class NotedHead(click.ParamType["Head"]):
    name = "head"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Head:
        from forecast.runs.ledger import Head

        if isinstance(value, Head):
            return value
        number, _, digest = str(value).partition("-")
        if not _is_count(number) or len(digest) < 8 or set(digest) - set("0123456789abcdef"):
            self.fail(f"{value!r} is not a head such as `forecast questions verify` prints: 12-3f9a….", param, ctx)
        return Head(int(number), digest)


@click.group("questions", cls=Group, epilog=examples("forecast questions list", "forecast questions predict reach-4-12m 0.05 --by me"))
def questions() -> None:
    """List, answer, resolve and score the questions in the ledger.

    A published run enters its questions; a person may add numbers and questions of their own. QUESTION is an id or the beginning of one
    only. Nothing in the ledger is ever edited.
    """


@questions.command(
    "list", epilog=examples("forecast questions list", "forecast questions list --due", "forecast questions list reach-4 --json")
)
@common()
@click.argument("question", required=False)
@click.option("--all", "everything", is_flag=True, help="Those that are resolved too.")
@click.option("--due", is_flag=True, help="Only those whose resolution date has passed.")
def list_(context: Context, question: str | None, everything: bool, due: bool) -> None:
    """List the questions that are open, due or disputed.

    With QUESTION those whose id begins so, resolved or not; of a single one all that is recorded.
    """
    from forecast.cli._questions_view import COLUMNS, document, not_entered, page, rows, table
    from forecast.cli._text import print_rows
    from forecast.jobs.questions.freeze import read_book

    book = read_book(context.workspace.reports)
    today = _today(context)
    chosen = list(book.questions.values())
    if question is not None:
        exactly = question in book.questions
        chosen = [q for q in chosen if q.id.startswith(question) and not exactly] or [book.find(question)]
    elif due:
        chosen = [q for q in chosen if q.state(today) == "due"]
    elif not everything:
        chosen = [q for q in chosen if q.state(today) != "resolved"]
    chosen.sort(key=lambda q: q.resolves)
    left = _left_out(context, book) if question is None and not due else ()
    if context.json:
        context.say_json({"questions": [document(q, today) for q in chosen], "left_out": [asdict(x) for x in left]})
        return
    single = question is not None and len(chosen) == 1
    if chosen and not single and not sys.stdout.isatty():
        print_rows(context, COLUMNS, rows(chosen, today))
    else:
        lines = page(chosen[0], today, WIDTH) if single else table(chosen, today, terminal_width())
        for line in lines or [_none(bool(book.questions), due)]:
            context.say(line)
    if left:
        context.warn("\n".join(wrap(not_entered(left), WIDTH)))


def _left_out(context: Context, book: QuestionLedger) -> tuple[LeftOut, ...]:
    """What the ledger did not take from the newest run; a damaged run is a warning, since the ledger stands without it."""
    from forecast.errors import StoreError
    from forecast.jobs.questions.freeze import left_out

    try:
        return left_out(context.workspace.reports, book)
    except StoreError as e:
        context.warn(str(e))
        return ()


def _none(any_at_all: bool, due: bool) -> str:
    if not any_at_all:
        return "The ledger has no question yet; `forecast run --publish` enters the first."
    return "No question is due." if due else "No question is open; `forecast questions list --all` shows the resolved ones."


@questions.command(
    epilog=examples("forecast questions add pact 'Is there a pact by 2028?' --date 2027-12-31 --by me"),
)
@common()
@click.argument("id", metavar="ID")
@click.argument("text", metavar="TEXT")
@click.option("--date", "resolves", metavar="DATE", type=Day(), required=True, help="The day by which it has its answer.")
@click.option("--by", required=True, metavar="NAME", help="Who asks.")
@click.option("--link", metavar="TEXT", help="Where the question comes from, or what it will be resolved by.")
def add(context: Context, id: str, text: str, resolves: date, by: str, link: str | None) -> None:
    """Ask a question of your own, to be answered yes or no."""
    reports = context.own_workspace.reports
    from forecast.jobs.questions import record

    said = record.add(reports, id, text, resolves, by, link, context.now)
    _told(context, said, f"{said.question} is asked, to be answered by {resolves}.")


@questions.command(
    epilog=examples(
        "forecast questions predict reach-4-12m 0.05 --by me",
        "forecast questions predict hold-3-12m 40% --by me --why 'They never left.'",
    )
)
@common()
@click.argument("question")
@click.argument("probability", metavar="P", type=Probability())
@click.option("--by", required=True, metavar="NAME", help="Whose number it is.")
@click.option("--why", metavar="TEXT", help="What it rests on.")
def predict(context: Context, question: str, probability: float, by: str, why: str | None) -> None:
    """Record a probability of your own.

    P, 0.05 or 5%, is that of a yes; of a count, that of at least one. It may be said anew as often as you like; the last word before the
    question is resolved is scored.
    """
    reports = context.own_workspace.reports
    from forecast.jobs.questions import record

    said = record.predict(reports, question, probability, by, why, context.now)
    _told(context, said, f"{said.content['by']} says {100 * probability:g} % to {said.question}.")


@questions.command(
    epilog=examples("forecast questions resolve pact yes --source 'The treaty' --date 2026-11-24 --by me"),
)
@common()
@click.argument("question")
@click.argument("outcome", required=False)
@click.option("--source", metavar="TEXT", help="The document, or its address, that shows the outcome.")
@click.option("--date", "day", metavar="DATE", help="When the outcome was public: a day, or 2026-11-24T14:00 in UTC.")
@click.option("--by", required=True, metavar="NAME", help="Who says so.")
@click.option("--why", metavar="TEXT", help="How the source answers the question.")
@click.option("--happens", is_flag=True, help="What later exposures made of it; kept beside, never scored.")
@click.option("--disputes", metavar="N", type=click.IntRange(min=1), help="Contest the resolution that is entry N; takes --why instead.")
@click.option("--settles", metavar="N", type=click.IntRange(min=1), help="Resolve anew, and so end the dispute that is entry N.")
def resolve(
    context: Context, question: str, outcome: str | None, source: str | None, day: str | None, by: str, why: str | None, happens: bool,
    disputes: int | None, settles: int | None,
) -> None:  # fmt: skip
    """Record how a question came out, or dispute it.

    OUTCOME is yes, no, or of a count its number. A resolution needs a source and a date, and is never edited. It can be disputed
    (--disputes N --why TEXT); then the question is not scored until it is resolved anew (--settles N). Numbers entered up to the
    date, and before the first resolution, are scored.
    """
    reports = context.own_workspace.reports
    from forecast.jobs.questions import record

    if disputes is not None:
        if outcome or source or day or happens or settles:
            raise click.UsageError("--disputes takes --why and --by alone: what the outcome is, a new resolution says.")
        said = record.dispute(reports, question, disputes, by, why, context.now)
        _told(context, said, f"Entry {disputes} is disputed; to resolve {said.question} anew, say --settles {said.number}.")
        return
    if outcome is None or source is None or day is None:
        raise click.UsageError("A resolution needs an OUTCOME (yes, no or a number), --source and --date.")
    said = record.resolve(
        reports, question, _outcome(outcome), about="happens" if happens else "known", source=source, day=day, by=by, why=why,
        settles=settles, now=context.now,
    )  # fmt: skip
    _told(context, said, f"{said.question} is resolved: {outcome.lower()}, public on {day}.")


def _outcome(text: str) -> bool | int:
    if text.lower() in ("yes", "no"):
        return text.lower() == "yes"
    if _is_count(text):
        return int(text)
    raise click.UsageError(f"{text[:40]!r} is no outcome; write yes, no, or of a count its number.")


def _is_count(text: str) -> bool:
    """Whether it is a number of things that can be counted: of thousands of digits Python makes none."""
    return text.isdecimal() and len(text) <= 9


@questions.command(epilog=examples("forecast questions score", "forecast questions score --json"))
@common()
def score(context: Context) -> None:
    """Score the resolved questions, by kind, horizon and author.

    Beside the model and every person stand persistence (nothing changes) and climatology (all goes on as it ever did), frozen with the
    question. Below that: whether edits of priors helped.
    """
    from forecast.cli._questions_view import scores
    from forecast.jobs.questions.score import score as job

    found = job(context.workspace, _today(context))
    if context.json:
        context.say_json(found.as_dict())
        return
    for line in scores(found, WIDTH):
        context.say(line)


@questions.command(epilog=examples("forecast questions verify", "forecast questions verify --json"))
@common()
@click.option("--head", metavar="HEAD", type=NotedHead(), help="A head noted earlier, as this command prints it: it must still be there.")
def verify(context: Context, head: Head | None) -> None:
    """Look for tampering with the ledger.

    Entries altered, taken out, put in, exchanged or cut off are found, and those that do not say what their run says. Note the head it
    prints where nobody can change it: whoever rewrites the ledger and all runs together is seen by that alone.
    """
    from forecast.errors import StoreError
    from forecast.jobs.questions.verify import audit

    found = audit(context.workspace.reports, head)
    if context.json:
        context.say_json(found.as_dict())
    elif not found.problems:
        many = f"{found.head.entries} entr{'y' if found.head.entries == 1 else 'ies'}"
        context.say(f"The ledger is sound: {many}, {found.runs} of them compared with their runs.")
        if found.head.entries:
            context.say(f"Head: {found.head.entries}-{found.head.digest}")
    for note in found.notes:
        context.warn("\n".join(wrap(f"Note: {note}.", WIDTH)))
    if found.problems:
        raise StoreError(
            "\n  ".join(["The ledger is damaged, or was tampered with:", *(f"{p}." for p in found.problems)]),
            "\nRestore reports/ledger/ from a copy; nothing in it is ever to be altered.",
        )


def _told(context: Context, said: RecordedEntry, words: str) -> None:
    where = context.own_workspace
    if context.json:
        context.say_json(said.as_dict() | {"workspace": str(where.root)})
        return
    for line in wrap(f"{words} Entry {said.number} of the ledger.", WIDTH):
        context.say(line)
    context.say_written(where, ["reports/ledger/"])


def _today(context: Context) -> date:
    return context.now.astimezone(UTC).date()
