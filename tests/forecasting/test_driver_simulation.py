"""The pool of driver paths against closed forms: arrivals, ends of measures, the calendar, memories, and common random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

import numpy as np
import pytest
from scipy import stats

from forecast.data.records import Event, Scheduled
from forecast.domain import CHANNELS, Month, month
from forecast.forecasting.driver_paths import NO_INTERVENTION, DriverPaths, ForcedArrival, Intervention
from forecast.forecasting.driver_simulation import DriverState, ExogenousPaths, _dirichlet_cumulated, _poisson, simulate_drivers
from forecast.model.events import STREAMS, EventRates, fit_events
from forecast.model.leverage import Leverage, StandingMeasure
from tests.support import synthetic

ORIGIN = synthetic.ORIGIN
H, N = 12, 4_000
MEASURE_MONTHS, ENDED = 99, 2


def rates(
    of: Mapping[str, float] | None = None, eta: tuple[float, float, float] = (0.0, 0.0, 0.0), ended: tuple[int, int] = (0, 0)
) -> EventRates:
    """Known rates a month, zero where not named; every mark is (security, intensity 3), or the stream's channel."""
    marks = np.zeros((3, 5))
    marks[2, 2] = 5.0
    by_channel = {f"{kind}.{c}": np.roll(marks, i - 2, axis=0) for kind in ("threat", "measure") for i, c in enumerate(CHANNELS)}
    return EventRates(
        eta=np.tile(eta, (10, 1)), rate=np.tile([(of or {}).get(s, 0.0) for s in STREAMS], (10, 1)), counts=np.zeros((11, 17)),
        marks={s: by_channel.get(s, marks) for s in STREAMS}, means=(0.0, 0.0, 0.0), counted=np.zeros((4, 17)), answers=np.zeros((2, 17)),
        ended=ended, window=(month("2025-02"), ORIGIN),
    )  # fmt: skip


def start(
    *standing: StandingMeasure, impulses: tuple[float, float, float] = (0.0, 0.0, 0.0), mobilisation: float = 0.0, concessions: float = 0.0
) -> DriverState:
    s = np.array([[np.log1p(sum(m.intensity for m in standing if m.channel == c))] for c in CHANNELS])
    i = np.array(impulses)[:, None]
    value = np.maximum((s + i).sum(0) / 3, 0)
    return DriverState(
        Leverage(value, s, i, np.zeros((3, 1)), np.zeros((3, 1)), standing, MEASURE_MONTHS, ENDED), mobilisation, concessions
    )


def future(n: int = N, new_us_rates_from: int | None = None) -> ExogenousPaths:
    return ExogenousPaths(np.full((n, 13 + H), np.log(3000.0)), np.full((n, 1 + H), np.log(1.5)), 2.0, new_us_rates_from)


def paths(
    of: EventRates,
    at: DriverState | None = None,
    calendar: tuple[Scheduled, ...] = (),
    patch: Intervention = NO_INTERVENTION,
    to: ExogenousPaths | None = None,
    seed: int = 1,
) -> DriverPaths:
    return simulate_drivers(at or start(), to or future(), of, synthetic.PLAIN, calendar, ORIGIN, seed, patch, n=N, horizon=H)


def scheduled(day: str, effect: str, **more: str) -> Scheduled:
    row = {"id": "K1", "date": day, "what": "a test", "kind": "other", "channel": "security", "effect": effect, "event_id": "",
           "intensity": "", "probability": "", "published": "2026-01-01", "source": "a test"}  # fmt: skip
    return Scheduled.model_validate(row | more)


def same(a: DriverPaths, b: DriverPaths) -> bool:
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(DriverPaths))


# ---- arrivals


def test_poisson_by_inversion_equals_scipy() -> None:
    u = np.random.default_rng(1).random(5_000)
    for rate in (0.0, 0.01, 0.3, 1.2):
        np.testing.assert_array_equal(_poisson(u, np.full(5_000, rate)), np.minimum(stats.poisson.ppf(u, rate), 8) if rate else 0)


def test_a_larger_rate_never_gives_fewer_arrivals() -> None:
    u = np.random.default_rng(2).random(1_000)
    counts = np.array([_poisson(u, np.full(1_000, r)) for r in np.linspace(0, 3, 20)])
    assert (np.diff(counts, axis=0) >= 0).all()


def test_shares_are_dirichlet() -> None:
    parameters = np.array([2.0, 0.0, 0.5, 1.5])
    cumulated = _dirichlet_cumulated(parameters, 20_000, np.random.default_rng(3))
    shares = np.diff(cumulated, axis=1, prepend=0.0)
    np.testing.assert_allclose(cumulated[:, -1], 1.0)
    assert not shares[:, 1].any()
    np.testing.assert_allclose(shares.mean(0), parameters / 4, atol=0.01)
    np.testing.assert_allclose(shares.var(0), parameters / 4 * (1 - parameters / 4) / 5, atol=0.005)
    np.testing.assert_array_equal(_dirichlet_cumulated(np.zeros(3), 4, np.random.default_rng(1)), np.ones((4, 3)))


