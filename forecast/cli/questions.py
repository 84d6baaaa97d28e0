"""`forecast questions`: the ledger of forecasts, predictions and outcomes."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, date
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._context import Context
from forecast.cli._options import Day, common, examples
from forecast.cli._root import Group
from forecast.cli._text import WIDTH, counted, terminal_width, wrap

if TYPE_CHECKING:
    from forecast.evaluation.question_ledger import QuestionLedger
    from forecast.jobs.questions.freeze import OmittedQuestions
    from forecast.jobs.questions.record import RecordedEntry
    from forecast.runs.ledger import Head


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
            self.fail(f"{value!r} does not have the form of a head, 12-3f9a…, as `forecast questions verify` prints it.", param, ctx)
        return Head(int(number), digest)


@click.group("questions", cls=Group, epilog=examples("forecast questions list", "forecast questions predict reach-4-12m 0.05 --by me"))
def questions() -> None:
    """List, predict, resolve and score the questions in the ledger.

    The ledger holds the questions of every published run. You can add questions, and predictions of your own. QUESTION is an id, or the
    beginning of an id that only one id has. Entries are never edited.
    """


@questions.command(
    "list", epilog=examples("forecast questions list", "forecast questions list --due", "forecast questions list reach-4 --json")
)
@common()
@click.argument("question", required=False)
@click.option("--all", "everything", is_flag=True, help="Include resolved questions.")
@click.option("--due", is_flag=True, help="Only questions whose resolution date has passed.")
def list_(context: Context, question: str | None, everything: bool, due: bool) -> None:
    """List the questions that are open, due or disputed.

    With QUESTION: all questions whose id begins with it, resolved or not. If there is only one, everything recorded about it.
    """
    from forecast.cli._questions_view import COLUMNS, document, not_entered, page, question_lines, rows
    from forecast.cli._text import print_rows
    from forecast.jobs.questions.freeze import read_question_ledger

    book = read_question_ledger(context.workspace.reports)
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
        lines = page(chosen[0], today, WIDTH) if single else question_lines(chosen, today, terminal_width())
        for line in lines or [_none(bool(book.questions), due)]:
            context.say(line)
    if left:
        context.warn("\n".join(wrap(not_entered(left))))


def _left_out(context: Context, book: QuestionLedger) -> tuple[OmittedQuestions, ...]:
    """Questions of the newest run that are not in the ledger. A damaged run is only a warning, because the ledger does not depend on it."""
    from forecast.errors import StoreError
    from forecast.jobs.questions.freeze import omitted_questions

    try:
        return omitted_questions(context.workspace.reports, book)
    except StoreError as e:
        context.warn(str(e))
        return ()


def _none(any_at_all: bool, due: bool) -> str:
    if not any_at_all:
        return "The ledger has no question yet; `forecast run --publish` adds the first."
    return "No question is due." if due else "No question is open; `forecast questions list --all` shows the resolved ones."


@questions.command(
    epilog=examples("forecast questions add pact 'Is there a pact by 2028?' --date 2027-12-31 --by me"),
)
@common()
@click.argument("id", metavar="ID")
@click.argument("text", metavar="TEXT")
@click.option("--date", "resolves", metavar="DATE", type=Day(), required=True, help="The day on which it resolves.")
@click.option("--by", required=True, metavar="NAME", help="Your name.")
@click.option("--link", metavar="TEXT", help="Source of the question, or what will resolve it.")
def add(context: Context, id: str, text: str, resolves: date, by: str, link: str | None) -> None:
    """Add a question of your own, with the answer yes or no."""
    reports = context.own_workspace.reports
    from forecast.jobs.questions import record

    entry = record.add_question(reports, id, text, resolves, by, link, context.now)
    _print_entry(context, entry, f"{entry.question} is added; it resolves on {resolves}.")


@questions.command(
    epilog=examples(
        "forecast questions predict reach-4-12m 0.05 --by me",
        "forecast questions predict hold-3-12m 40% --by me --why 'They never left.'",
    )
)
@common()
@click.argument("question")
@click.argument("probability", metavar="P", type=Probability())
@click.option("--by", required=True, metavar="NAME", help="Your name.")
@click.option("--why", metavar="TEXT", help="Your reason.")
def predict(context: Context, question: str, probability: float, by: str, why: str | None) -> None:
    """Record a probability of your own.

    P, such as 0.05 or 5%, is the probability of yes; of a count, of at least one. You may predict again as often as you like. The last
    prediction before the question is resolved is scored.
    """
    reports = context.own_workspace.reports
    from forecast.jobs.questions import record

    entry = record.record_prediction(reports, question, probability, by, why, context.now)
    _print_entry(context, entry, f"Recorded: {entry.content['by']}, {100 * probability:g} %, {entry.question}.")


@questions.command(
    epilog=examples("forecast questions resolve pact yes --source 'The treaty' --date 2026-11-24 --by me"),
)
@common()
@click.argument("question")
@click.argument("outcome", required=False)
@click.option("--source", metavar="TEXT", help="The document that shows the outcome, or its address.")
@click.option("--date", "day", metavar="DATE", help="When the outcome became public: a day, or a time such as 2026-11-24T14:00 in UTC.")
@click.option("--by", required=True, metavar="NAME", help="Your name.")
@click.option("--why", metavar="TEXT", help="How the source answers the question.")
@click.option("--happens", is_flag=True, help="What became known after the resolution. It is recorded but not scored.")
@click.option(
    "--disputes", metavar="N", type=click.IntRange(min=1), help="Dispute the resolution in entry N; needs --why instead of an outcome."
)
@click.option("--settles", metavar="N", type=click.IntRange(min=1), help="Resolve again, which ends the dispute in entry N.")
def resolve(
    context: Context, question: str, outcome: str | None, source: str | None, day: str | None, by: str, why: str | None, happens: bool,
    disputes: int | None, settles: int | None,
) -> None:  # fmt: skip
    """Record the outcome of a question, or dispute it.

    OUTCOME is yes or no; of a count, the number. A resolution needs a source and a date, and is never edited. It can be disputed
    (--disputes N --why TEXT). The question is then not scored until it is resolved again (--settles N). Predictions entered up to the
    date, and before the first resolution, are scored.
    """
    reports = context.own_workspace.reports
    from forecast.jobs.questions import record

    if disputes is not None:
        if outcome or source or day or happens or settles:
            raise click.UsageError("--disputes goes only with --why and --by. Give the right outcome in a new resolution.")
        entry = record.record_dispute(reports, question, disputes, by, why, context.now)
        _print_entry(context, entry, f"Entry {disputes} is disputed; to resolve {entry.question} again, use --settles {entry.number}.")
        return
    if outcome is None or source is None or day is None:
        raise click.UsageError("A resolution needs an OUTCOME (yes, no or a number), --source and --date.")
    entry = record.record_resolution(
        reports, question, _outcome(outcome), about="happens" if happens else "known", source=source, day=day, by=by, why=why,
        settles=settles, now=context.now,
    )  # fmt: skip
    _print_entry(context, entry, f"{entry.question} is resolved: {outcome.lower()}, public on {day}.")


def _outcome(text: str) -> bool | int:
    if text.lower() in ("yes", "no"):
        return text.lower() == "yes"
    if _is_count(text):
        return int(text)
    raise click.UsageError(f"{text[:40]!r} is not an outcome; write yes or no, or the number for a count.")


def _is_count(text: str) -> bool:
    """Whether it is a whole number of at most nine digits."""
    return text.isdecimal() and len(text) <= 9


@questions.command(epilog=examples("forecast questions score", "forecast questions score --json"))
@common()
def score(context: Context) -> None:
    """Score the resolved questions, by kind, horizon and author.

    The model and every person are compared with two baselines, fixed when the question was entered: persistence (nothing changes) and
    climatology (everything happens as often as it has on average). Below the table: whether edits of priors helped.
    """
    from forecast.cli._questions_view import score_lines
    from forecast.jobs.questions.score import score_ledger

    scores = score_ledger(context.workspace, _today(context))
    context.show(scores.as_dict(), score_lines(scores, WIDTH))


@questions.command(epilog=examples("forecast questions verify", "forecast questions verify --json"))
@common()
@click.option(
    "--head", metavar="HEAD", type=NotedHead(), help="A head that this command printed earlier: the ledger must still contain it."
)
def verify(context: Context, head: Head | None) -> None:
    """Check the ledger for tampering.

    Finds entries that were changed, removed, inserted, swapped or cut off, and entries that disagree with their run. Keep the head that it
    prints in a safe place: it is the only way to notice that the ledger and all runs were rewritten together.
    """
    from forecast.errors import StoreError
    from forecast.jobs.questions.verify import verify_ledger

    result = verify_ledger(context.workspace.reports, head)
    if context.json:
        context.say_json(result.as_dict())
    elif not result.problems:
        entries = counted(result.head.entries, "entry", "entries")
        context.say(f"The ledger is sound: {entries}, {result.runs} of them compared with their runs.")
        if result.head.entries:
            context.say(f"Head: {result.head.entries}-{result.head.digest}")
    for note in result.notes:
        context.warn("\n".join(wrap(f"Note: {note}.")))
    if result.problems:
        raise StoreError(
            "\n  ".join(["The ledger is damaged or was tampered with:", *(f"{p}." for p in result.problems)]),
            "\nRestore reports/ledger/ from a copy; its files must never be changed.",
        )


def _print_entry(context: Context, entry: RecordedEntry, text: str) -> None:
    where = context.own_workspace
    context.show(entry.as_dict() | {"workspace": str(where.root)}, wrap(f"{text} Entry {entry.number} of the ledger."))
    if not context.json:
        context.say_written(where, ["reports/ledger/"])


def _today(context: Context) -> date:
    return context.now.astimezone(UTC).date()
