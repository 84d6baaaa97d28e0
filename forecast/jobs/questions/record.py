"""What a person adds to the ledger: a question, a number, how a question came out, a dispute. Nothing is ever edited."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from forecast.errors import UsageError
from forecast.evaluation.question_ledger import OWN, About, LedgerQuestion, Outcome, until
from forecast.evaluation.score_table import RESERVED
from forecast.jobs.questions.freeze import book_of
from forecast.runs import ledger

_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MODELS: Final = re.compile(r"(reach|hold|fall|event|count)-.*")
LONGEST: Final = 60
"""Characters of a question's id or a person's name."""


@dataclass(frozen=True, slots=True)
class RecordedEntry:
    """An entry as it stands in the ledger, and the question it is about."""

    number: int
    question: str
    content: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {"entry": self.number, **self.content}


def add(reports: Path, slug: str, text: str, resolves: date, by: str, link: str | None, now: datetime) -> RecordedEntry:
    """Ask a question of one's own. Raises UsageError for an id that is taken or of another form, or a day that is past."""
    if not _SLUG.fullmatch(slug) or len(slug) > LONGEST:
        raise UsageError(f"{slug!r} cannot be the id of a question.", "Use small letters, digits and hyphens, such as treaty-extended.")
    if _MODELS.fullmatch(slug):
        raise UsageError(f"{slug!r} looks like a question of the model.", "Don't begin it with reach-, hold-, fall-, event- or count-.")
    if resolves < now.astimezone(UTC).date():
        raise UsageError(f"{resolves} is past: a question that has its answer can't be asked.", "Give a --date that is still to come.")
    content = {
        "id": slug,
        "text": _plain(text, "The question"),
        "resolution_date": resolves.isoformat(),
        "link": None if link is None else _plain(link, "--link"),
        "by": author(by),
        "origin": None,
    }
    with ledger.writing(reports) as writer:
        if slug in book_of(writer.entries).questions:
            raise UsageError(f"There is a question {slug!r} already.", "Give yours another id.")
        entry = writer.append("question", content, now)
    return RecordedEntry(entry.number, slug, content)


def predict(reports: Path, name: str, probability: float, by: str, why: str | None, now: datetime) -> RecordedEntry:
    """Record a person's probability; of a count, that of at least one. The last word before the resolution counts.

    Raises UsageError for a number that is no probability, or a question that is unknown, due or resolved.
    """
    if not 0.0 < probability < 1.0:
        raise UsageError(f"{probability:g} is not between 0 and 1.", "Nothing is certain: 0.01 and 0.99 can be scored, 0 and 1 can't.")
    with ledger.writing(reports) as writer:
        asked = book_of(writer.entries).find(name)
        state = asked.state(now.astimezone(UTC).date())
        if state != "open":
            said = {"due": f"was to be answered by {asked.resolves}", "resolved": "is resolved", "disputed": "is disputed"}
            raise UsageError(f"{asked.id} {said[state]}: a number comes too late.", "`forecast questions list` shows what is open.")
        content = {
            "question": asked.id,
            "origin": asked.origin,
            "probability": probability,
            "by": author(by),
            "why": None if why is None else _plain(why, "--why"),
        }
        entry = writer.append("prediction", content, now)
    return RecordedEntry(entry.number, asked.id, content)


def resolve(
    reports: Path, name: str, outcome: Outcome, *, about: About, source: str, day: str, by: str, why: str | None, settles: int | None,
    now: datetime,
) -> RecordedEntry:  # fmt: skip
    """Record how a question came out, by what source, and when that was public: a day, or a moment in UTC.

    about: `known`, which is scored, or `happens`, what later exposures made of it. settles: the entry of the dispute that this ends.
    Raises UsageError for what can't be yet, or for a question that is resolved and not disputed.
    """
    moment = _moment(day, now)
    with ledger.writing(reports) as writer:
        asked = book_of(writer.entries).find(name)
        if about == "happens" and asked.level is None:
            raise UsageError(f"{asked.id} is not about a level: what happens is what is known.", "Leave out --happens.")
        _check_dispute(asked, about, settles)
        _check_outcome(asked, outcome, moment.date(), day)
        content = {
            "question": asked.id,
            "origin": asked.origin,
            "about": about,
            "outcome": outcome,
            "date": day,
            "source": _plain(source, "--source"),
            "by": author(by),
            "why": None if why is None else _plain(why, "--why"),
            "settles": settles,
        }
        entry = writer.append("resolution", content, now)
    return RecordedEntry(entry.number, asked.id, content)


