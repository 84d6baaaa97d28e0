"""The questions of a forecast: every level and horizon, and the companions, with words, windows and resolution dates."""

from __future__ import annotations

from datetime import date, timedelta

from forecast.data.settings import QuestionsConfig
from forecast.domain import LEVELS, Month, Question, first_day, last_day

type Window = tuple[Month, Month]


def ask(config: QuestionsConfig, origin: Month) -> tuple[Question, ...]:
    """Every question at an origin. Ids are stable: reach-4-12m, hold-3-6m, fall-1-12m, event-<slug>-<h>m, count-<slug>-<h>m."""
    out: list[Question] = []
    for horizon in config.resolution.horizons:
        whole = Month(origin + 1), Month(origin + horizon)
        last = Month(origin + horizon), Month(origin + horizon)
        for level in config.levels.reached_by.levels:
            out.append(_ladder(f"reach-{level}-{horizon}m", config.levels.reached_by.text, "reached_by", level, horizon, whole))
        for level in config.levels.in_force_at.levels:
            out.append(_ladder(f"hold-{level}-{horizon}m", config.levels.in_force_at.text, "in_force_at", level, horizon, last))
        for level in config.levels.fallen_to.levels:
            out.append(_ladder(f"fall-{level}-{horizon}m", config.levels.fallen_to.text, "fallen_to", level, horizon, whole))
    for slug, companion in config.companion.items():
        for horizon in companion.horizons:
            window = Month(origin + 1), Month(origin + horizon)
            text = _filled(companion.text, None, horizon, window)
            out.append(Question(f"{companion.kind}-{slug}-{horizon}m", text, companion.kind, None, horizon, *window))
    return tuple(out)


def _ladder(id_: str, template: str, kind, level: int, horizon: int, window: Window) -> Question:  # type: ignore[no-untyped-def]
    return Question(id_, _filled(template, level, horizon, window), kind, level, horizon, *window)


def _filled(template: str, level: int | None, horizon: int, window: Window) -> str:
    name = LEVELS[level] if level is not None else ""
    return template.format(
        level=level, level_name=name, horizon=horizon, start=_day(first_day(window[0])), end=_day(last_day(window[1]))
    )  # fmt: skip


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def resolution_date(question: Question, config: QuestionsConfig) -> date:
    """The day on which the question resolves: a fixed lag after its window ends."""
    return last_day(question.end) + timedelta(days=config.resolution.lag_days)


def slug_of(question: Question) -> str:
    """The companion a question asks about."""
    return question.id.split("-", 1)[1].rsplit("-", 1)[0]
