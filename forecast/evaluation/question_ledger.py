"""The questions of the ledger: who gave which probability and when, how each question was resolved, and what is disputed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal

from forecast.data.suggestions import nearest_words
from forecast.domain import Month, first_day, month, month_of
from forecast.errors import UsageError
from forecast.runs.ledger import Entry

type QuestionOutcome = bool | int
type About = Literal["known", "happens"]
type State = Literal["open", "due", "resolved", "disputed"]

MODEL: Final = "model"
OWN: Final = "own"
"""The kind of a question that a person added."""


@dataclass(frozen=True, slots=True)
class RecordedForecast:
    """The answer of one run to a question.

    number, created: of the ledger's entry; run_id, priors_digest, data_digest: of the run; row: the question as the entry has it.
    """

    number: int
    created: datetime
    run_id: str
    priors_digest: str
    data_digest: str
    row: Mapping[str, Any]

    @property
    def probability(self) -> float:
        """The one that is scored: of being publicly known, where there is one."""
        known = self.row["probability_known"]
        return float(self.row["probability"] if known is None else known)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A person's probability; number, created: of the ledger's entry."""

    number: int
    created: datetime
    by: str
    probability: float
    why: str | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute of a resolution; disputes: the number of its entry."""

    number: int
    disputes: int
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class RecordedResolution:
    """How a question came out.

    about: what is publicly known, which is scored, or what happened.
    date: when it was public; until: the last moment of that date, up to which numbers count.
    source, by, why: of the person who entered it; settles: the entry of the dispute that this ends.
    """

    number: int
    about: About
    outcome: QuestionOutcome
    date: str
    until: datetime
    source: str
    by: str
    why: str | None
    settles: int | None


@dataclass(slots=True)
class LedgerQuestion:
    """A question and all entries about it, in the order of the ledger.

    id, text, kind, level, horizon (months), origin: as in the report; a person's own question has only id and text.
    start, end: the window, months; resolves: the resolution date; entered: when it was asked first.
    by, link: of a person's own question.
    reworded: entries of runs that put it in other words; they are no answer to it.
    """

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
    resolutions: list[RecordedResolution] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    reworded: list[int] = field(default_factory=list)

    def resolution(self, about: About = "known") -> RecordedResolution | None:
        """The latest one, disputed or not; None if there is none."""
        return next((r for r in reversed(self.resolutions) if r.about == about), None)

    def dispute(self, about: About = "known") -> Dispute | None:
        """The dispute of the latest resolution, if any."""
        latest = self.resolution(about)
        return None if latest is None else next((d for d in reversed(self.disputes) if d.disputes == latest.number), None)

    def state(self, today: date) -> State:
        if self.resolution() is None:
            return "open" if today <= self.resolves else "due"
        return "disputed" if self.dispute() else "resolved"

    def counts(self, created: datetime, number: int) -> bool:
        """Whether an entry was created before the question was resolved, by its time and by its place in the ledger."""
        known = [r for r in self.resolutions if r.about == "known"]
        return bool(known) and created <= known[-1].until and number < known[0].number

    def forecast(self) -> RecordedForecast | None:
        """The last answer of a run that counts."""
        return next((f for f in reversed(self.forecasts) if self.counts(f.created, f.number)), None)

    def late(self) -> list[RecordedForecast | Prediction]:
        """Numbers entered after the question was resolved or its answer public, in the order of the ledger; they are never scored."""
        if self.resolution() is None:
            return []
        entries: list[RecordedForecast | Prediction] = [*self.forecasts, *self.predictions]
        return sorted((x for x in entries if not self.counts(x.created, x.number)), key=lambda x: x.number)

    def last_predictions(self) -> dict[str, Prediction]:
        """Person → the last prediction that counts."""
        return {p.by: p for p in self.predictions if self.counts(p.created, p.number)}

    @property
    def span(self) -> tuple[int, int]:
        """First and last month of what decides it: from the month after its origin, since a level in force at the end depends on them
        all, to the end of its window. Of a person's own question: from the month it was asked to that of its resolution date.
        """
        if self.origin is None or self.end is None:
            return month_of(self.entered.date()), month_of(self.resolves)
        return month(self.origin) + 1, self.end

    @property
    def opens(self) -> date | None:
        return None if self.start is None else first_day(self.start)


@dataclass(frozen=True, slots=True)
class LedgerRun:
    """A run whose questions were entered; number, created: of the entry."""

    number: int
    created: datetime
    run_id: str
    origin: str
    data_digest: str
    priors_digest: str
    model_version: str


@dataclass(frozen=True)
class QuestionLedger:
    """questions: by id; runs: those that entered some. Both in the order of the ledger."""

    questions: Mapping[str, LedgerQuestion]
    runs: Sequence[LedgerRun]

    def find(self, name: str) -> LedgerQuestion:
        """The question of an id, or of the beginning of an id. Raises UsageError if no question or several questions match."""
        if name in self.questions:
            return self.questions[name]
        begin = [id_ for id_ in self.questions if name and id_.startswith(name)]
        if len(begin) == 1:
            return self.questions[begin[0]]
        if begin:
            shown = ", ".join(begin[:4]) + (", …" if len(begin) > 4 else "")
            raise UsageError(f"{name!r} may mean {shown}.", "Write more of the id.")
        if not self.questions:
            raise UsageError(f"{name!r} is not a question: the ledger has none yet.", "`forecast run --publish` enters the first.")
        near = nearest_words(name, self.questions, cutoff=0.4)
        raise UsageError(
            f"{name!r} is not a question in the ledger.",
            f"Did you mean {' or '.join(near)}?" if near else "`forecast questions list --all` shows them.",
        )


def replay_ledger(entries: Iterable[Entry]) -> QuestionLedger:
    """Questions and runs from the entries of the ledger, in their order.

    The time of an entry is that of the latest entry up to it, so a clock that was set back makes nothing earlier. A run that words an id
    otherwise than the first run did asks another question: its answer does not count for this one.
    """
    questions: dict[str, LedgerQuestion] = {}
    runs: list[LedgerRun] = []
    created = datetime.min.replace(tzinfo=UTC)
    for entry in entries:
        created = max(created, entry.created)
        number, c = entry.number, entry.content
        match entry.kind:
            case "forecast":
                runs.append(LedgerRun(number, created, c["run_id"], c["origin"], c["data_digest"], c["priors_digest"], c["model_version"]))
                for row in c["questions"]:
                    _add_forecast(questions, row, c, number, created)
            case "question":
                resolves = date.fromisoformat(c["resolution_date"])
                own = LedgerQuestion(c["id"], c["text"], OWN, None, None, None, None, None, resolves, created, c["by"], c["link"])
                questions[c["id"]] = own
            case "prediction":
                questions[c["question"]].predictions.append(Prediction(number, created, c["by"], c["probability"], c["why"]))
            case "resolution":
                until = last_moment(c["date"])
                resolved = RecordedResolution(
                    number, c["about"], c["outcome"], c["date"], until, c["source"], c["by"], c["why"], c["settles"]
                )
                questions[c["question"]].resolutions.append(resolved)
            case "dispute":
                questions[c["question"]].disputes.append(Dispute(number, c["disputes"], c["by"], c["why"]))
    return QuestionLedger(questions, runs)


def _add_forecast(
    questions: dict[str, LedgerQuestion], row: Mapping[str, Any], run: Mapping[str, Any], number: int, created: datetime
) -> None:
    question = questions.setdefault(
        row["id"],
        LedgerQuestion(
            row["id"], row["text"], row["kind"], row["level"], row["horizon_months"], run["origin"],
            month(row["window"]["start"]), month(row["window"]["end"]), date.fromisoformat(row["resolution_date"]), created,
        ),
    )  # fmt: skip
    if row["text"] != question.text:
        question.reworded.append(number)
    else:
        question.forecasts.append(RecordedForecast(number, created, run["run_id"], run["priors_digest"], run["data_digest"], row))


def last_moment(text: str) -> datetime:
    """The end of a day in UTC, or the moment itself. Raises ValueError for anything else."""
    if len(text) == len("2026-11-24"):
        return datetime.combine(date.fromisoformat(text), time.max, UTC)
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as e:
        raise ValueError(f"{text} is before the first day there is, or after the last") from e
