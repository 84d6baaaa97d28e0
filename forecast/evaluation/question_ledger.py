"""The ledger read as questions: what was asked, who said what to it and when, how it came out, and what is disputed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal

from forecast.data.suggestions import nearest_words
from forecast.domain import Month, first_day, month, month_of
from forecast.errors import UsageError
from forecast.runs.ledger import Entry

type Outcome = bool | int
type About = Literal["known", "happens"]
type State = Literal["open", "due", "resolved", "disputed"]

MODEL: Final = "model"
OWN: Final = "own"
"""The kind of a question that a person asked."""


@dataclass(frozen=True, slots=True)
class RecordedForecast:
    """What one run said to a question: entry, time, run and the row as the ledger has it."""

    number: int
    made: datetime
    run_id: str
    priors_digest: str
    data_digest: str
    row: Mapping[str, Any]

    @property
    def probability(self) -> float:
        """That which is scored: of being publicly known where it exists."""
        known = self.row["probability_known"]
        return float(self.row["probability"] if known is None else known)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A number of a person's own."""

    number: int
    made: datetime
    by: str
    probability: float
    why: str | None


@dataclass(frozen=True, slots=True)
class Dispute:
    number: int
    disputes: int
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """How a question came out, by what source, and when that was public (`until`: what was entered up to then counts)."""

    number: int
    about: About
    outcome: Outcome
    date: str
    until: datetime
    source: str
    by: str
    why: str | None
    settles: int | None


@dataclass(slots=True)
class LedgerQuestion:
    """A question and all that was recorded of it, in the order of the ledger. start and end are None for a person's own."""

    id: str
    text: str
    kind: str
    level: int | None
    horizon: int | None
    origin: str | None
    start: Month | None
    end: Month | None
    resolves: date
    entered: datetime
    by: str | None = None
    link: str | None = None
    forecasts: list[RecordedForecast] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)
    resolutions: list[Resolution] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    reworded: list[int] = field(default_factory=list)

    def resolution(self, about: About = "known") -> Resolution | None:
        """The one that stands, or that a dispute hangs over; None if there is none."""
        return next((r for r in reversed(self.resolutions) if r.about == about), None)

    def dispute(self, about: About = "known") -> Dispute | None:
        """The dispute over the resolution that stands, if any."""
        standing = self.resolution(about)
        return None if standing is None else next((d for d in reversed(self.disputes) if d.disputes == standing.number), None)

    def state(self, today: date) -> State:
        if self.resolution() is None:
            return "open" if today <= self.resolves else "due"
        return "disputed" if self.dispute() else "resolved"

    def counts(self, made: datetime, number: int) -> bool:
        """Whether an entry was made before the question was resolved: by its time, and by its place in the ledger."""
        known = [r for r in self.resolutions if r.about == "known"]
        return bool(known) and made <= known[-1].until and number < known[0].number

    def forecast(self) -> RecordedForecast | None:
        """The model's last word that counts."""
        return next((f for f in reversed(self.forecasts) if self.counts(f.made, f.number)), None)

    def late(self) -> list[RecordedForecast | Prediction]:
        """What was said once the question was resolved or its answer public, in the order of the ledger; it is never scored."""
        if self.resolution() is None:
            return []
        said: list[RecordedForecast | Prediction] = [*self.forecasts, *self.predictions]
        return sorted((x for x in said if not self.counts(x.made, x.number)), key=lambda x: x.number)

    def last_words(self) -> dict[str, Prediction]:
        """The last word of each person that counts."""
        return {p.by: p for p in self.predictions if self.counts(p.made, p.number)}

    @property
    def span(self) -> tuple[int, int]:
        """The months that decide it: from the one after its origin to the end of its window, for the level in force at the end comes of
        them all. Of a person's own question from the month it was asked to that of its resolution date.
        """
        if self.origin is None or self.end is None:
            return month_of(self.entered.date()), month_of(self.resolves)
        return month(self.origin) + 1, self.end

    @property
    def opens(self) -> date | None:
        return None if self.start is None else first_day(self.start)