def test_arrivals_come_at_their_rate() -> None:
    found = paths(rates({"act": 0.4, "threat.security": 0.1})).arrivals
    assert found[..., STREAMS.index("act")].mean() == pytest.approx(0.4, abs=4 * (0.4 / (N * H)) ** 0.5)
    assert found[..., STREAMS.index("threat.security")].mean() == pytest.approx(0.1, abs=4 * (0.1 / (N * H)) ** 0.5)
    assert found.sum() == found[..., [STREAMS.index("act"), STREAMS.index("threat.security")]].sum()


def test_rates_see_the_month_before() -> None:
    """A forced concession moves demands from the month after it on, by exp(−η_S G); deaths do by exp(η_O log2)."""
    base = {"act": 0.3, "relaxation": 0.3}
    given = paths(rates(base, eta=(0.0, 1.0, 0.0)), patch=Intervention(forced=(ForcedArrival(3, "concession", "", 1),))).arrivals
    for t, g in ((1, 0.0), (3, 0.0), (4, 1.0), (5, 2 ** (-1 / 3)), (7, 0.5)):
        se = 4 * (0.8 / N) ** 0.5
        assert given[:, t - 1, STREAMS.index("act")].mean() == pytest.approx(0.3 * np.exp(-g), abs=se), t
        assert given[:, t - 1, STREAMS.index("relaxation")].mean() == pytest.approx(0.3 * np.exp(g), abs=se), t
    shift = np.zeros(H + 1)
    shift[6:] = np.log(2.0)
    dying = paths(rates(base, eta=(0.5, 0.0, 0.0)), patch=Intervention(deaths=shift)).arrivals[..., STREAMS.index("act")].mean(0)
    np.testing.assert_allclose(dying, [0.3] * 6 + [0.3 * np.exp(0.5)] * 6, atol=4 * (0.5 / N) ** 0.5)


def test_pressure_mobilises() -> None:
    pushed = paths(rates({"mobilisation": 0.2}, eta=(0, 0, 0.7)), patch=Intervention(leverage=np.full(H + 1, 1.0)))
    found = pushed.arrivals[..., STREAMS.index("mobilisation")].mean()
    assert found == pytest.approx(0.2 * np.exp(0.7), abs=4 * (0.4 / (N * H)) ** 0.5)


def test_another_us_administration_presses_at_other_rates_but_mexico_keeps_its_own() -> None:
    of = rates({"act": 0.5, "concession": 0.5, "mobilisation": 0.5})
    before, after = paths(of).arrivals, paths(of, to=future(new_us_rates_from=7)).arrivals
    np.testing.assert_array_equal(before[:, :6], after[:, :6])
    for k, changed in (("act", True), ("concession", False), ("mobilisation", False)):
        assert (before[..., STREAMS.index(k)] != after[..., STREAMS.index(k)]).any() == changed, k
    grown = after[:, 6:, STREAMS.index("act")].mean() / 0.5
    assert grown == pytest.approx(np.exp(0.7**2 / 2), rel=0.06)  # at most eight arrivals count


# ---- measures and memories


def test_without_arrivals_impulses_and_mobilisation_fade() -> None:
    found = paths(rates(), start(impulses=(1.0, 2.0, 3.0), mobilisation=1.6))
    t = np.arange(H + 1)
    for c, (value, half_life) in enumerate([(1.0, 3), (2.0, 3), (3.0, 6)]):
        np.testing.assert_allclose(found.impulses[:, c], np.tile(value * 2.0 ** (-t / half_life), (N, 1)))
    np.testing.assert_allclose(found.mobilisation, np.tile(0.8 * 2.0 ** (-t / 3), (N, 1)))
    np.testing.assert_allclose(found.leverage, found.impulses.sum(1) / 3)


def test_measures_end_at_the_hazard_of_their_posterior() -> None:
    """P(still in force in month t) = E exp(−t h), h ~ Gamma(½ + ended, 1 + measure-months): the Lomax survival function."""
    found = paths(rates(), start(StandingMeasure("B1", "economic", 4)))
    there = (found.measures[:, 0, 1:] > 0).mean(0)
    t = np.arange(1, H + 1)
    alive = ((1 + MEASURE_MONTHS) / (1 + MEASURE_MONTHS + t)) ** (0.5 + ENDED)
    np.testing.assert_allclose(there, alive, atol=4 * 0.5 / N**0.5)
    assert set(np.round(np.unique(found.measures[:, 0]), 12)) == {0.0, round(float(np.log1p(4)), 12)}


