"""The scores of resolved questions, and whether edits of priors helped, for a terminal or a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from forecast.evaluation.question_ledger import MODEL, QuestionLedger
from forecast.evaluation.score_table import (
    REFERENCES,
    LateForecast,
    PriorEditEffect,
    ScoreTableRow,
    late_forecasts,
    prior_edit_effects,
    score_table,
    untested_edits,
)
from forecast.evaluation.scores import MIN_WINDOWS, MeanScore
from forecast.jobs.questions.freeze import read_question_ledger
from forecast.priors.edit_log import Edit, read_history
from forecast.workspace import Workspace


@dataclass(frozen=True)
class LedgerScores:
    """All scores.

    states: state → number of questions. rows: mean scores. late: predictions that came too late to be scored.
    effects: pairs of runs before and after an edit of priors. untested: edits that no such pair tests.
    caution: what so few questions can show, in words.
    """

    states: Mapping[str, int]
    rows: Sequence[ScoreTableRow]
    late: Sequence[LateForecast]
    effects: Sequence[PriorEditEffect]
    untested: Sequence[Edit]
    caution: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "questions": dict(self.states),
            "scores": [_row(row) for row in self.rows],
            "too_late": [asdict(x) | {"entries": list(x.entries), "entered": x.entered.isoformat()} for x in self.late],
            "edits": [_effect(effect) for effect in self.effects],
            "edits_untested": [edit.revision for edit in self.untested],
            "caution": self.caution,
        }


def score_ledger(where: Workspace, today: date) -> LedgerScores:
    """Raises StoreError if the ledger or the history of the priors is damaged."""
    ledger = read_question_ledger(where.reports)
    rows = score_table(ledger)
    edits = read_history(where.priors).edits
    effects = prior_edit_effects(ledger, edits)
    caution = sampling_caution(rows)
    return LedgerScores(count_states(ledger, today), rows, late_forecasts(ledger), effects, untested_edits(edits, effects), caution)


def past_performance(reports: Path, today: date) -> dict[str, Any]:
    """How earlier forecasts of the model did, for a report: questions by state, mean Brier scores (of counts RPS) by kind and horizon.

    Empty while the ledger has no question. Raises StoreError if it is damaged.
    """
    ledger = read_question_ledger(reports)
    if not ledger.questions:
        return {}
    rows = score_table(ledger)
    counts = count_states(ledger, today)
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
        "caution": sampling_caution(rows),
    }


def _same(rows: Sequence[ScoreTableRow], mine: ScoreTableRow, author: str, measure: str) -> MeanScore | None:
    """The mean of a baseline on the same kind and horizon."""
    same = next((r for r in rows if (r.kind, r.horizon, r.author) == (mine.kind, mine.horizon, author)), None)
    return None if same is None else same.scores.get(measure)


def count_states(ledger: QuestionLedger, today: date) -> dict[str, int]:
    """How many questions there are in each state."""
    states = [question.state(today) for question in ledger.questions.values()]
    return {state: states.count(state) for state in ("open", "due", "resolved", "disputed")}


def sampling_caution(rows: Sequence[ScoreTableRow]) -> str:
    """What so few questions, whose windows overlap, can show."""
    if not rows:
        return "No question that was answered in time is resolved yet, so there is nothing to score."
    windows = max(m.windows for row in rows for m in row.scores.values())
    if windows < MIN_WINDOWS:
        return (
            f"No kind has more than {windows} separate window{'' if windows == 1 else 's'} (windows that share no month). However many "
            "questions there are, they are about the same few stretches of history, and no difference can be separated from luck."
        )
    return (
        f"At most {windows} windows of a kind are separate (share no month): count those, not the questions. The standard errors do, "
        "and are still too small while one situation lasts."
    )


def _row(row: ScoreTableRow) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "horizon_months": row.horizon,
        "author": row.author,
        "scores": {measure: mean_as_dict(m) for measure, m in row.scores.items()},
        "against": {r: {measure: mean_as_dict(m) for measure, m in means.items()} for r, means in row.against.items()},
    }


def _effect(effect: PriorEditEffect) -> dict[str, Any]:
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


def mean_as_dict(m: MeanScore) -> dict[str, Any]:
    return {"mean": m.value, "standard_error": m.error, "n": m.n, "windows": m.windows}
