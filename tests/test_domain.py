"""The ids of questions: one parser reads what one writer writes."""

from __future__ import annotations

import pytest

from forecast.domain import Question, QuestionId
from forecast.forecasting.questions import build_questions
from tests.support.bundled_state import bundled_origin_state


def test_every_question_has_an_id_that_says_what_it_asks() -> None:
    state = bundled_origin_state()
    questions = build_questions(state.data.questions, state.origin)
    for q in questions:
        parts = Question.parse_id(q.id)
        assert (parts.kind, parts.level, parts.horizon) == (q.kind, q.level, q.horizon)
        assert str(parts) == q.id
    assert {q.companion for q in questions} - {None} == set(state.data.questions.companion)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("reach-4-12m", QuestionId("reached_by", 4, None, 12)),
        ("hold-0-3m", QuestionId("in_force_at", 0, None, 3)),
        ("fall-1-24m", QuestionId("fallen_to", 1, None, 24)),
        ("event-deemed-insufficient-6m", QuestionId("event", None, "deemed-insufficient", 6)),
        ("count-new-tariff-12m", QuestionId("count", None, "new-tariff", 12)),
    ],
)
def test_ids_by_hand(text: str, parts: QuestionId) -> None:
    assert Question.parse_id(text) == parts
    assert str(parts) == text


@pytest.mark.parametrize(
    "text", ["", "pact", "reach-6-12m", "reach-4-12", "reach-4-0m", "event--12m", "count-12m", "Reach-4-12m", "reach-4-12m "]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not the id of a question"):
        Question.parse_id(text)