def test_a_new_measure_adds_its_intensity_to_its_channel_and_stays() -> None:
    found = paths(
        rates(),
        start(StandingMeasure("B1", "diplomatic", 2)),
        patch=Intervention(forced=(ForcedArrival(4, "measure.diplomatic", "diplomatic", 3),)),
    )
    standing = found.measures[:, 1]
    assert set(np.round(np.unique(standing[:, :4]), 12)) == {0.0, round(float(np.log1p(2)), 12)}
    values = np.round(np.log1p([0, 2, 3, 5]), 12)
    assert set(np.round(np.unique(standing[:, 4:]), 12)) <= set(values)
    assert (standing[:, 4] >= np.log1p(3) - 1e-12).all()  # in force in the month in which it comes
    alive = (standing[:, 12] > 1.3).mean()  # at least the measure of intensity 3
    assert alive == pytest.approx((100 / 108) ** 2.5, abs=4 * 0.5 / N**0.5)


def test_a_relaxation_ends_a_measure_or_takes_half_of_its_strength() -> None:
    patch = Intervention(forced=(ForcedArrival(2, "relaxation", "security", 3),))
    for ended, share in (((1_000_000, 1_000_000), 1.0), ((0, 1_000_000), 0.0)):  # (ended, relaxations)
        found = paths(rates(ended=ended), start(StandingMeasure("B1", "security", 4), impulses=(0, 0, 2.0)), patch=patch)
        without = paths(rates(ended=ended), start(StandingMeasure("B1", "security", 4), impulses=(0, 0, 2.0)))
        stood = without.measures[:, 2, 3] > 0
        np.testing.assert_array_equal(found.measures[:, 2, :3], without.measures[:, 2, :3])  # still in force in month 2
        gone = stood & (found.measures[:, 2, 3] == 0)
        assert gone.sum() == pytest.approx(share * stood.sum())
        faded = 2.0 * 2 ** (-2 / 6)
        impulse = found.impulses[stood, 2, 2]
        np.testing.assert_allclose(impulse, faded if share else faded - np.log1p(3) / 2)


def test_a_relaxation_with_nothing_to_end_subtracts() -> None:
    found = paths(
        rates(ended=(1_000_000, 1_000_000)),
        start(impulses=(0, 0, 2.0)),
        patch=Intervention((ForcedArrival(1, "relaxation", "security", 3),)),
    )
    np.testing.assert_allclose(found.impulses[:, 2, 1], 2.0 * 2 ** (-1 / 6) - np.log1p(3) / 2)


def test_the_measure_that_ends_is_any_of_its_channel() -> None:
    at = start(*(StandingMeasure(f"B{i}", "security", i) for i in (1, 2, 4)), StandingMeasure("B9", "economic", 5))
    found = paths(rates(ended=(1_000_000, 1_000_000)), at, patch=Intervention(forced=(ForcedArrival(1, "relaxation", "security", 3),)))
    left = np.expm1(found.measures[:, 2, 2]).round().astype(int)
    # by chance some have ended by themselves; among the rest each of the three goes equally often
    shares = np.array([(left == v).sum() for v in (6, 5, 3)], float)
    assert stats.chisquare(shares).pvalue > 1e-3
    np.testing.assert_array_equal(found.measures[:, 0], paths(rates(ended=(1_000_000, 1_000_000)), at).measures[:, 0])


def test_marks_follow_the_shares() -> None:
    of = rates({"demonstration": 0.5})
    marks = np.zeros((3, 5))
    marks[0, 4], marks[2, 0] = 3e6, 1e6
    found = paths(replace(of, marks={**of.marks, "demonstration": marks}))
    once = found.arrivals[:, 0, STREAMS.index("demonstration")] == 1
    economic = np.isclose(found.impulses[once, 0, 1], np.log1p(5))
    security = np.isclose(found.impulses[once, 2, 1], np.log1p(1))
    assert (economic ^ security).all()
    assert economic.mean() == pytest.approx(0.75, abs=4 * (0.19 / once.sum()) ** 0.5)


# ---- the calendar


def test_a_scheduled_end_acts_in_its_month_with_its_probability() -> None:
    at = start(StandingMeasure("B1", "security", 4))
    due = scheduled("2026-09-15", "ends", event_id="B1", probability="0.3")
    with_it, without = paths(rates(), at, (due,)), paths(rates(), at)
    np.testing.assert_array_equal(with_it.measures[:, 2, :4] > 0, without.measures[:, 2, :4] > 0)  # in force on its last day
    stood = without.measures[:, 2, 4] > 0
    ended = 1 - (with_it.measures[stood, 2, 4] > 0).mean()
    assert ended == pytest.approx(0.3, abs=4 * 0.5 / N**0.5)


