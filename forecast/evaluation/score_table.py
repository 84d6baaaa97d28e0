"""The scores of resolved questions: by kind, horizon and author, beside persistence and climatology; and of edits of priors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from forecast.evaluation.question_ledger import MODEL, LedgerQuestion, LedgerRun, Prediction, QuestionLedger, RecordedForecast
from forecast.evaluation.scores import MeanScore, Window, brier_score, count_scores, log_score, mean_score, ranked_probability_score
from forecast.priors.edit_log import Edit

REFERENCES: Final = ("persistence", "climatology")
RESERVED: Final = (MODEL, *REFERENCES)
"""Authors that no person may be called."""

ANY: Final = "count_any"
"""The kind of a count's question whether there was at least one, which a single probability can answer."""


@dataclass(frozen=True, slots=True)
class QuestionScore:
    """The scores of one author for one question, or for one set of levels; key: the question's id, or the name of the set."""

    author: str
    key: str
    kind: str
    horizon: int | None
    span: Window
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ScoreTableRow:
    """Means over the questions of one kind, horizon and author.

    scores: measure (brier, log, rps) → mean.
    against: reference → measure → mean difference to it, over the questions that both answered; below zero is better.
    """

    kind: str
    horizon: int | None
    author: str
    scores: Mapping[str, MeanScore]
    against: Mapping[str, Mapping[str, MeanScore]]


@dataclass(frozen=True, slots=True)
class LateForecast:
    """Numbers of one author that came too late for one question.

    entries: their numbers in the ledger; entered: the day of the first; public: when the answer was public.
    scored: whether an earlier number of the author counts.
    """

    question: str
    author: str
    entries: tuple[int, ...]
    entered: date
    public: str
    scored: bool


def late_forecasts(ledger: QuestionLedger) -> tuple[LateForecast, ...]:
    """All that came too late for a question that is scored, by question and author."""
    rows = []
    for question in filter(is_settled, ledger.questions.values()):
        resolution = question.resolution()
        assert resolution is not None
        by_author: dict[str, list[RecordedForecast | Prediction]] = defaultdict(list)
        for entry in question.late():
            by_author[entry.by if isinstance(entry, Prediction) else MODEL].append(entry)
        for author, entries in by_author.items():
            numbers, entered = tuple(x.number for x in entries), entries[0].created.date()
            rows.append(LateForecast(question.id, author, numbers, entered, resolution.date, author in last_probabilities(question)))
    return tuple(rows)


def score_table(ledger: QuestionLedger) -> tuple[ScoreTableRow, ...]:
    """One row a kind, horizon and author. Questions that are disputed or not resolved are left out."""
    cells: dict[tuple[str, int | None], dict[str, list[QuestionScore]]] = defaultdict(lambda: defaultdict(list))
    for score in question_scores(ledger):
        cells[score.kind, score.horizon][score.author].append(score)
    rows = []
    for (kind, horizon), by_author in cells.items():
        for author in sorted(by_author, key=lambda a: (RESERVED.index(a) if a in RESERVED else len(RESERVED), a)):
            against = {r: _mean_differences(by_author[author], by_author.get(r, [])) for r in _references(author)}
            rows.append(
                ScoreTableRow(kind, horizon, author, _means(by_author[author]), {r: means for r, means in against.items() if means})
            )
    return tuple(rows)


def question_scores(ledger: QuestionLedger) -> Iterator[QuestionScore]:
    """Every score that counts: of each question alone, then of levels of one kind, origin and horizon as one ordered outcome."""
    sets: dict[tuple[str, int | None, str | None], list[LedgerQuestion]] = defaultdict(list)
    for question in ledger.questions.values():
        if question.level is not None:
            sets[question.kind, question.horizon, question.origin].append(question)
        yield from _single_scores(question)
    for (kind, _, origin), questions in sets.items():
        yield from _ranked_scores(f"{kind}@{origin}", questions)


def last_probabilities(question: LedgerQuestion) -> dict[str, float]:
    """Author → the last number entered before the question was resolved."""
    probabilities = {name: p.probability for name, p in question.last_predictions().items()}
    if (frozen := question.forecast()) is not None:
        probabilities[MODEL] = frozen.probability
        probabilities |= {name: p for name in REFERENCES if (p := frozen.row["baselines"][name]) is not None}
    return probabilities


def is_settled(question: LedgerQuestion) -> bool:
    """Whether the question is resolved and the resolution undisputed."""
    return question.resolution() is not None and question.dispute() is None


def came_true(question: LedgerQuestion) -> bool:
    """Whether a resolved question came true; of a count, whether there was at least one."""
    resolution = question.resolution()
    assert resolution is not None
    return resolution.outcome >= 1


def _single_scores(question: LedgerQuestion) -> Iterator[QuestionScore]:
    resolution = question.resolution()
    if resolution is None or not is_settled(question):
        return
    true = came_true(question)
    kind = ANY if question.kind == "count" else question.kind
    for author, p in last_probabilities(question).items():
        scores = {"brier": brier_score(p, true), "log": log_score(p, true)}
        yield QuestionScore(author, question.id, kind, question.horizon, question.span, scores)
    frozen = question.forecast()
    if question.kind == "count" and frozen is not None and (counts := frozen.row["baselines"]["counts"]):
        for author, chances in counts.items():
            rps, logarithmic = count_scores(chances, int(resolution.outcome))
            yield QuestionScore(author, question.id, "count", question.horizon, question.span, {"log": logarithmic, "rps": rps})


