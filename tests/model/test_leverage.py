"""Leverage by hand, on toy ledgers and on the bundled one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from forecast.arrays.ladder import saturate_pressure
from forecast.data.records import Event
from forecast.domain import month
from forecast.model.hyperparameters import leverage_settings
from forecast.model.leverage import Leverage, LeverageSettings, combine, compute_leverage, leverage_scale
from tests.support.synthetic import ORIGIN, PLAIN, at, data, event, priors

log1p = math.log1p


def pressed(*events: Event, settings: LeverageSettings = PLAIN) -> Leverage:
    return compute_leverage(events, ORIGIN, settings)


def test_no_events_is_no_pressure() -> None:
    found = pressed()
    assert len(found.value) == ORIGIN - month("2006-01") + 1
    assert not found.value.any()
    assert found.standing == ()


def test_a_measure_counts_in_every_month_in_which_it_was_in_force_on_any_day() -> None:
    found = pressed(event("B1", "2020-03-31", kind="measure", channel="economic", intensity="3", until="2020-05-01"))
    expected = np.zeros_like(found.value)
    expected[at("2020-03") : at("2020-05") + 1] = log1p(3) / 3
    np.testing.assert_allclose(found.value, expected)
    assert (found.measure_months, found.ended_alone, found.standing) == (3, 1, ())


def test_measures_of_a_channel_add_before_the_logarithm_and_channels_add_after_it() -> None:
    found = pressed(
        event("B1", "2020-01-01", kind="measure", channel="economic", intensity="3"),
        event("B2", "2020-02-01", kind="measure", channel="economic", intensity="2"),
        event("B3", "2020-02-01", kind="measure", channel="diplomatic", intensity="4"),
    )
    assert found.value[at("2020-01")] == pytest.approx(log1p(3) / 3)
    assert found.value[at("2020-02")] == pytest.approx((log1p(5) + log1p(4)) / 3)
    assert {m.id for m in found.standing} == {"B1", "B2", "B3"}


def test_a_relaxation_that_ends_a_measure_ends_it_and_takes_nothing_else() -> None:
    found = pressed(
        event("B1", "2020-01-10", kind="measure", channel="security", intensity="4"),
        event("B2", "2020-01-10", channel="security", intensity="5"),
        event("B3", "2020-03-05", kind="relaxation", channel="security", intensity="5", ends="B1"),
    )
    fading = [log1p(5) * 2 ** (-k / 6) for k in range(6)]
    assert found.measures[2, at("2020-03")] == pytest.approx(log1p(4))  # in force on the first days of the month
    assert found.measures[2, at("2020-04")] == 0.0
    np.testing.assert_allclose(found.impulses[2, at("2020-01") : at("2020-07")], fading)
    assert (found.ended_alone, found.measure_months) == (0, 3)


def test_a_relaxation_that_ends_nothing_takes_half_of_its_strength_and_never_more_than_there_is() -> None:
    found = pressed(
        event("B1", "2020-01-10", channel="diplomatic", intensity="3"),
        event("B2", "2020-02-10", kind="relaxation", channel="diplomatic", intensity="2"),
        event("B3", "2020-03-10", kind="relaxation", channel="diplomatic", intensity="5"),
        event("B4", "2020-03-10", kind="relaxation", channel="economic", intensity="5"),
    )
    keep = 2 ** (-1 / 3)
    february = keep * log1p(3) - log1p(2) / 2
    assert found.impulses[1, at("2020-02")] == pytest.approx(february)
    assert found.impulses[1, at("2020-03")] == pytest.approx(max(keep * february - log1p(5) / 2, 0.0))
    assert (found.value >= 0).all()


def test_an_impulse_and_a_relaxation_of_one_month_are_both_felt() -> None:
    found = pressed(event("B1", "2020-01-10", intensity="4"), event("B2", "2020-01-20", kind="relaxation", intensity="1"))
    assert found.impulses[2, at("2020-01")] == pytest.approx(log1p(4) - log1p(1) / 2)


@pytest.mark.parametrize("kind", ["threat", "act", "demonstration", "inducement"])
def test_every_kind_of_impulse_counts_a_carrot_too(kind: str) -> None:
    assert pressed(event("B1", "2020-01-10", kind=kind, intensity="4")).value[at("2020-01")] == pytest.approx(log1p(4) / 3)


def test_the_strongest_impulse_of_a_month_counts_and_a_weaker_one_later_does_not_add() -> None:
    found = pressed(
        event("B1", "2020-01-10", intensity="2"), event("B2", "2020-01-11", intensity="5"), event("B3", "2020-02-11", intensity="1")
    )
    np.testing.assert_allclose(found.impulses[2, at("2020-01") : at("2020-03")], [log1p(5), log1p(5) * 2 ** (-1 / 6)])


@pytest.mark.parametrize(("channel", "half_life"), [("economic", 3), ("diplomatic", 3), ("security", 6)])
def test_half_of_an_impulse_is_left_after_its_half_life(channel: str, half_life: int) -> None:
    found = pressed(event("B1", "2020-01-10", channel=channel, intensity="4"))
    assert found.value[at("2020-01") + half_life] == pytest.approx(found.value[at("2020-01")] / 2)


def test_a_partial_cut_leaves_what_is_left() -> None:
    """A tariff is cut from 4 to 1 by a relaxation that ends it; the rest is a measure of its own, the same act as the first."""
    found = pressed(
        event("B1", "2025-03-04", kind="measure", channel="economic", intensity="4"),
        event("B2", "2025-03-06", kind="relaxation", channel="economic", intensity="3", ends="B1"),
        event("B3", "2025-03-07", kind="measure", channel="economic", intensity="1", same_act_as="B1"),
    )
    assert found.measures[0, at("2025-03")] == pytest.approx(log1p(5))  # both in force on some day of March
    assert found.measures[0, at("2025-04")] == pytest.approx(log1p(1))
    assert [m.id for m in found.standing] == ["B3"]


def test_what_happened_before_the_record_or_after_the_origin() -> None:
    found = pressed(
        event("B1", "2003-01-10", kind="measure", channel="economic", intensity="2", until="2004-05"),
        event("B2", "2004-01-10", kind="measure", channel="diplomatic", intensity="2", until="2006-02"),
        event("B3", "2005-12-10", intensity="5"),
        event("B4", "2026-07-01", kind="measure", intensity="5"),
        event("B5", "2026-07-01", kind="relaxation", ends="B6"),
        event("B6", "2026-05-01", kind="measure", intensity="2", until="2026-09"),
    )
    assert not found.measures[0].any()
    np.testing.assert_allclose(found.measures[1, :3], [log1p(2), log1p(2), 0.0])
    assert not found.impulses.any()
    assert [(m.id, m.intensity) for m in found.standing] == [("B6", 2)]


def test_of_two_relaxations_that_end_a_measure_the_first_does() -> None:
    found = pressed(
        event("B1", "2020-01-10", kind="measure", intensity="2"),
        event("B2", "2020-02-10", kind="relaxation", ends="B1"),
        event("B3", "2020-06-10", kind="relaxation", ends="B1"),
    )
    assert found.measures[2, at("2020-03")] == 0.0


def test_only_pressure_presses() -> None:
    others = [event(f"{f}1", "2020-01-10", family=f, role="context", kind="", intensity="5") for f in "ACD"]
    assert not pressed(*others).value.any()


def test_weights_and_scale_by_hand() -> None:
    settings = LeverageSettings((0.5, 0.3, 0.2), (3.0, 3.0, 6.0), 2.0)
    assert combine(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.0, 1.0]), settings) == pytest.approx((0.75 + 0.6 + 0.8) / 2)
    assert combine(np.array([[1.0], [2.0], [3.0]]), np.zeros((3, 1)), settings).shape == (1,)


def test_pressure_bends() -> None:
    assert saturate_pressure(np.array([0.0, 1.0])) == pytest.approx([0.0, 1.0])
    assert saturate_pressure(np.array(50.0)) == pytest.approx(1.31, abs=0.005)


def test_one_is_the_mean_of_the_window_and_the_frozen_scale_says_so() -> None:
    settings = leverage_settings(priors(), data().scales)
    start, end = month("2025-02"), month("2025-12")
    scale = leverage_scale(data().events, settings, start, end)
    found = compute_leverage(data().events, ORIGIN, replace(settings, scale=scale))
    assert found.value[at("2025-02") : at("2025-12") + 1].mean() == pytest.approx(1.0, abs=1e-12)
    assert data().scales.leverage == pytest.approx(scale, rel=1e-4)  # frozen with four decimals; events coded later may move it a little


def test_months_in_force_by_a_loop_over_the_bundled_ledger() -> None:
    """S, month by month, from the rows themselves."""
    rows = data().events
    ended = {x: e.date.month for e in rows if e.kind == "relaxation" for x in e.ends}
    found = compute_leverage(rows, ORIGIN, PLAIN)
    for c, channel in enumerate(("economic", "diplomatic", "security")):
        for t in range(len(found.value)):
            m = month("2006-01") + t
            there = [
                e.intensity or 0
                for e in rows
                if e.family == "B" and e.kind == "measure" and e.channel == channel and e.date.month <= m
                and not (e.until and e.until.month < m) and not (e.id in ended and ended[e.id] < m)
            ]  # fmt: skip
            assert found.measures[c, t] == pytest.approx(log1p(sum(there)))
