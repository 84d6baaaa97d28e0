"""Whether an edit of priors helped: two runs of the same data, from the priors before and after it, on the same questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from forecast.evaluation.question_ledger import QuestionLedger, Run
from forecast.evaluation.score_table import came_true, settled
from forecast.evaluation.scores import Mean, brier, log_score, mean
from forecast.priors.edit_log import Edit


@dataclass(frozen=True, slots=True)
class Effect:
    """Two runs next to each other in the ledger that differ by their priors alone.

    edits: those that the history has between them, none if the priors were edited by hand. n: resolved questions that both answered in
    time; difference: the later run's score less the earlier one's, so that below zero the edit helped; None before any is resolved.
    """

    before: Run
    after: Run
    edits: tuple[Edit, ...]
    n: int
    scores: tuple[float, float] | None
    difference: Mean | None
    log_difference: Mean | None


def effects(book: QuestionLedger, edits: Sequence[Edit]) -> tuple[Effect, ...]:
    """One a pair of runs, in the order of the ledger."""
    return tuple(
        _effect(book, before, after, between(edits, before, after)) for before, after in pairwise(book.runs) if _comparable(before, after)
    )


def untested(edits: Sequence[Edit], found: Sequence[Effect]) -> tuple[Edit, ...]:
    """The edits that no pair of runs tells apart from a change of data, or that no run has followed."""
    seen = {edit.number for effect in found for edit in effect.edits}
    return tuple(edit for edit in edits if edit.number not in seen)


def between(edits: Sequence[Edit], before: Run, after: Run) -> tuple[Edit, ...]:
    """The edits made by the time of the later run that lead from the priors of one to those of the other; none if the history has none."""
    known = [edit for edit in edits if edit.time <= after.made]
    starts = [i for i, edit in enumerate(known) if edit.digest_before == before.priors_digest]
    for start in reversed(starts):
        first = next(i for i in starts if known[i].change == known[start].change)
        end = next((edit.change for edit in known[first:] if edit.digest_after == after.priors_digest), None)
        if end is not None:
            return tuple(edit for edit in known[first:] if edit.change <= end)
    return ()


def _comparable(before: Run, after: Run) -> bool:
    same = ("origin", "data_digest", "model_version")
    return all(getattr(before, name) == getattr(after, name) for name in same) and before.priors_digest != after.priors_digest


def _effect(book: QuestionLedger, before: Run, after: Run, edits: tuple[Edit, ...]) -> Effect:
    pairs, spans = [], []
    for asked in book.questions.values():
        said = {f.run_id: f.probability for f in asked.forecasts if settled(asked) and asked.counts(f.made, f.number)}
        if before.run_id in said and after.run_id in said:
            pairs.append((said[before.run_id], said[after.run_id], came_true(asked)))
            spans.append(asked.span)
    if not pairs:
        return Effect(before, after, edits, 0, None, None, None)
    old, new = ([brier(p, y) for p, y in side] for side in ([(a, y) for a, _, y in pairs], [(b, y) for _, b, y in pairs]))
    logs = [log_score(b, y) - log_score(a, y) for a, b, y in pairs]
    return Effect(
        before,
        after,
        edits,
        len(pairs),
        (sum(old) / len(old), sum(new) / len(new)),
        mean([b - a for a, b in zip(old, new, strict=True)], spans),
        mean(logs, spans),
    )