def _ranked_scores(key: str, questions: Sequence[LedgerQuestion]) -> Iterator[QuestionScore]:
    """The ranked score of a set of levels, once all are resolved, of each author who answered all of them."""
    if len(questions) < 2 or not all(map(is_settled, questions)):
        return
    probabilities = [last_probabilities(question) for question in questions]
    reached = [came_true(question) for question in questions]
    first = questions[0]
    for author in set.intersection(*map(set, probabilities)):
        rps = ranked_probability_score([p[author] for p in probabilities], reached)
        yield QuestionScore(author, key, first.kind, first.horizon, first.span, {"rps": rps})


def _means(scores: Iterable[QuestionScore]) -> dict[str, MeanScore]:
    values: dict[str, list[float]] = defaultdict(list)
    spans: dict[str, list[Window]] = defaultdict(list)
    for score in scores:
        for measure, value in score.scores.items():
            values[measure].append(value)
            spans[measure].append(score.span)
    return {measure: mean_score(values[measure], spans[measure]) for measure in values}


def _mean_differences(scores: Sequence[QuestionScore], reference: Sequence[QuestionScore]) -> dict[str, MeanScore]:
    other = {(s.key, measure): value for s in reference for measure, value in s.scores.items()}
    return _means(
        QuestionScore(
            s.author, s.key, s.kind, s.horizon, s.span,
            {m: value - other[s.key, m] for m, value in s.scores.items() if (s.key, m) in other},
        )
        for s in scores
    )  # fmt: skip


def _references(author: str) -> tuple[str, ...]:
    """With whom an author is compared: the model with the baselines, a person with all three."""
    if author in REFERENCES:
        return ()
    return REFERENCES if author == MODEL else (*REFERENCES, MODEL)


@dataclass(frozen=True, slots=True)
class PriorEditEffect:
    """Whether an edit of priors helped: two runs next to each other in the ledger that differ by their priors alone.

    before, after: the two runs.
    edits: the edits in the history between them; none if the priors were edited by hand.
    n: resolved questions that both answered in time.
    scores: mean Brier score of both runs; None before any question is resolved.
    difference, log_difference: of the Brier and of the log score, later run less earlier; below zero the edit helped.
    """

    before: LedgerRun
    after: LedgerRun
    edits: tuple[Edit, ...]
    n: int
    scores: tuple[float, float] | None
    difference: MeanScore | None
    log_difference: MeanScore | None


def prior_edit_effects(ledger: QuestionLedger, edits: Sequence[Edit]) -> tuple[PriorEditEffect, ...]:
    """One a pair of runs, in the order of the ledger."""
    return tuple(_effect(ledger, a, b, edits_between(edits, a, b)) for a, b in pairwise(ledger.runs) if _comparable(a, b))


def untested_edits(edits: Sequence[Edit], effects: Sequence[PriorEditEffect]) -> tuple[Edit, ...]:
    """The edits that no pair of runs separates from a change of data, or that no run has followed."""
    tested = {edit.number for effect in effects for edit in effect.edits}
    return tuple(edit for edit in edits if edit.number not in tested)


def edits_between(edits: Sequence[Edit], before: LedgerRun, after: LedgerRun) -> tuple[Edit, ...]:
    """The edits made by the time of the later run that lead from the priors of one to those of the other; none if the history has none."""
    known = [edit for edit in edits if edit.time <= after.created]
    starts = [i for i, edit in enumerate(known) if edit.digest_before == before.priors_digest]
    for start in reversed(starts):
        first = next(i for i in starts if known[i].change == known[start].change)
        end = next((edit.change for edit in known[first:] if edit.digest_after == after.priors_digest), None)
        if end is not None:
            return tuple(edit for edit in known[first:] if edit.change <= end)
    return ()


def _comparable(before: LedgerRun, after: LedgerRun) -> bool:
    same = ("origin", "data_digest", "model_version")
    return all(getattr(before, name) == getattr(after, name) for name in same) and before.priors_digest != after.priors_digest


def _effect(ledger: QuestionLedger, before: LedgerRun, after: LedgerRun, edits: tuple[Edit, ...]) -> PriorEditEffect:
    pairs, spans = [], []
    for question in filter(is_settled, ledger.questions.values()):
        by_run = {f.run_id: f.probability for f in question.forecasts if question.counts(f.created, f.number)}
        if before.run_id in by_run and after.run_id in by_run:
            pairs.append((by_run[before.run_id], by_run[after.run_id], came_true(question)))
            spans.append(question.span)
    if not pairs:
        return PriorEditEffect(before, after, edits, 0, None, None, None)
    old, new = [brier_score(a, y) for a, _, y in pairs], [brier_score(b, y) for _, b, y in pairs]
    return PriorEditEffect(
        before, after, edits, len(pairs), (sum(old) / len(old), sum(new) / len(new)),
        difference=mean_score([b - a for a, b in zip(old, new, strict=True)], spans),
        log_difference=mean_score([log_score(b, y) - log_score(a, y) for a, b, y in pairs], spans),
    )  # fmt: skip
