"""The questions of a forecast: every level and horizon, and the companion questions, with texts, windows and resolution dates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from forecast.data.settings import CompanionQuestion, QuestionsConfig
from forecast.data.suggestions import did_you_mean, quoted
from forecast.domain import LEVELS, LevelKind, Month, Question, QuestionId, first_day, last_day
from forecast.errors import Problem
from forecast.model.events import ANSWERS, COUNTED

type Window = tuple[Month, Month]

UNCOUNTED: Final = "direct-action"
"""The companion for which no row counts: its rate is a judgement."""

COMPANIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(COUNTED, "count"),
    **{f"deemed-{answer}": "event" for answer in ANSWERS},
    UNCOUNTED: "event",
}
"""The companion questions that the models can answer, and the kind of each."""

_FILE: Final = "questions.toml"


def build_questions(config: QuestionsConfig, origin: Month) -> tuple[Question, ...]:
    """Every question at an origin. Ids are stable: reach-4-12m, hold-3-6m, fall-1-12m, event-<slug>-<h>m, count-<slug>-<h>m."""
    questions: list[Question] = []
    lag = config.resolution.lag_days
    for horizon in config.resolution.horizons:
        whole = Month(origin + 1), Month(origin + horizon)
        last = Month(origin + horizon), Month(origin + horizon)
        for level in config.levels.reached_by.levels:
            questions.append(_ladder_question("reached_by", config.levels.reached_by.text, level, horizon, whole, lag))
        for level in config.levels.in_force_at.levels:
            questions.append(_ladder_question("in_force_at", config.levels.in_force_at.text, level, horizon, last, lag))
        for level in config.levels.fallen_to.levels:
            questions.append(_ladder_question("fallen_to", config.levels.fallen_to.text, level, horizon, whole, lag))
    for slug, companion in config.companion.items():
        for horizon in companion.horizons:
            window = Month(origin + 1), Month(origin + horizon)
            text = _filled(companion.text, None, horizon, window, lag)
            questions.append(Question(str(QuestionId(companion.kind, None, slug, horizon)), text, companion.kind, None, horizon, *window))
    return tuple(questions)


def question_problems(config: QuestionsConfig, origin: Month) -> list[Problem]:
    """Errors that no single key shows: a headline that is not among the questions, a companion question that no model answers."""
    problems = []
    headlines = [q.id for q in build_questions(config, origin) if q.kind == "reached_by"]
    headline = config.resolution.headline
    if headline not in headlines:
        expected = "the id of a question about a level reached, at one of the horizons"
        problems.append(Problem(_FILE, quoted(headline), expected, did_you_mean(headline, headlines), column="resolution.headline"))
    for slug, companion in config.companion.items():
        column = f"companion.{slug}"
        if slug not in COMPANIONS:
            problems.append(
                Problem(_FILE, quoted(slug), "a companion question that the models answer", did_you_mean(slug, COMPANIONS), column=column)
            )
        elif companion.kind != COMPANIONS[slug]:
            problems.append(Problem(_FILE, companion.kind, COMPANIONS[slug], "Correct the kind.", column=f"{column}.kind"))
        else:
            problems += _rule_problems(slug, companion, config)
    return problems


def _rule_problems(slug: str, companion: CompanionQuestion, config: QuestionsConfig) -> Iterator[Problem]:
    """What the models could not follow in the counting rule of a companion question. They know what excludes a yes, and which of the
    answers a determination implies.
    """
    column = f"companion.{slug}"
    if (companion.counts is None) != (slug == UNCOUNTED):
        found, expected = ("no counts", "which rows count") if companion.counts is None else ("counts", f"none: no row counts for {slug}")
        yield Problem(_FILE, found, expected, "Correct the table.", column=f"{column}.counts")
    insufficient = config.companion.get("deemed-insufficient")
    excludes = insufficient.counts if insufficient and slug == "deemed-sufficient" else None
    if companion.none_of != excludes:
        expected = "the counts of deemed-insufficient" if excludes else "nothing"
        yield Problem(_FILE, "another none_of", expected, "Correct the table.", column=f"{column}.none_of")
    if companion.or_determination != (slug == "deemed-insufficient"):
        expected = "or_determination = true for deemed-insufficient alone"
        yield Problem(_FILE, str(companion.or_determination).lower(), expected, "Correct it.", column=f"{column}.or_determination")


def _ladder_question(kind: LevelKind, template: str, level: int, horizon: int, window: Window, lag: int) -> Question:
    id_ = str(QuestionId(kind, level, None, horizon))
    return Question(id_, _filled(template, level, horizon, window, lag), kind, level, horizon, *window)


def _filled(template: str, level: int | None, horizon: int, window: Window, lag: int) -> str:
    """The text with its placeholders filled in. `data.settings` has refused templates with other placeholders."""
    end = last_day(window[1])
    words = {"horizon": horizon, "start": _day(first_day(window[0])), "end": _day(end), "resolution_date": _day(end + timedelta(days=lag))}
    if level is not None:
        words |= {"level": level, "level_name": LEVELS[level]}
    return template.format(**words)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def resolution_date(question: Question, config: QuestionsConfig) -> date:
    """The day on which the question resolves: a fixed lag after its window ends."""
    return last_day(question.end) + timedelta(days=config.resolution.lag_days)
