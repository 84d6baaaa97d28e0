"""Companion questions: conjugate rates, answers from Washington, and direct action, against closed forms and a loop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from forecast.data.records import Scheduled
from forecast.domain import month
from forecast.forecasting.companion_questions import determination_forecasts, direct_action, event_count_forecast
from forecast.model.events import ANSWERS, COUNTED, EventRates
from tests.support import synthetic

SIZE, MONTHS = 60_000, 17


def rates(**n: int) -> EventRates:
    """Counts of companions and answers in a window of seventeen months."""
    counted, answers = np.zeros((4, MONTHS)), np.zeros((2, MONTHS))
    for name, value in n.items():
        slug = name.replace("_", "-")
        table, row = (counted, COUNTED.index(slug)) if slug in COUNTED else (answers, ANSWERS.index(slug))
        table[row, 0] = value
    none = np.zeros((1, 11))
    return EventRates(
        np.zeros((1, 3)), none, np.zeros((11, MONTHS)), {}, (0, 0, 0), counted, answers, (0, 0), (month("2025-02"), synthetic.ORIGIN)
    )


def determination(day: str) -> Scheduled:
    return Scheduled(
        id="K1", date=day, what="due", kind="determination", channel="diplomatic", effect="determination", event_id="", intensity="",
        probability="", published="2026-01-01", source="a test",
    )  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize(("slug", "n"), [("new-tariff", 5), ("senate-vote-in", 0)])
def test_a_count_is_poisson_at_a_conjugate_rate(slug: str, n: int) -> None:
    """Poisson over a Gamma: the count within h months is negative binomial."""
    prior = synthetic.priors().distribution(f"companion.{slug}")
    shape, rate = prior.shape, prior.rate  # type: ignore[attr-defined]
    found = event_count_forecast(synthetic.priors(), rates(**{slug.replace("-", "_"): n}), slug, 12, SIZE, np.random.default_rng(1))
    exact = stats.nbinom(shape + n, (rate + MONTHS) / (rate + MONTHS + 12))
    assert found.expected is not None
    assert found.probability.mean() == pytest.approx(exact.sf(0), abs=0.01)
    assert found.expected.mean() == pytest.approx(exact.mean(), rel=0.03)
    before = stats.nbinom(shape, rate / (rate + 12))
    assert found.prior.mean() == pytest.approx(before.sf(0), abs=0.01)


def test_more_events_mean_a_likelier_one() -> None:
    few, many = (
        event_count_forecast(synthetic.priors(), rates(designation=n), "designation", 12, SIZE, np.random.default_rng(1)).probability.mean()
        for n in (1, 6)
    )
    assert many > few + 0.1


def test_answers_by_hand() -> None:
    """Sufficient: at least one that says so and none that says the contrary; insufficient: one that says so, or a determination."""
    seen = rates(sufficient=3, insufficient=4)
    found = determination_forecasts(
        synthetic.priors(), seen, [determination("2026-09-15")], synthetic.ORIGIN, 6, SIZE, np.random.default_rng(1)
    )
    rng = np.random.default_rng(2)
    shape = [synthetic.priors().distribution(f"companion.deemed-{a}") for a in ANSWERS]
    yes = rng.gamma(shape[0].shape + 3, 1 / (shape[0].rate + MONTHS), SIZE)  # type: ignore[attr-defined]
    no = rng.gamma(shape[1].shape + 4, 1 / (shape[1].rate + MONTHS), SIZE)  # type: ignore[attr-defined]
    said, blamed, failed = rng.poisson(6 * yes) > 0, rng.poisson(6 * no) > 0, rng.random(SIZE) < rng.beta(1, 19, SIZE)
    assert found["deemed-sufficient"].probability.mean() == pytest.approx((said & ~blamed & ~failed).mean(), abs=0.01)
    assert found["deemed-insufficient"].probability.mean() == pytest.approx((blamed | failed).mean(), abs=0.01)
    total = found["deemed-sufficient"].probability + found["deemed-insufficient"].probability
    assert (total < 1).all()  # both may be false


@pytest.mark.parametrize("day", ["2026-06-15", "2027-01-15"])
def test_a_determination_outside_the_window_plays_no_part(day: str) -> None:
    with_it, without = (
        determination_forecasts(synthetic.priors(), rates(), rows, synthetic.ORIGIN, 6, 500, np.random.default_rng(1))[
            "deemed-insufficient"
        ].probability
        for rows in ([determination(day)], [])
    )
    np.testing.assert_array_equal(with_it, without)


def test_direct_action_by_a_loop() -> None:
    rng = np.random.default_rng(3)
    pool = synthetic.pool(40, 12, leverage=rng.gamma(3, 0.5, (40, 13)))
    paths = rng.integers(0, 40, (200, 5))
    found = direct_action(synthetic.priors(), pool, paths, (12,), np.random.default_rng(4))[12]
    again = np.random.default_rng(4)
    q, effect = (synthetic.priors().distribution(n).sample(again, 200) for n in ("direct.rate", "direct.leverage"))
    for s in (0, 17, 199):
        none = []
        for p in paths[s]:
            stays = 1.0
            for t in range(12):  # the drivers of the month before
                pressure = np.tanh(pool.leverage[p, t]) / np.tanh(1.0)
                monthly = 1 - (1 - q[s]) ** (1 / 12)
                odds = monthly / (1 - monthly) * np.exp(effect[s] * (pressure - 1))
                stays *= 1 / (1 + odds)
            none.append(stays)
        assert found.probability[s] == pytest.approx(1 - np.mean(none))
    assert found.by_path_batch is not None
    assert found.by_path_batch.mean() == pytest.approx(found.probability.mean())


def test_at_the_pressure_of_2025_direct_action_has_its_stated_rate() -> None:
    found = direct_action(
        synthetic.priors(), synthetic.pool(20, 12, leverage=1.0), np.zeros((20_000, 1), int), (12,), np.random.default_rng(1)
    )[12]
    assert np.median(found.probability) == pytest.approx(0.02, rel=0.05)
    more = direct_action(
        synthetic.priors(), synthetic.pool(20, 12, leverage=3.0), np.zeros((20_000, 1), int), (12,), np.random.default_rng(1)
    )[12]
    assert more.probability.mean() > found.probability.mean()


def test_counts_are_of_the_window_alone() -> None:
    s = synthetic.origin_state()
    assert s.rates.counted.shape == (4, synthetic.ORIGIN - month("2025-02") + 1)
    longer = replace(s.rates, counted=np.zeros((4, 100)))
    assert event_count_forecast(s.priors, longer, "designation", 12, 2_000, np.random.default_rng(1)).probability.mean() < 0.2
