"""What a person adds to the ledger: a question, a prediction, a resolution, a dispute. Entries are never edited."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from forecast.errors import UsageError
from forecast.evaluation.question_ledger import OWN, About, LedgerQuestion, QuestionOutcome, last_moment
from forecast.evaluation.score_table import RESERVED
from forecast.jobs.questions.freeze import parse_question_ledger
from forecast.runs import ledger

_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MODEL_IDS: Final = re.compile(r"(reach|hold|fall|event|count)-.*")
MAX_NAME_LENGTH: Final = 60
"""Largest number of characters of a question's id or a person's name."""


@dataclass(frozen=True, slots=True)
class RecordedEntry:
    """An entry of the ledger: its number, the id of its question, its content."""

    number: int
    question: str
    content: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {"entry": self.number, **self.content}


def add_question(reports: Path, slug: str, text: str, resolves: date, by: str, link: str | None, now: datetime) -> RecordedEntry:
    """Add a question of one's own. Raises UsageError if the id is taken or malformed, or the resolution date is past."""
    if not _SLUG.fullmatch(slug) or len(slug) > MAX_NAME_LENGTH:
        raise UsageError(
            f"{slug!r} cannot be the id of a question.", "Use lower-case letters, digits and hyphens, such as treaty-extended."
        )
    if _MODEL_IDS.fullmatch(slug):
        raise UsageError(f"{slug!r} looks like a question of the model.", "Don't begin it with reach-, hold-, fall-, event- or count-.")
    if resolves < now.astimezone(UTC).date():
        raise UsageError(f"The resolution date {resolves} is past.", "Give a --date in the future.")
    content = {
        "id": slug,
        "text": _one_line(text, "The question"),
        "resolution_date": resolves.isoformat(),
        "link": None if link is None else _one_line(link, "--link"),
        "by": checked_author(by),
        "origin": None,
    }
    with ledger.writing(reports) as writer:
        if slug in parse_question_ledger(writer.entries).questions:
            raise UsageError(f"There is a question {slug!r} already.", "Give yours another id.")
        entry = writer.append("question", content, now)
    return RecordedEntry(entry.number, slug, content)


def record_prediction(reports: Path, name: str, probability: float, by: str, why: str | None, now: datetime) -> RecordedEntry:
    """Record a person's probability; of a count, that of at least one. The last one before the resolution counts.

    Raises UsageError for a number that is no probability, or a question that is unknown, due or resolved.
    """
    if not 0.0 < probability < 1.0:
        raise UsageError(f"{probability:g} is not between 0 and 1.", "0.01 and 0.99 can be scored; 0 and 1 cannot.")
    with ledger.writing(reports) as writer:
        question = parse_question_ledger(writer.entries).find(name)
        state = question.state(now.astimezone(UTC).date())
        if state != "open":
            why_not = {"due": f"was due on {question.resolves}", "resolved": "is resolved", "disputed": "is disputed"}[state]
            raise UsageError(f"{question.id} {why_not}: a prediction comes too late.", "`forecast questions list` shows open questions.")
        content = {
            "question": question.id,
            "origin": question.origin,
            "probability": probability,
            "by": checked_author(by),
            "why": None if why is None else _one_line(why, "--why"),
        }
        entry = writer.append("prediction", content, now)
    return RecordedEntry(entry.number, question.id, content)


def record_resolution(
    reports: Path, name: str, outcome: QuestionOutcome, *, about: About, source: str, day: str, by: str, why: str | None,
    settles: int | None, now: datetime,
) -> RecordedEntry:  # fmt: skip
    """Record the outcome of a question, its source, and when it was public: a day, or a moment in UTC.

    about: `known`, which is scored, or `happens`, what later disclosures showed. settles: the entry of the dispute that this ends. Raises
    UsageError for an outcome that cannot be known yet, or a question that is resolved and not disputed.
    """
    moment = _moment(day, now)
    with ledger.writing(reports) as writer:
        question = parse_question_ledger(writer.entries).find(name)
        if about == "happens" and question.level is None:
            raise UsageError(f"{question.id} is not about a level, so --happens does not apply.", "Leave out --happens.")
        _check_dispute(question, about, settles)
        _check_outcome(question, outcome, moment.date(), day)
        content = {
            "question": question.id,
            "origin": question.origin,
            "about": about,
            "outcome": outcome,
            "date": day,
            "source": _one_line(source, "--source"),
            "by": checked_author(by),
            "why": None if why is None else _one_line(why, "--why"),
            "settles": settles,
        }
        entry = writer.append("resolution", content, now)
    return RecordedEntry(entry.number, question.id, content)