def test_a_scheduled_start_presses_from_its_month_on() -> None:
    found = paths(rates(), None, (scheduled("2026-08-01", "starts", channel="economic", intensity="3"),))
    assert not found.measures[:, 0, :2].any()
    np.testing.assert_allclose(found.measures[:, 0, 2], np.log1p(3))


@pytest.mark.parametrize("effect", ["none", "determination"])
def test_what_has_no_effect_on_pressure_changes_nothing(effect: str) -> None:
    assert same(paths(rates({"act": 0.3})), paths(rates({"act": 0.3}), None, (scheduled("2026-09-15", effect, probability="0.5"),)))


# ---- common random numbers


def test_an_empty_patch_changes_no_bit_and_a_seed_repeats_itself() -> None:
    of = rates(dict.fromkeys(STREAMS, 0.2), eta=(0.1, 0.2, 0.2), ended=(4, 16))
    at = start(StandingMeasure("B1", "security", 4), impulses=(1, 1, 1), mobilisation=1, concessions=1)
    plain = paths(of, at)
    assert same(plain, paths(of, at, patch=Intervention()))
    assert same(plain, paths(of, at, patch=Intervention(rates={"act": 1.0})))
    assert same(plain, paths(of, at, patch=Intervention(leverage=np.zeros(H + 1), deaths=np.zeros(H + 1), opposition=np.zeros(H + 1))))
    assert not same(plain, paths(of, at, seed=2))


def test_a_patch_changes_nothing_before_it_acts() -> None:
    of = rates(dict.fromkeys(STREAMS, 0.2), ended=(4, 16))
    plain, forced = paths(of), paths(of, patch=Intervention(forced=(ForcedArrival(7, "measure.economic", "economic", 5),)))
    np.testing.assert_array_equal(plain.leverage[:, :7], forced.leverage[:, :7])
    assert (forced.measures[:, 0, 7] > plain.measures[:, 0, 7]).all()
    np.testing.assert_array_equal(plain.measures[:, 2], forced.measures[:, 2])
    np.testing.assert_array_equal(plain.arrivals, forced.arrivals)  # no elasticity: nothing feeds back


def test_a_factor_on_a_rate_acts_between_its_months() -> None:
    of = rates({"act": 0.3})
    found = paths(of, patch=Intervention(rates={"act": 3.0}, rates_from=4, rates_to=6)).arrivals[..., STREAMS.index("act")].mean(0)
    np.testing.assert_allclose(found, [0.3] * 3 + [0.9] * 3 + [0.3] * 6, atol=4 * (0.9 / N) ** 0.5)


def test_shifts_of_deaths_and_opposition() -> None:
    shift = np.linspace(0, 1, H + 1)
    found = paths(rates(), patch=Intervention(deaths=shift, opposition=-shift))
    np.testing.assert_allclose(found.log2_deaths, np.tile(shift / np.log(2), (N, 1)), atol=1e-12)
    np.testing.assert_allclose(found.change[:, 12], 1.0)
    np.testing.assert_allclose(found.opposition, np.tile(-shift, (N, 1)), atol=1e-12)


# ---- on the bundled data


def test_doubling_the_economic_measures_since_2025_raises_their_simulated_arrivals() -> None:
    s = synthetic.origin_state()
    more = [
        e.model_copy(update={"id": f"{e.id}x", "same_act_as": ()})
        for e in s.data.events
        if e.kind == "measure" and e.channel == "economic" and e.date.month >= month("2025-01") and not e.same_act_as
    ]
    assert more
    k = STREAMS.index("measure.economic")

    def arrivals(events: tuple[Event, ...]) -> tuple[EventRates, float]:
        from forecast.model.hyperparameters import elasticity_priors

        fitted = fit_events(events, s.data.administrations, s.origin, s.drivers.log2_deaths, s.leverage.value, elasticity_priors(s.priors),
                            np.random.default_rng(1), {})  # fmt: skip
        pool = simulate_drivers(s.start, s.future, fitted, s.settings, s.data.calendar, Month(s.origin), 1)
        return fitted, float(pool.arrivals[..., k].mean())

    (_, once), (doubled, twice) = arrivals(s.data.events), arrivals((*s.data.events, *more))
    assert doubled.counts[k].sum() > s.rates.counts[k].sum()
    assert twice > 1.5 * once


def test_no_new_pressure_means_less_leverage() -> None:
    s = synthetic.origin_state()
    quiet = Intervention(
        rates={name: 0.0 for name in STREAMS if name.startswith(("threat", "measure")) or name in ("act", "demonstration")}
    )
    with_it, without = s.pool().leverage, s.pool(quiet).leverage
    assert without[:, 1:].mean() < with_it[:, 1:].mean() - 0.1
    assert (without[:, 1] <= with_it[:, 1] + 1e-12).all()  # before anything feeds back
