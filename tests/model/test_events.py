"""Model 4: which rows are arrivals of what, and a posterior that equals direct integration."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from forecast.data.event_groups import counting_rules, counts_towards, distinct_acts
from forecast.data.records import Administration, Event
from forecast.domain import FIRST_MONTH, month
from forecast.model.events import (
    COUNTED,
    STREAMS,
    ElasticityPriors,
    EventRates,
    arrivals,
    concession_memory,
    fit_events,
    is_concession,
    predictors,
    stream_of,
    window_start,
)
from tests.support.synthetic import ORIGIN, at, concession, data, event, opposition

N = ORIGIN - FIRST_MONTH + 1
ZERO = np.zeros(N)
WEAK = ElasticityPriors((0.1, 0.2), (0.2, 0.3), (0.2, 0.3))
NO_EFFECT = ElasticityPriors((0.0, 0.0), (0.0, 0.0), (0.0, 0.0))
RULES = counting_rules(data().questions)
TRUMP = (Administration(country="US", name="II", start="2025-02", end="2029-01", published="2024-12-17"),)  # type: ignore[arg-type]


def fitted(*events: Event, priors: ElasticityPriors = WEAK, deaths: np.ndarray = ZERO, pressure: np.ndarray = ZERO) -> EventRates:
    return fit_events(events, TRUMP, ORIGIN, deaths, pressure, priors, np.random.default_rng(3), RULES)


# ---- what is an arrival


def test_of_linked_rows_one_is_an_act() -> None:
    chain = [event("B1", "2025-03-05"), event("B2", "2025-03-01", same_act_as="B1"), event("B3", "2025-03-09", same_act_as="B2")]
    assert [e.id for e in distinct_acts(chain)] == ["B2"]
    decided = concession("A1", "2025-04-01", same_act_as="B3")
    assert [e.id for e in distinct_acts([*chain, decided])] == ["A1"]
    assert [e.id for e in distinct_acts([*chain, event("B4", "2025-01-01", same_act_as="B99")])] == ["B2", "B4"]


def test_concessions_are_one_a_month_and_episode() -> None:
    rows = [
        concession("A1", "2025-02-03", episode="border"),
        concession("A2", "2025-02-20", episode="border"),
        concession("A3", "2025-02-20", episode="handover"),
        concession("A4", "2025-03-01", episode="border"),
        concession("A5", "2025-03-01", direction="-", instrument="note", episode="border"),
        concession("A6", "2025-03-02"),
        concession("A7", "2025-03-03"),
    ]
    assert [e.id for e in arrivals(rows)] == ["A1", "A3", "A4", "A5", "A6", "A7"]
    assert [stream_of(e) for e in arrivals(rows)] == ["concession"] * 3 + [None] + ["concession"] * 2


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (event("B1", "2025-03-01", channel="economic"), "threat.economic"),
        (event("B1", "2025-03-01", kind="measure"), "measure.security"),
        (event("B1", "2025-03-01", kind="act"), "act"),
        (event("B1", "2025-03-01", kind="relaxation"), "relaxation"),
        (event("B1", "2025-03-01", kind="demonstration"), "demonstration"),
        (event("B1", "2025-03-01", kind="inducement"), None),
        (opposition("C1", "2025-03-01"), "mobilisation"),
        (opposition("C1", "2025-03-01", direction="-"), None),
        (concession("A1", "2025-03-01", role="context", direction="", instrument="hand_over"), "concession"),
        (concession("A1", "2025-03-01", direction="-", instrument="expulsion"), None),
        (event("D1", "2025-03-01", family="D", role="context", kind="", intensity=""), None),
    ],
)
def test_streams(row: Event, expected: str | None) -> None:
    assert stream_of(row) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (concession("A1", "2025-03-01", instrument="senate_vote_in"), ("senate-vote-in",)),
        (concession("A1", "2025-03-01", instrument="senate_vote_in", direction="-"), ()),
        (concession("A1", "2025-03-01", instrument="hand_over", count="20"), ("mass-hand-over",)),
        (concession("A1", "2025-03-01", instrument="hand_over", count="19"), ()),
        (event("B1", "2025-03-01", kind="measure", instrument="designation"), ("designation",)),
        (event("B1", "2025-03-01", kind="threat", instrument="designation"), ()),
        (event("B1", "2025-03-01", kind="measure", instrument="tariff"), ("new-tariff",)),
        (event("B1", "2025-03-01", kind="measure", instrument="tariff", same_act_as="B0"), ()),
    ],
)
def test_companion_counts(row: Event, expected: tuple[str, ...]) -> None:
    assert tuple(slug for slug in COUNTED if counts_towards(row, RULES[slug])) == expected


def test_memory_of_concessions_by_hand() -> None:
    found = concession_memory([concession("A1", "2020-01-31"), concession("A2", "2020-01-02"), concession("A3", "2020-04-01")], ORIGIN)
    assert found[at("2020-01")] == 1.0  # at most one a month
    assert found[at("2020-04")] == pytest.approx(1.5)
    assert found[at("2020-07")] == pytest.approx(0.75)


def test_the_window_begins_with_the_administration_or_the_one_before() -> None:
    us = data().administrations
    assert window_start(us, month("2026-06")) == month("2025-02")
    assert window_start(us, month("2026-01")) == month("2025-02")  # twelve months exactly
    assert window_start(us, month("2025-12")) == month("2021-02")
    assert window_start(us, month("2007-01")) == month("2006-02")  # the second month of the record at the earliest


def test_what_is_later_than_the_origin_is_not_counted() -> None:
    late = [event("B1", "2026-07-01"), concession("A1", "2026-07-01")]
    assert not fitted(*late).counts.any()


def test_opposition_to_what_mexico_granted_is_no_arrival() -> None:
    granted, asked = concession("X1", "2025-03-01"), event("X2", "2025-03-01")
    rows = [granted, asked, opposition("X3", "2025-03-02", caused_by="X1"), opposition("X4", "2025-03-02", caused_by="X2")]
    assert [e.id for e in arrivals(rows)] == ["X1", "X2", "X4"]


def test_a_companion_counts_every_act_also_two_of_one_episode_and_month() -> None:
    rows = [
        concession("A1", "2025-03-01", instrument="senate_vote_in", episode="one"),
        concession("A2", "2025-03-09", instrument="hand_over", count="25", episode="one"),
    ]
    found = fitted(*rows)
    assert found.counted.sum(1).tolist() == [1, 1, 0, 0]
    assert found.counts.sum() == 1  # one concession, though


# ---- the posterior


def test_without_elasticities_rates_are_conjugate() -> None:
    rows = [event(f"B{i}", f"2025-{m:02d}-10") for i, m in enumerate((2, 3, 3, 7))]
    found = fitted(*rows, priors=NO_EFFECT)
    months = ORIGIN - month("2025-02") + 1
    assert found.counts.sum() == 4
    for k, n in ((STREAMS.index("threat.security"), 4), (STREAMS.index("act"), 0)):
        assert stats.kstest(found.rate[:, k], stats.gamma(0.5 + n, scale=1 / (1 + months)).cdf).pvalue > 1e-3


def test_rates_and_an_elasticity_equal_direct_integration() -> None:
    """One stream, mobilisation, and the elasticity it alone informs (backlash): the posterior means by quadrature over both."""
    pressure = np.zeros(N)
    pressure[at("2025-06") :] = np.linspace(0.0, 2.0, N - at("2025-06"))
    rows = [
        opposition(f"C{i}", day)
        for i, day in enumerate(["2025-03-01", "2025-12-01", "2026-02-01", "2026-04-01", "2026-05-01", "2026-06-02"])
    ]
    only = ElasticityPriors((0.0, 0.0), (0.0, 0.0), (0.2, 0.5))
    found = fitted(*rows, priors=only, pressure=pressure)
    window = np.arange(at("2025-02"), N)
    centred = pressure[window - 1] - pressure[window].mean()
    counts = np.bincount([e.date.month - month("2025-02") for e in rows], minlength=len(window))

    rate, eta = np.linspace(1e-4, 3.0, 1500)[:, None], np.linspace(-2.5, 3.0, 800)[None, :]
    log_p = sum(stats.poisson.logpmf(n, rate * np.exp(eta * z)) for n, z in zip(counts, centred, strict=True))
    p = np.exp(log_p + stats.gamma.logpdf(rate, 0.5) + stats.norm.logpdf(eta, 0.2, 0.5))
    p /= p.sum()
    rate_mean, eta_mean = (rate * p).sum(), (eta * p).sum()
    eta_sd = ((eta - eta_mean) ** 2 * p).sum() ** 0.5
    k = STREAMS.index("mobilisation")
    assert found.eta[:, 2].mean() == pytest.approx(eta_mean, abs=4 * eta_sd / 1000**0.5)
    assert found.eta[:, 2].std() == pytest.approx(eta_sd, rel=0.1)
    assert found.rate[:, k].mean() == pytest.approx(rate_mean, rel=0.05)
    assert not found.eta[:, :2].any()


def test_doubled_counts_give_about_twice_the_rate() -> None:
    rows = [event(f"B{i}", f"2025-{m:02d}-10") for i, m in enumerate((2, 3, 5, 7, 9, 11))]
    twice = [*rows, *(event(f"B1{i}", e.date.text) for i, e in enumerate(rows))]
    once, more = (fitted(*r, priors=NO_EFFECT).rate[:, STREAMS.index("threat.security")].mean() for r in (rows, twice))
    assert more / once == pytest.approx(12.5 / 6.5, rel=0.05)


def test_predictors_by_hand() -> None:
    z = predictors(np.array([1.0]), np.array([2.0]), np.array([3.0]), np.array([[0.1, 0.2, 0.3]]))[0]
    asks, gives, meets = 0.1 - 0.4, 0.4, 0.9
    expected = {"act": asks, "relaxation": gives, "mobilisation": meets, "demonstration": 0.0, "concession": 0.0}
    for k, name in enumerate(STREAMS):
        assert z[k] == pytest.approx(expected.get(name, asks)), name


def test_centring_is_on_the_window() -> None:
    deaths, pressure = np.arange(N) / 100.0, (np.arange(N) / 100.0) ** 2
    found = fitted(concession("A1", "2025-02-02"), deaths=deaths, pressure=pressure)
    window = slice(at("2025-02"), N)
    fading = [2 ** (-k / 3) for k in range(N - at("2025-02"))]
    np.testing.assert_allclose(found.means, [deaths[window].mean(), np.mean(fading), pressure[window].mean()])


def test_marks_are_counts_of_the_window_and_twice_the_frequencies_of_all_years() -> None:
    found = fitted(
        event("B1", "2012-03-01", channel="economic", intensity="4"),
        event("B2", "2025-03-01", channel="economic", intensity="2"),
        event("B3", "2025-04-01", channel="security", intensity="2"),
        event("B4", "2026-04-01", channel="security", intensity="5"),
        event("B5", "2025-04-01", kind="act", channel="diplomatic", intensity="1"),
    )
    security = np.zeros((3, 5))
    security[2, [1, 3, 4]] = [1 + 2 * 2 / 4, 2 * 1 / 4, 1 + 2 * 1 / 4]  # intensities of a kind are shared over its channels
    np.testing.assert_allclose(found.marks["threat.security"], security)
    economic = np.zeros((3, 5))
    economic[0, [1, 3, 4]] = [1 + 2 * 2 / 4, 2 * 1 / 4, 2 * 1 / 4]
    np.testing.assert_allclose(found.marks["threat.economic"], economic)
    act = np.zeros((3, 5))
    act[1, 0] = 3.0
    np.testing.assert_allclose(found.marks["act"], act)
    assert not found.marks["demonstration"].any()


def test_relaxations_that_ended_a_measure_are_counted_over_all_years() -> None:
    rows = [e for e in data().events if e.kind == "relaxation"]
    found = fitted(*data().events)
    assert found.ended == (sum(len(e.ends) > 0 for e in rows), len(rows))
    assert found.ended == (4, 16)  # the Beta(5, 13) of the documentation


# ---- each record enters exactly one likelihood


def roles(rows: tuple[Event, ...], e: Event) -> set[str]:
    """The streams of model 4, over all years, whose counts change when a row keeps its place and its links but says nothing."""
    silent = e.model_copy(update={"role": "context", "kind": None, "direction": None, "instrument": "other"})

    def table(of: tuple[Event, ...]) -> Counter[str]:
        return Counter(s for act in arrivals(of) if (s := stream_of(act)))

    before, after = table(rows), table(tuple(silent if r.id == e.id else r for r in rows))
    return {s for s in before | after if before[s] != after[s]}


def test_each_record_enters_exactly_one_likelihood() -> None:
    """Every id followed. What an event can enter is a stream of model 4; levels come from claims, opposition from polls.

    An arrival of a stream enters that stream and no other, and every other row none; why it is none is known of each. Companion counts
    and answers are tallies of the same acts for questions of their own, with rates of their own that feed nothing: they are exempt. No
    event is read for a level: see the next test.
    """
    rows = data().events
    acts, family = {e.id: e for e in arrivals(rows)}, {e.id: e.family for e in rows}

    def same_act(e: Event) -> bool:
        return bool(e.same_act_as) or any(e.id in other.same_act_as for other in rows)

    def same_episode(e: Event) -> bool:
        return any(o.id != e.id and is_concession(o) and o.episode == e.episode != "" and o.date.month == e.date.month for o in rows)

    why = Counter[str]()
    for e in rows:
        entered, own = roles(rows, e), stream_of(e)
        if own is None:
            assert not entered, e.id
            why["none: context, claims, refusals, silence"] += 1
        elif e.id in acts and not (own == "concession" and same_episode(e)):
            assert entered == {own}, e.id
            why[own] += 1
        else:
            assert not entered, e.id
            answers_mexico = own == "mobilisation" and any(family.get(cause) == "A" for cause in e.caused_by)
            assert same_act(e) or answers_mexico or same_episode(e), e.id
            why["none: the act, episode or cause of another row"] += 1
    assert sum(why.values()) == len(rows) == len(family)
    assert why["mobilisation"] > 0
    assert why["none: the act, episode or cause of another row"] > 0
    counted = [e for e in acts.values() if any(counts_towards(e, RULES[slug]) for slug in COUNTED)]
    assert all(map(stream_of, counted))  # a companion's acts are acts of a stream


def test_levels_are_read_from_claims_alone_and_every_basis_is_a_record_of_what_mexico_did() -> None:
    from forecast.data.outcome import claims_in_force, main_levels

    tau, months = data().coverage["outcome_claims.csv"], range(FIRST_MONTH, ORIGIN + 1)
    bare = replace(data(), events=())
    np.testing.assert_array_equal(main_levels(bare.claims, tau, months), main_levels(data().claims, tau, months))
    assert len(claims_in_force(data().claims, tau, months)) == len(months)  # one claim a month
    family = {e.id: e.family for e in data().events}
    assert all(family[i] in "AC" for c in data().claims for i in c.basis_ids if i in family)


def test_an_answer_is_tallied_even_where_another_row_stands_for_the_act() -> None:
    """Washington's words keep their answer when they are one act with a row of another family."""
    rows = [event("B1", "2025-05-05", answers="insufficient"), concession("A1", "2025-05-05", same_act_as="B1")]
    assert fitted(*rows).answers.sum() == 1