def record_dispute(reports: Path, name: str, number: int, by: str, why: str | None, now: datetime) -> RecordedEntry:
    """Dispute the resolution in entry `number`. The question is not scored until it is resolved again. UsageError if it is none."""
    if why is None:
        raise UsageError("A dispute needs a reason.", "Add --why TEXT.")
    with ledger.writing(reports) as writer:
        question = parse_question_ledger(writer.entries).find(name)
        disputed = next((r for r in question.resolutions if r.number == number), None)
        latest = disputed and question.resolution(disputed.about)
        if disputed is None or latest is None:
            numbers = ", ".join(str(r.number) for r in question.resolutions) or "none yet"
            raise UsageError(f"Entry {number} is not a resolution of {question.id}.", f"Its resolutions: {numbers}.")
        if disputed != latest:
            raise UsageError(f"Entry {latest.number} has replaced entry {number}.", f"Dispute that one: --disputes {latest.number}.")
        if (already := question.dispute(disputed.about)) is not None:
            raise UsageError(f"Entry {already.number} disputes it already.", f"Resolve it again: --settles {already.number}.")
        content = {
            "question": question.id,
            "origin": question.origin,
            "about": disputed.about,
            "disputes": number,
            "by": checked_author(by),
            "why": _one_line(why, "--why"),
        }
        entry = writer.append("dispute", content, now)
    return RecordedEntry(entry.number, question.id, content)


def _check_outcome(question: LedgerQuestion, outcome: QuestionOutcome, day: date, given: str) -> None:
    if (question.kind == "count") == isinstance(outcome, bool):
        wanted = "a number" if question.kind == "count" else "yes or no"
        raise UsageError(f"The answer to {question.id} is {wanted}.", "`forecast questions list` with its id shows its text.")
    if question.kind == OWN:
        return
    if question.opens is not None and day < question.opens:
        raise UsageError(f"On {given} the window of {question.id} had not begun.", f"It begins on {question.opens}.")
    if outcome is not True and day < question.resolves:
        raise UsageError(
            f"On {given} {question.id} was still open.",
            f"Only a yes may come before {question.resolves}, its resolution date; then --date is that day.",
        )


def _check_dispute(question: LedgerQuestion, about: About, settles: int | None) -> None:
    latest, dispute = question.resolution(about), question.dispute(about)
    if latest is None and settles is not None:
        raise UsageError(f"{question.id} is not resolved, so there is no dispute to settle.", "Leave out --settles.")
    if latest is not None and dispute is None:
        raise UsageError(
            f"{question.id} is resolved by entry {latest.number}, which is never edited.", f"To contest it: --disputes {latest.number}."
        )
    if dispute is not None and settles != dispute.number:
        raise UsageError(f"Entry {dispute.number} disputes {question.id}.", f"A resolution that ends it needs --settles {dispute.number}.")


def _moment(text: str, now: datetime) -> datetime:
    try:
        moment = last_moment(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a day.", "Write --date 2026-11-24, or with the hour in UTC 2026-11-24T14:00.") from None
    day = now.astimezone(UTC).date()
    if moment.date() > day or (len(text) > len("2026-11-24") and moment > now):
        raise UsageError(f"{text} is in the future; today is {day}.", "Give the day on which the outcome was public.")
    return moment


def checked_author(name: str) -> str:
    """A person's name on one line. Raises UsageError if it is empty or too long, or names the model or a baseline."""
    clean = _one_line(name, "--by")
    if len(clean) > MAX_NAME_LENGTH:
        raise UsageError(f"--by has {len(clean)} characters.", f"A name has at most {MAX_NAME_LENGTH}.")
    if clean.casefold() in RESERVED:
        raise UsageError(f"{clean!r} is not a person's name.", f"{', '.join(RESERVED)} are reserved in the scores.")
    return clean


def _one_line(text: str, what: str) -> str:
    """The text on one line. Raises UsageError if it is empty or holds unprintable characters."""
    line = " ".join(text.split())
    if not line:
        raise UsageError(f"{what} is empty.", "Every record needs a source and an author.")
    if not line.isprintable():
        raise UsageError(f"{what} has unprintable characters.", "Use plain text.")
    return line
