"""The scores so far, and whether edits of priors helped, for a terminal or a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from forecast.evaluation.prior_edit_effects import Effect, effects, untested
from forecast.evaluation.question_ledger import MODEL, QuestionLedger
from forecast.evaluation.score_table import REFERENCES, Late, Row, late, score_table
from forecast.evaluation.scores import FEWEST, Mean
from forecast.jobs.questions.freeze import read_book
from forecast.priors.edit_log import Edit, read_history
from forecast.workspace import Workspace


@dataclass(frozen=True)
class Scores:
    """Counts of questions by state, the rows of scores, what came too late for them, what became of edits of priors, and what none of it
    can show.
    """

    states: Mapping[str, int]
    rows: Sequence[Row]
    late: Sequence[Late]
    effects: Sequence[Effect]
    untested: Sequence[Edit]
    caution: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "questions": dict(self.states),
            "scores": [_row(row) for row in self.rows],
            "too_late": [
                {
                    "question": x.question, "author": x.author, "entries": list(x.entries), "entered": x.entered.isoformat(),
                    "public": x.public, "scored": x.scored,
                }
                for x in self.late
            ],
            "edits": [_effect(effect) for effect in self.effects],
            "edits_untested": [edit.revision for edit in self.untested],
            "caution": self.caution,
        }  # fmt: skip


def score(where: Workspace, today: date) -> Scores:
    """Raises StoreError if the ledger or the history of the priors is damaged."""
    book = read_book(where.reports)
    rows = score_table(book)
    edits = read_history(where.priors).edits
    found = effects(book, edits)
    return Scores(states(book, today), rows, late(book), found, untested(edits, found), caution(rows))


def past_performance(reports: Path, today: date) -> dict[str, Any]:
    """How the model's earlier numbers did, for a report: counts by state, mean Brier scores (of counts RPS) by kind and horizon, and words.

    Empty while the ledger has no question. Raises StoreError if it is damaged.
    """
    book = read_book(reports)
    if not book.questions:
        return {}
    rows = score_table(book)
    counts = states(book, today)
    return {
        "questions": counts,
        "scores": [
            {
                "kind": row.kind,
                "horizon_months": row.horizon,
                "measure": measure,
                "n": m.n,
                "windows": m.windows,
                "model": m.value,
                **{name: against.value for name in REFERENCES if (against := _same(rows, row, name, measure))},
            }
            for row in rows
            if row.author == MODEL
            for measure in ("brier" if "brier" in row.scores else "rps",)
            for m in (row.scores[measure],)
        ],
        "caution": caution(rows),
    }


def _same(rows: Sequence[Row], mine: Row, author: str, measure: str) -> Mean | None:
    """The mean of a baseline on the same kind and horizon."""
    found = next((r for r in rows if (r.kind, r.horizon, r.author) == (mine.kind, mine.horizon, author)), None)
    return None if found is None else found.scores.get(measure)


def states(book: QuestionLedger, today: date) -> dict[str, int]:
    """How many questions there are in each state."""
    found = [asked.state(today) for asked in book.questions.values()]
    return {state: found.count(state) for state in ("open", "due", "resolved", "disputed")}


def caution(rows: Sequence[Row]) -> str:
    """What so few questions, which share their windows, can show."""
    if not rows:
        return "No question that was answered in time is resolved yet, so nothing is known of how such numbers do."
    windows = max(m.windows for row in rows for m in row.scores.values())
    if windows < FEWEST:
        return (
            f"No kind has more than {windows} separate window{'' if windows == 1 else 's'}, that is windows which share no month: however "
            "many questions there are, they are about so many stretches of history, and no difference can be told from luck."
        )
    return (
        f"At most {windows} windows of a kind are separate, that is share no month: count those, not the questions. "
        "Standard errors count so, and still take too little account of a situation that lasts."
    )


def _row(row: Row) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "horizon_months": row.horizon,
        "author": row.author,
        "scores": {measure: mean_as_dict(m) for measure, m in row.scores.items()},
        "against": {r: {measure: mean_as_dict(m) for measure, m in found.items()} for r, found in row.against.items()},
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "edits": [{"revision": e.revision, "name": e.name, "from": e.old, "to": e.new, "by": e.by} for e in effect.edits],
        "run_before": effect.before.run_id,
        "run_after": effect.after.run_id,
        "n": effect.n,
        "brier_before": effect.scores and effect.scores[0],
        "brier_after": effect.scores and effect.scores[1],
        "difference": effect.difference
        and {"brier": mean_as_dict(effect.difference)} | ({"log": mean_as_dict(effect.log_difference)} if effect.log_difference else {}),
    }


def mean_as_dict(m: Mean) -> dict[str, Any]:
    return {"mean": m.value, "standard_error": m.error, "n": m.n, "windows": m.windows}
