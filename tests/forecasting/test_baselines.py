"""Persistence and climatology against enumeration, SciPy, and the counts of the model of events."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from scipy import stats

from forecast.data.event_groups import counting_rules, counts_by_month
from forecast.data.settings import CountingRule
from forecast.domain import Month, Question
from forecast.forecasting.baselines import (
    baseline_probability,
    baselines,
    climatology_kernel,
    count_distribution,
    past_windows,
    persistence_kernel,
    poisson_distribution,
)
from forecast.forecasting.companion_questions import count_forecast
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.questions import build_questions
from forecast.model.events import ANSWERS, COUNTED, fit_events
from forecast.model.hyperparameters import elasticity_priors
from forecast.report.payload.questions import question_baselines
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


SLUGS = (*COUNTED, *(f"deemed-{answer}" for answer in ANSWERS))


def monthly_counts(origin_state: OriginState, slug: str) -> list[float]:
    """The counts of a companion in the months of the window, as the model of events has them."""
    table = origin_state.rates.counted if slug in COUNTED else origin_state.rates.answers
    return [float(n) for n in table[SLUGS.index(slug) % len(COUNTED)]]


@pytest.mark.parametrize("slug", SLUGS)
def test_the_baseline_counts_what_the_model_of_events_counts(slug: str) -> None:
    origin_state = bundled_origin_state()
    start, end = origin_state.rates.window
    rule = counting_rules(origin_state.data.questions)[slug]
    assert counts_by_month(origin_state.data.events, rule, start, end).tolist() == monthly_counts(origin_state, slug)
    assert sum(monthly_counts(origin_state, slug)) > 0


@pytest.mark.parametrize(
    ("slug", "change"),
    [
        ("mass-hand-over", {"min_count": 30}),
        ("mass-hand-over", {"instrument": "deployment", "min_count": None}),
        ("new-tariff", {"kind": "threat"}),
        ("designation", {"kind": "act"}),
        ("senate-vote-in", {"direction": "-"}),
        ("deemed-insufficient", {"kind": "measure"}),
    ],
)
def test_an_edit_of_what_counts_moves_the_forecast_and_the_baseline_alike(slug: str, change: dict[str, object]) -> None:
    was = bundled_origin_state()
    config = was.data.questions
    companion = config.companion[slug]
    assert companion.counts is not None
    rule = CountingRule.model_validate(companion.counts.model_dump() | change)
    companions = config.companion | {slug: companion.model_copy(update={"counts": rule})}
    data = replace(was.data, questions=config.model_copy(update={"companion": companions}))
    rates = fit_events(
        data.events, data.administrations, was.origin, was.drivers.log2_deaths, was.leverage.value, elasticity_priors(was.priors),
        np.random.default_rng(1), counting_rules(data.questions),
    )  # fmt: skip
    now = replace(was, data=data, rates=rates)
    assert monthly_counts(now, slug) != monthly_counts(was, slug)
    assert monthly_counts(now, slug) == counts_by_month(data.events, rule, *rates.window).tolist()
    others = [other for other in SLUGS if other != slug]
    assert [monthly_counts(now, other) for other in others] == [monthly_counts(was, other) for other in others]
    before, after = (_numbers(s, slug) for s in (was, now))
    assert before[0] != after[0]
    assert before[1] != after[1]


def _numbers(origin_state: OriginState, slug: str) -> tuple[float, str]:
    """The forecast of a companion question from its rate alone, and its baseline in words."""
    question = next(q for q in build_questions(origin_state.data.questions, origin_state.origin) if q.companion == slug)
    levels, events = origin_state.histories["main"].levels, origin_state.data.events
    found = baselines([question], levels, events, origin_state.data.questions, origin_state.origin)[question.id]
    months = origin_state.rates.counted.shape[1]
    drawn = count_forecast(
        origin_state.priors, slug, sum(monthly_counts(origin_state, slug)), months, question.horizon, 4000, np.random.default_rng(1)
    )
    return float(drawn.probability.mean()), str(found)


def test_an_event_by_hand() -> None:
    """Deemed insufficient within six months: the share of past half-years, and whether the last was one."""
    origin_state = bundled_origin_state()
    q = next(q for q in build_questions(origin_state.data.questions, origin_state.origin) if q.companion == "deemed-insufficient")
    found = baselines(
        [q], origin_state.histories["main"].levels, origin_state.data.events, origin_state.data.questions, origin_state.origin
    )[q.id]
    halves: list[set[str]] = [set() for _ in range(41)]  # 246 months
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