def dispute(reports: Path, name: str, number: int, by: str, why: str | None, now: datetime) -> RecordedEntry:
    """Dispute the resolution that is entry `number`: the question is not scored until it is resolved anew. UsageError if it is none."""
    if why is None:
        raise UsageError("A dispute says why.", "Add --why TEXT.")
    with ledger.writing(reports) as writer:
        asked = book_of(writer.entries).find(name)
        found = next((r for r in asked.resolutions if r.number == number), None)
        standing = found and asked.resolution(found.about)
        if found is None or standing is None:
            numbers = ", ".join(str(r.number) for r in asked.resolutions) or "none yet"
            raise UsageError(f"Entry {number} is no resolution of {asked.id}.", f"Its resolutions: {numbers}.")
        if found != standing:
            raise UsageError(
                f"Entry {number} stands no more: entry {standing.number} does.", f"Dispute that: --disputes {standing.number}."
            )
        if (already := asked.dispute(found.about)) is not None:
            raise UsageError(f"Entry {already.number} disputes it already.", f"Resolve it anew: --settles {already.number}.")
        content = {
            "question": asked.id,
            "origin": asked.origin,
            "about": found.about,
            "disputes": number,
            "by": author(by),
            "why": _plain(why, "--why"),
        }
        entry = writer.append("dispute", content, now)
    return RecordedEntry(entry.number, asked.id, content)


def _check_outcome(asked: LedgerQuestion, outcome: Outcome, day: date, said: str) -> None:
    if (asked.kind == "count") == isinstance(outcome, bool):
        wanted = "a number" if asked.kind == "count" else "yes or no"
        raise UsageError(f"{asked.id} asks for {wanted}.", "`forecast questions list` with its id shows its words.")
    if asked.kind == OWN:
        return
    if asked.opens is not None and day < asked.opens:
        raise UsageError(f"On {said} the window of {asked.id} had not begun.", f"It begins on {asked.opens}.")
    if outcome is not True and day < asked.resolves:
        raise UsageError(
            f"On {said} {asked.id} could still come out otherwise.",
            f"Only a yes may come before {asked.resolves}, its resolution date; then --date is that day.",
        )


def _check_dispute(asked: LedgerQuestion, about: About, settles: int | None) -> None:
    standing, hanging = asked.resolution(about), asked.dispute(about)
    if standing is None and settles is not None:
        raise UsageError(f"{asked.id} is not resolved, so nothing is to be settled.", "Leave out --settles.")
    if standing is not None and hanging is None:
        raise UsageError(
            f"{asked.id} is resolved by entry {standing.number}, which is never edited.", f"To contest it: --disputes {standing.number}."
        )
    if hanging is not None and settles != hanging.number:
        raise UsageError(f"Entry {hanging.number} disputes {asked.id}.", f"A resolution that ends it says --settles {hanging.number}.")


def _moment(text: str, now: datetime) -> datetime:
    try:
        moment = until(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a day.", "Write --date 2026-11-24, or with the hour in UTC 2026-11-24T14:00.") from None
    day = now.astimezone(UTC).date()
    if moment.date() > day or (len(text) > len("2026-11-24") and moment > now):
        raise UsageError(f"{text} has not come yet; today is {day}.", "Give the day on which the outcome was public.")
    return moment


def author(name: str) -> str:
    """A person's name as the ledger keeps it. UsageError for one that says nothing, or that means the model or a baseline."""
    clean = _plain(name, "--by")
    if len(clean) > LONGEST:
        raise UsageError(f"--by has {len(clean)} characters.", f"A name has at most {LONGEST}.")
    if clean.casefold() in RESERVED:
        raise UsageError(f"{clean!r} is no person.", f"{', '.join(RESERVED)} stand for themselves in the scores.")
    return clean


def _plain(text: str, what: str) -> str:
    """On one line, of what can be written to a file; something must be left."""
    line = " ".join(text.split())
    if not line:
        raise UsageError(f"{what} says nothing.", "Every record says what it rests on, and who made it.")
    if not line.isprintable():
        raise UsageError(f"{what} holds what is not a letter, digit or sign.", "Write it in plain text.")
    return line
