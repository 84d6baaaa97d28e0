"""The scores so far: by kind of question, horizon and author, beside persistence and climatology."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from forecast.evaluation.question_ledger import MODEL, LedgerQuestion, Prediction, QuestionLedger, RecordedForecast
from forecast.evaluation.scores import Mean, Span, brier, count_scores, log_score, mean, ranked

REFERENCES: Final = ("persistence", "climatology")
RESERVED: Final = (MODEL, *REFERENCES)
"""Authors that no person may be called."""

ANY: Final = "count_any"
"""Of counts, whether there was at least one: what a single probability can say."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What one author got for one question, or for one set of levels."""

    author: str
    key: str
    kind: str
    horizon: int | None
    span: Span
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """Means of an author's scores, by measure (brier, log, rps), and of the differences to each reference where both answered."""

    kind: str
    horizon: int | None
    author: str
    scores: Mapping[str, Mean]
    against: Mapping[str, Mapping[str, Mean]]


@dataclass(frozen=True, slots=True)
class Late:
    """Numbers of one author that came too late for one question: their entries, the day of the first, and when the answer was public.

    scored: whether an earlier number of the author's counts.
    """

    question: str
    author: str
    entries: tuple[int, ...]
    entered: date
    public: str
    scored: bool


def late(book: QuestionLedger) -> tuple[Late, ...]:
    """All that came too late for a question that is scored, by question and author."""
    found = []
    for asked in filter(settled, book.questions.values()):
        standing = asked.resolution()
        assert standing is not None
        by_author: dict[str, list[RecordedForecast | Prediction]] = defaultdict(list)
        for said in asked.late():
            by_author[said.by if isinstance(said, Prediction) else MODEL].append(said)
        for author, entries in by_author.items():
            numbers, first = tuple(x.number for x in entries), entries[0].made.date()
            found.append(Late(asked.id, author, numbers, first, standing.date, author in probabilities(asked)))
    return tuple(found)


def score_table(book: QuestionLedger) -> tuple[Row, ...]:
    """One row a kind, horizon and author. Questions that are disputed or not resolved are left out."""
    cells: dict[tuple[str, int | None], dict[str, list[Scored]]] = defaultdict(lambda: defaultdict(list))
    for made in scored(book):
        cells[made.kind, made.horizon][made.author].append(made)
    rows = []
    for (kind, horizon), by_author in cells.items():
        for author in sorted(by_author, key=_rank):
            means = _means(by_author[author])
            against = {r: _differences(by_author[author], by_author.get(r, [])) for r in _references(author)}
            rows.append(Row(kind, horizon, author, means, {r: found for r, found in against.items() if found}))
    return tuple(rows)


def scored(book: QuestionLedger) -> Iterator[Scored]:
    """Every score that counts: of each question alone, then of levels of one kind, origin and horizon as one ordered outcome."""
    sets: dict[tuple[str, int | None, str | None], list[LedgerQuestion]] = defaultdict(list)
    for asked in book.questions.values():
        if asked.level is not None:
            sets[asked.kind, asked.horizon, asked.origin].append(asked)
        yield from _alone(asked)
    for (kind, _, origin), members in sets.items():
        yield from _ordered(f"{kind}@{origin}", members)


def probabilities(asked: LedgerQuestion) -> dict[str, float]:
    """What each author said last to a resolved question before it was resolved."""
    out = {name: p.probability for name, p in asked.last_words().items()}
    if (frozen := asked.forecast()) is not None:
        out[MODEL] = frozen.probability
        out |= {name: p for name in REFERENCES if (p := frozen.row["baselines"][name]) is not None}
    return out


def settled(asked: LedgerQuestion) -> bool:
    return asked.resolution() is not None and asked.dispute() is None


def came_true(asked: LedgerQuestion) -> bool:
    """Of a count: whether there was at least one."""
    standing = asked.resolution()
    assert standing is not None
    return standing.outcome >= 1


def _alone(asked: LedgerQuestion) -> Iterator[Scored]:
    standing = asked.resolution()
    if standing is None or not settled(asked):
        return
    true = came_true(asked)
    kind = ANY if asked.kind == "count" else asked.kind
    for author, p in probabilities(asked).items():
        yield Scored(author, asked.id, kind, asked.horizon, asked.span, {"brier": brier(p, true), "log": log_score(p, true)})
    frozen = asked.forecast()
    if asked.kind == "count" and frozen is not None and (counts := frozen.row["baselines"]["counts"]):
        for author, chances in counts.items():
            rps, logarithmic = count_scores(chances, int(standing.outcome))
            yield Scored(author, asked.id, "count", asked.horizon, asked.span, {"log": logarithmic, "rps": rps})


def _ordered(key: str, members: Sequence[LedgerQuestion]) -> Iterator[Scored]:
    """Of levels the ranked score, once all of a set are resolved; of each author who answered all of them."""
    if len(members) < 2 or not all(map(settled, members)):
        return
    said = [probabilities(asked) for asked in members]
    reached = [came_true(asked) for asked in members]
    first = members[0]
    for author in set.intersection(*map(set, said)):
        yield Scored(author, key, first.kind, first.horizon, first.span, {"rps": ranked([p[author] for p in said], reached)})


def _means(made: Iterable[Scored]) -> dict[str, Mean]:
    values: dict[str, list[float]] = defaultdict(list)
    spans: dict[str, list[Span]] = defaultdict(list)
    for one in made:
        for measure, value in one.scores.items():
            values[measure].append(value)
            spans[measure].append(one.span)
    return {measure: mean(values[measure], spans[measure]) for measure in values}


def _differences(mine: Sequence[Scored], theirs: Sequence[Scored]) -> dict[str, Mean]:
    """Mine less theirs, so that below zero is better."""
    other = {(one.key, measure): value for one in theirs for measure, value in one.scores.items()}
    return _means(
        Scored(
            one.author, one.key, one.kind, one.horizon, one.span,
            {m: value - other[one.key, m] for m, value in one.scores.items() if (one.key, m) in other},
        )
        for one in mine
    )  # fmt: skip


def _references(author: str) -> tuple[str, ...]:
    """Whom an author is compared with: the model with the baselines, a person with all three."""
    if author in REFERENCES:
        return ()
    return REFERENCES if author == MODEL else (*REFERENCES, MODEL)


def _rank(author: str) -> tuple[int, str]:
    return (RESERVED.index(author) if author in RESERVED else len(RESERVED), author)