@dataclass(frozen=True, slots=True)
class Run:
    """A run whose questions were frozen."""

    number: int
    made: datetime
    run_id: str
    origin: str
    data_digest: str
    priors_digest: str
    model_version: str


@dataclass(frozen=True)
class QuestionLedger:
    """Every question by its id, and the runs that froze some, in the order of the ledger."""

    questions: Mapping[str, LedgerQuestion]
    runs: Sequence[Run]

    def find(self, name: str) -> LedgerQuestion:
        """The question of an id, or of the beginning of one only. Raises UsageError if none or several are meant, with the nearest."""
        if name in self.questions:
            return self.questions[name]
        begin = [id_ for id_ in self.questions if name and id_.startswith(name)]
        if len(begin) == 1:
            return self.questions[begin[0]]
        if begin:
            shown = ", ".join(begin[:4]) + (", …" if len(begin) > 4 else "")
            raise UsageError(f"{name!r} may mean {shown}.", "Write more of the id.")
        if not self.questions:
            raise UsageError(f"{name!r} is no question: the ledger has none yet.", "`forecast run --publish` enters the first.")
        near = nearest_words(name, self.questions, cutoff=0.4)
        raise UsageError(
            f"{name!r} is no question in the ledger.",
            f"Did you mean {' or '.join(near)}?" if near else "`forecast questions list --all` shows them.",
        )


def replay_ledger(entries: Iterable[Entry]) -> QuestionLedger:
    """Questions and runs from the entries of the ledger, in their order.

    An entry counts as made when the latest entry up to it was: a clock that was set back makes nothing earlier. A run that puts an id in
    other words than the first that froze it asks another question, and is left out of this one.
    """
    questions: dict[str, LedgerQuestion] = {}
    runs: list[Run] = []
    made = datetime.min.replace(tzinfo=UTC)
    for entry in entries:
        made = max(made, entry.created)
        c = entry.content
        match entry.kind:
            case "forecast":
                runs.append(
                    Run(entry.number, made, c["run_id"], c["origin"], c["data_digest"], c["priors_digest"], c["model_version"])
                )  # fmt: skip
                for row in c["questions"]:
                    _freeze(questions, row, c, entry.number, made)
            case "question":
                resolves = date.fromisoformat(c["resolution_date"])
                questions[c["id"]] = LedgerQuestion(
                    c["id"], c["text"], OWN, None, None, None, None, None, resolves, made, c["by"], c["link"]
                )
            case "prediction":
                asked = questions[c["question"]]
                asked.predictions.append(Prediction(entry.number, made, c["by"], c["probability"], c["why"]))
            case "resolution":
                asked = questions[c["question"]]
                asked.resolutions.append(
                    Resolution(
                        entry.number, c["about"], c["outcome"], c["date"], until(c["date"]), c["source"], c["by"], c["why"], c["settles"]
                    )
                )  # fmt: skip
            case "dispute":
                questions[c["question"]].disputes.append(Dispute(entry.number, c["disputes"], c["by"], c["why"]))
    return QuestionLedger(questions, runs)


def _freeze(questions: dict[str, LedgerQuestion], row: Mapping[str, Any], run: Mapping[str, Any], number: int, made: datetime) -> None:
    asked = questions.setdefault(
        row["id"],
        LedgerQuestion(
            row["id"], row["text"], row["kind"], row["level"], row["horizon_months"], run["origin"],
            month(row["window"]["start"]), month(row["window"]["end"]), date.fromisoformat(row["resolution_date"]), made,
        ),
    )  # fmt: skip
    if row["text"] != asked.text:
        asked.reworded.append(number)
    else:
        asked.forecasts.append(RecordedForecast(number, made, run["run_id"], run["priors_digest"], run["data_digest"], row))


def until(text: str) -> datetime:
    """The last moment that a day (its end, UTC) or a moment means. ValueError for anything else."""
    if len(text) == len("2026-11-24"):
        return datetime.combine(date.fromisoformat(text), time.max, UTC)
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as e:
        raise ValueError(f"{text} is before the first day there is, or after the last") from e
