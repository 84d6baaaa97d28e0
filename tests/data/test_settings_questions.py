"""Questions, lags and expected oddities that cannot be are refused with file, line and key; those that are allowed can all be built."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from forecast.data.read import read_data
from forecast.data.settings import LEVEL, MAX_DAYS, WINDOW, CountingRule, LevelTemplate, QuestionsConfig, Template
from forecast.data.toml_file import read_settings
from forecast.domain import LONGEST, Month, month
from forecast.forecasting.driver_simulation import HORIZON
from forecast.forecasting.questions import COMPANIONS, build_questions, question_problems, resolution_date
from tests.support.data_editing import BUNDLED, copied

ORIGIN = month("2026-06")


@functools.cache
def bundled() -> QuestionsConfig:
    return read_data(BUNDLED).questions


def refused(tmp_path: Path, file: str, old: str, new: str) -> list[str]:
    """The problems of the settings once one passage reads otherwise."""
    folder = copied(tmp_path)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    settings, problems = read_settings(folder)
    assert settings is None
    assert all(p.file == file and p.row for p in problems)
    return [str(p) for p in problems]


TITLE = 'title = "Level {level} ({level_name}) or higher reached within {horizon} months"'
TARIFF = 'title = "New tariff measures"'


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("horizons = [3, 6, 12, 24]        # months", "horizons = [3, 36]", "resolution.horizons", "a value ≤ 24"),
        ("horizons = [3, 6, 12, 24]        # months", "horizons = [12, 12]", "resolution.horizons", "names nothing twice"),
        ("horizons = [12]", "horizons = [25]", "horizons", "a value ≤ 24"),
        ("levels = [1, 2, 3, 4, 5]", "levels = [1, 1]", "levels.reached_by.levels", "names nothing twice"),
        ("lag_days = 60", "lag_days = 1000000000000", "resolution.lag_days", f"a value ≤ {MAX_DAYS}"),
        ("lag_days = 60", "lag_days = 10000000000000000000000000", "resolution.lag_days", "a number of a usual size"),
        ("happens_lag_months = 24", "happens_lag_months = 999999", "resolution.happens_lag_months", "a value ≤ 120"),
        *(
            (TITLE, f'title = "{text}"', "levels.reached_by.title", "no placeholder but {start}")
            for text in ("{nosuch}", "{level!r:>10}", "{level:>99999999}", "{level.real}", "{level[0]}", "{}", "{0}", "{", "}", "{{level}")
        ),
        *(
            (TARIFF, f'title = "{text}"', "companion.new-tariff.title", "no placeholder but")
            for text in ("{level}", "{level_name}", "{nosuch}")
        ),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_refused_where_it_stands(tmp_path: Path, old: str, new: str, key: str, words: str) -> None:
    (problem,) = refused(tmp_path, "questions.toml", old, new)
    assert key in problem
    assert words in problem


def test_a_lag_of_a_source_that_no_calendar_holds_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "sources.toml", "lag_days = 120", "lag_days = 1000000000000")
    assert "overdose_releases.lag_days" in problem


def test_horizons_are_those_that_are_simulated() -> None:
    assert LONGEST == HORIZON


BRACES = st.text(st.sampled_from("{}ab!:.[]0 "), max_size=12)


@given(BRACES | st.sampled_from([*WINDOW, *LEVEL]).map(lambda name: f"in {{{name}}}"), st.sampled_from([Template, LevelTemplate]))
def test_what_is_accepted_as_a_template_can_be_filled_in(text: str, kind: type) -> None:
    names = WINDOW if kind is Template else (*WINDOW, *LEVEL)
    try:
        TypeAdapter(kind).validate_python(text)
    except ValidationError:
        return
    filled = text.format(**dict.fromkeys(names, "x"))
    assert len(filled) <= len(text)


@limits(max_examples=20)
@given(
    st.lists(st.integers(1, LONGEST), min_size=1, max_size=4, unique=True),
    st.integers(0, MAX_DAYS),
    st.integers(month("2006-12"), month("2199-12")),
)
def test_all_questions_and_dates_of_allowed_settings_can_be_built(horizons: list[int], lag: int, origin: int) -> None:
    written = bundled().model_dump()
    written["resolution"] |= {"horizons": tuple(horizons), "lag_days": lag}
    config = QuestionsConfig.model_validate(written)
    questions = build_questions(config, Month(origin))
    assert len({q.id for q in questions}) == len(questions)
    for q in questions:
        assert (resolution_date(q, config) - resolution_date(q, bundled())).days == lag - bundled().resolution.lag_days
        assert "{" not in q.text


def test_the_day_of_resolution_is_a_placeholder_of_every_text() -> None:
    written = bundled().model_dump()
    written["levels"]["reached_by"]["text"] = "By {resolution_date}: {level}, {level_name}?"
    written["companion"]["new-tariff"]["text"] = "By {resolution_date}?"
    result = {q.id: q.text for q in build_questions(QuestionsConfig.model_validate(written), ORIGIN)}
    assert result["reach-4-12m"] == "By 29 August 2027: 4, covert action?"
    assert result["count-new-tariff-12m"] == "By 29 August 2027?"


def test_the_bundled_questions_are_all_answered() -> None:
    assert question_problems(bundled(), ORIGIN) == []
    assert set(bundled().companion) == set(COMPANIONS)


GAP = 'kind = "gap", series = "all_drugs", release = "2026-02-14", from = "2016-06", to = "2018-10"'


@pytest.mark.parametrize("kind", ["gap", "stop", "repeat", "step", "outlier", "inferred"])
@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("", "no key 'from'"),
        ('series = "all_drugs", from = "2016-06"', "no key 'to'"),
        ('series = "all_drugs", to = "2016-06"', "no key 'from'"),
        ('from = "2016-06", to = "2018-10"', "a series or a release"),
        ('series = "all_drugs", from = "2018-10", to = "2016-06"', "a month not before that of from"),
    ],
)
def test_an_expected_oddity_without_bounds_is_refused(tmp_path: Path, kind: str, rest: str, words: str) -> None:
    """It would hide all oddities of its kind."""
    problems = refused(tmp_path, "sources.toml", GAP, f'kind = "{kind}"' + (f", {rest}" if rest else ""))
    assert any(words in p for p in problems)
    assert all("overdose_releases.expected" in p for p in problems)


def test_an_expected_oddity_of_a_file_with_one_series_needs_months_only() -> None:
    settings, problems = read_settings(BUNDLED)
    assert problems == []
    assert settings is not None
    for source in settings.sources.values():
        for entry in source.expected:
            assert entry.kind == "duplicate" or (entry.from_ and entry.to)
            assert entry.kind in ("duplicate", "ahead") or source.series or entry.series or entry.release


RULES = [
    ("senate-vote-in", {"counts": None}, "companion.senate-vote-in.counts", "no counts"),
    ("direct-action", {"counts": CountingRule(family="A")}, "companion.direct-action.counts", "no row counts"),
    ("new-tariff", {"none_of": CountingRule(family="B")}, "companion.new-tariff.none_of", "nothing"),
    ("deemed-sufficient", {"none_of": None}, "companion.deemed-sufficient.none_of", "the counts of deemed-insufficient"),
    ("designation", {"or_determination": True}, "companion.designation.or_determination", "deemed-insufficient alone"),
]


@pytest.mark.parametrize(("slug", "change", "column", "words"), RULES)
def test_a_rule_that_the_models_could_not_follow_is_refused(slug: str, change: dict[str, Any], column: str, words: str) -> None:
    assert question_problems(bundled(), ORIGIN) == []
    companions = bundled().companion | {slug: bundled().companion[slug].model_copy(update=change)}
    [problem] = question_problems(bundled().model_copy(update={"companion": companions}), ORIGIN)
    assert problem.column == column
    assert words in str(problem)
