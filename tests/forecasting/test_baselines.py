"""Persistence and climatology against enumeration, SciPy, and the counts of the model of events."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from forecast.report.parts.baselines import frozen
from forecast.report.payload.baselines import frozen
from scipy import stats

from forecast.data.event_groups import counting_rules, counts_by_month
from forecast.data.settings import CountingRule
from forecast.domain import Month, Question
from forecast.forecasting.baselines import (
    baseline_probability,
    baselines,
    climatology_kernel,
    count_distribution,
    monthly_counts,
    past_windows,
    persistence_kernel,
    poisson_distribution,
)
from forecast.forecasting.questions import build_questions
from forecast.model.events import ANSWERS, COUNTED
from tests.support.bundled_state import bundled_origin_state
from tests.support.prior_forecasts import prior_forecast


def test_kernels_by_hand() -> None:
    levels = np.array([1, 1, 2, 2, 2, 1])  # five transitions, two of them changes
    stays = persistence_kernel(levels)
    assert stays[3, 3] == pytest.approx(1 - 2.5 / 6)
    assert stays[3, 4] == pytest.approx(0.5 / 6)
    goes_on = climatology_kernel(levels)
    assert goes_on[2] == pytest.approx(np.array([0.5, 1.5, 2.5, 0.5, 0.5, 0.5]) / 6)
    assert goes_on[5] == pytest.approx(np.full(6, 1 / 6))
    for kernel in (stays, goes_on):
        assert kernel.sum(1) == pytest.approx(np.ones(6))


@pytest.mark.parametrize(("kind", "k"), [("reached_by", 3), ("in_force_at", 3), ("fallen_to", 1), ("reached_by", 1), ("fallen_to", 0)])
def test_a_chance_is_the_sum_over_all_paths(kind: str, k: int) -> None:
    rng = np.random.default_rng(5)
    kernel = rng.dirichlet(np.ones(6), 6)
    total = 0.0
    for path in product(range(6), repeat=3):
        p = np.prod([kernel[a, b] for a, b in zip((2, *path), path, strict=False)])
        yes = {"reached_by": max(path) >= k, "in_force_at": path[-1] >= k, "fallen_to": min(path) <= k}[kind]
        total += float(p) * yes
    assert baseline_probability(kernel, 2, kind, k, 3) == pytest.approx(total)


@pytest.mark.parametrize(("shape", "months", "horizon"), [(0.5, 12.0, 12), (5.5, 246.0, 6), (12.5, 18.0, 24)])
def test_a_count_of_unknown_rate_is_negative_binomial(shape: float, months: float, horizon: int) -> None:
    found = count_distribution(shape, months, horizon)
    truth = stats.nbinom(shape, months / (months + horizon)).pmf(np.arange(len(found) - 1))
    assert found[:-1] == pytest.approx(truth)
    assert found.sum() == pytest.approx(1.0)
    assert found[-1] < 1e-4


def test_poisson_chances_are_averaged_over_draws() -> None:
    means = np.array([0.2, 1.0, 6.0])
    found = poisson_distribution(means)
    assert found[:-1] == pytest.approx(stats.poisson(means[:, None]).pmf(np.arange(len(found) - 1)).mean(0))
    assert found.sum() == pytest.approx(1.0)


def test_windows_end_at_the_origin() -> None:
    assert past_windows(np.array([9.0, 1, 2, 3, 4, 5, 6]), 3).tolist() == [6, 15]


def test_what_counts_is_what_the_model_of_events_counts() -> None:
    origin_state = bundled_origin_state()
    start, end = origin_state.rates.window
    config = origin_state.data.questions.companion
    for i, slug in enumerate(COUNTED):
        counts = config[slug].counts
        assert counts is not None
        found = monthly_counts(origin_state.data.events, counts, origin_state.origin)
        assert found[start - FIRST_MONTH :].tolist() == origin_state.rates.counted[i].tolist(), slug
        assert found.sum() >= origin_state.rates.counted[i].sum() > 0
    for i, answer in enumerate(ANSWERS):
        found = monthly_counts(origin_state.data.events, Counts(family="B", answers=answer), origin_state.origin)
        assert found[start - FIRST_MONTH : end - FIRST_MONTH + 1].tolist() == origin_state.rates.answers[i].tolist()


def test_an_event_by_hand() -> None:
    """Deemed insufficient within six months: the share of past half-years, and whether the last was one."""
    origin_state = bundled_origin_state()
    q = next(q for q in build_questions(origin_state.data.questions, origin_state.origin) if q.companion == "deemed-insufficient")
    found = baselines(
        [q], origin_state.histories["main"].levels, origin_state.data.events, origin_state.data.questions, origin_state.origin
    )[q.id]
    halves = [set() for _ in range(41)]  # 246 months
    for e in origin_state.data.events:
        if e.family == "B" and e.answers == "insufficient" and e.date.month <= origin_state.origin:
            halves[40 - (origin_state.origin - e.date.month) // 6].add(e.id)
    yes = [bool(half) for half in halves]
    changes = sum(a != b for a, b in pairwise(yes))
    assert found.climatology == pytest.approx((sum(yes) + 0.5) / 42)
    assert found.persistence == pytest.approx(abs(yes[-1] - (changes + 0.5) / 41))


def test_every_question_of_a_forecast_has_its_row() -> None:
    forecast = prior_forecast()
    rows = {row.id: row.model_dump() for row in question_baselines(forecast)}
    assert list(rows) == list(forecast.answers)
    for id_, row in rows.items():
        answer = forecast.answers[id_]
        if "direct-action" in id_:
            assert row == {"id": id_, "persistence": None, "climatology": None, "counts": None}
            continue
        assert 0.0 < row["persistence"] < 1.0
        assert 0.0 < row["climatology"] < 1.0
        if answer.question.kind == "count":
            model = np.array(row["counts"]["model"])
            assert 1.0 - model[0] == pytest.approx(answer.probability)
            assert model @ np.arange(len(model)) == pytest.approx(answer.expected, rel=1e-4)
            assert 1.0 - row["counts"]["persistence"][0] == pytest.approx(row["persistence"])
            assert 1.0 - row["counts"]["climatology"][0] == pytest.approx(row["climatology"])
        else:
            assert row["counts"] is None


def test_levels_in_force_are_ordered() -> None:
    levels = bundled_origin_state().histories["main"].levels
    for kernel in (persistence_kernel(levels), climatology_kernel(levels)):
        held = [baseline_probability(kernel, int(levels[-1]), "in_force_at", k, 12) for k in range(1, 6)]
        assert held == sorted(held, reverse=True)
        assert all(baseline_probability(kernel, int(levels[-1]), "reached_by", k, 12) >= p for k, p in enumerate(held, 1))


def test_a_question_without_a_past_has_no_baseline() -> None:
    origin_state = bundled_origin_state()
    q = Question("event-direct-action-12m", "", "event", None, 12, Month(origin_state.origin + 1), Month(origin_state.origin + 12))
    assert baselines([q], np.array([1, 2]), (), origin_state.data.questions, origin_state.origin) == {}
