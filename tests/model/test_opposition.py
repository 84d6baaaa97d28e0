"""Model 3 against dense algebra, quadrature and SciPy; how polls are read; and mobilisation by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.stats import halfnorm, multivariate_normal

from forecast.arrays.gaussian import Gaussian
from forecast.data.coding_rules import opposed_share
from forecast.data.read import read_table
from forecast.data.records import Event, Poll
from forecast.domain import FIRST_MONTH, month
from forecast.errors import ForecastError
from forecast.model.opposition import fit_opposition, leave_out, mobilisation, mobilisation_scale
from forecast.model.opposition_marginal import OppositionPriors, PollDesign, moments
from forecast.model.poll_shares import FIRST_KNOT, PollShare, field_month, poll_shares
from forecast.model.tolerance_data import LOGIT_60
from forecast.priors.distributions import HalfNormal
from forecast.priors.load import load_priors

ROOT = Path(__file__).parents[2]
ORIGIN = month("2010-06")


@dataclass(frozen=True)
class Exactly:
    """A prior that is sure, so that only the Gaussian part is left."""

    value: float

    def sample(self, rng: np.random.Generator, size: int) -> np.ndarray:
        return np.full(size, self.value)


def priors(walk: Any = Exactly(0.1), house: float = 0.3, noise: float = 0.2, slope: float = 0.7) -> OppositionPriors:
    return OppositionPriors(
        (walk, Exactly(house), Exactly(noise), Exactly(slope)), (0.6, 0.5), (-1.0, 0.7), ((0.5, 0.5), (-1.0, 0.4), (-0.3, 0.5))
    )


def poll(name: str, when: str, wording: str = "force_unqualified", **other: Any) -> Poll:
    row = {
        "poll_id": name,
        "topic": wording,
        "wording": wording,
        "pollster": "House",
        "field_start": when,
        "field_end": when,
        "published": "2026-06-30",
        "published_basis": "source",
        "n": 1000,
        "opposed_pct": 60.0,
        "in_favour_pct": 40.0,
        "other_pct": None,
        "use": "yes",
        "why_not": "",
        "source": "a source",
        "url": "",
        "confidence": "high",
        "question": "a question",
    }
    return Poll(**(row | other))


SOME = (
    poll("a", "2007-06", opposed_pct=77.0, in_favour_pct=22.0),
    poll("b", "2008", "favourability", opposed_pct=40.0, in_favour_pct=55.0, pollster="Other", n=None),
    poll("c", "2009-02-10", "force_coordinated", opposed_pct=None, in_favour_pct=65.0, topic="force_unqualified"),
    poll("d", "2010-05", "agents", opposed_pct=45.0, in_favour_pct=None, pollster="Other"),
    poll("e", "2010-05", "favourability", opposed_pct=30.0, in_favour_pct=60.0, pollster="Other", n=None),
)


def transformed(normal: Gaussian, matrix: np.ndarray) -> Gaussian:
    """The normal of `matrix` @ z."""
    return Gaussian(matrix @ normal.mean, matrix @ normal.cov @ matrix.T)


def dense(rows: tuple[PollShare, ...], walk: float, house: float, noise: float, slope: float) -> tuple[Gaussian, np.ndarray, np.ndarray]:
    """Prior of (d by quarter, τ × 3, m_f, r by house), design and noise of the polls, written out poll by poll."""
    knots = (ORIGIN - FIRST_KNOT) // 3 + 2
    houses = sorted({(r.pollster, r.topic) for r in rows})
    size = knots + 4 + len(houses)
    cov = np.zeros((size, size))
    for i in range(knots):
        for j in range(knots):
            cov[i, j] = 0.5**2 + walk**2 * min(i, j)
    mean = np.r_[np.full(knots, 0.6), 0.5, -1.0, -0.3, -1.0, np.zeros(len(houses))]
    cov[knots:, knots:] = np.diag([0.25, 0.16, 0.25, 0.49, *[house**2] * len(houses)])
    design, offset = np.zeros((len(rows), size)), np.zeros(len(rows))
    for i, r in enumerate(rows):
        k, part = divmod(r.month - FIRST_KNOT, 3)
        d = np.zeros(size)
        d[k], d[k + 1] = 1 - part / 3, part / 3
        if r.wording == "favourability":
            design[i] = slope * d
            design[i, knots + 3] = 1.0
            offset[i] = -slope * LOGIT_60
        else:
            design[i] = d
            if r.wording != "unqualified":
                design[i, knots + ("unilateral", "coordinated", "agents").index(r.wording)] = 1.0
        design[i, knots + 4 + houses.index((r.pollster, r.topic))] = 1.0
    noises = np.diag([1.5 / (r.n * r.share * (1 - r.share)) + noise**2 for r in rows])
    return Gaussian(mean, cov), np.column_stack([design, offset]), noises


def test_likelihood_is_that_of_scipy() -> None:
    rows = poll_shares(SOME, ORIGIN)
    algebra = PollDesign.of(rows, priors())
    hyper = np.array([[0.1, 0.3, 0.2, 0.7], [0.4, 0.05, 0.5, -0.2]])
    expected = []
    for walk, house, noise, slope in hyper:
        prior, design, noises = dense(rows, walk, house, noise, slope)
        h, offset = design[:, :-1], design[:, -1]
        y = np.array([np.log(r.share / (1 - r.share)) for r in rows])
        expected.append(multivariate_normal(h @ prior.mean + offset, h @ prior.cov @ h.T + noises).logpdf(y))
    assert_allclose(algebra.log_likelihood(hyper), expected, rtol=1e-10)


def test_moments_are_those_of_dense_conditioning() -> None:
    rows = poll_shares(SOME, ORIGIN)
    fit = fit_opposition(SOME, ORIGIN, priors(), np.random.default_rng(0), 3)
    prior, design, noises = dense(rows, 0.1, 0.3, 0.2, 0.7)
    y = np.array([r.logit for r in rows])
    after = prior.condition(design[:, :-1], y - design[:, -1], noises)
    k, part = divmod(ORIGIN - FIRST_KNOT, 3)
    now = np.zeros((1, len(after.mean)))
    now[0, k], now[0, k + 1] = 1 - part / 3, part / 3
    assert fit.mean[-1] == pytest.approx(transformed(after, now).mean[0])
    assert fit.sd[-1] == pytest.approx(transformed(after, now).sd[0])
    knots = k + 2
    by_name = {s.name: s for s in fit.summaries}
    for i, name in enumerate(("wording.unilateral", "wording.coordinated", "wording.agents", "favourability_intercept")):
        assert (by_name[name].mean, by_name[name].sd) == pytest.approx((after.mean[knots + i], after.sd[knots + i]))
    for i, (pollster, topic) in enumerate(sorted({(r.pollster, r.topic) for r in rows})):
        house = by_name[f"house.{pollster}: {topic}"]
        assert (house.mean, house.sd) == pytest.approx((after.mean[knots + 4 + i], after.sd[knots + 4 + i]))
    assert_allclose([f.fitted for f in fit.fits], design[:, :-1] @ after.mean + design[:, -1])


def test_weights_integrate_over_the_walk_as_quadrature_does() -> None:
    rows = poll_shares(SOME, ORIGIN)
    algebra = PollDesign.of(rows, priors())
    fit = fit_opposition(SOME, ORIGIN, priors(walk=HalfNormal(0.15)), np.random.default_rng(1), 4000)

    def posterior(walk: float, power: int) -> float:
        hyper = np.array([[walk, 0.3, 0.2, 0.7]])
        return float(np.exp(algebra.log_likelihood(hyper)[0]) * halfnorm(scale=0.15).pdf(walk) * walk**power)

    mean = quad(posterior, 0, 1.2, args=(1,), epsabs=0)[0] / quad(posterior, 0, 1.2, args=(0,), epsabs=0)[0]
    found = fit.summaries[0]
    assert found.name == "walk_sd"
    assert found.mean == pytest.approx(mean, abs=4 * found.sd / np.sqrt(fit.effective))


@pytest.mark.parametrize("sds", [(0.3, 0.3), (0.02, 0.02)], ids=["as bundled", "priors far narrower than the polls are apart"])
def test_two_spreads_integrate_as_quadrature_does(sds: tuple[float, float]) -> None:
    """Pollsters' and polls' sds sampled, the others fixed: means, sds and d at the origin against a dense grid."""
    noisy = tuple(poll(f"{i}", f"200{i % 9 + 1}-03", opposed_pct=100 * p, in_favour_pct=100 - 100 * p, pollster=f"House {i % 3}")
                  for i, p in enumerate((0.2, 0.85, 0.5, 0.9, 0.3, 0.7, 0.55, 0.4)))  # fmt: skip
    loose = replace(priors(), hyper=(Exactly(0.1), HalfNormal(sds[0]), HalfNormal(sds[1]), Exactly(0.7)))
    fit = fit_opposition(noisy, ORIGIN, loose, np.random.default_rng(2))
    algebra = PollDesign.of(poll_shares(noisy, ORIGIN), loose)
    axis = np.linspace(0.0, 1.0, 401)[1:] - 0.5 / 400
    axes = [axis * (2.0 if sd > 0.1 else 0.8) for sd in sds]
    house, noise = (g.ravel() for g in np.meshgrid(*axes, indexing="ij"))
    hyper = np.column_stack([np.full(house.size, 0.1), house, noise, np.full(house.size, 0.7)])
    log_p = algebra.log_likelihood(hyper) + halfnorm(scale=sds[0]).logpdf(house) + halfnorm(scale=sds[1]).logpdf(noise)
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    assert fit.k_hat < 0.7
    assert fit.effective > 1000
    for found, values in ((fit.summaries[1], house), (fit.summaries[2], noise)):
        mean = p @ values
        sd = np.sqrt(p @ (values - mean) ** 2)
        assert found.mean == pytest.approx(mean, abs=4.5 * sd / np.sqrt(fit.effective))
        assert found.sd == pytest.approx(sd, rel=0.12)
    some = np.random.default_rng(0).choice(p.size, 4000, p=p)
    now = moments(algebra, hyper[some], np.full(4000, 1 / 4000), ORIGIN).means[:, -1 - (4 + algebra.house.shape[1])]
    assert fit.mean[-1] == pytest.approx(now.mean(), abs=4.5 * now.std() * np.sqrt(1 / 4000 + 1 / fit.effective))


def test_what_the_other_polls_say_of_one_is_the_fit_without_it() -> None:
    fit = fit_opposition(SOME, ORIGIN, priors(), np.random.default_rng(0), 3)
    rows = poll_shares(SOME, ORIGIN)
    prior, design, noises = dense(rows, 0.1, 0.3, 0.2, 0.7)
    y, kept = np.array([r.logit for r in rows]), np.arange(len(rows)) != 1
    others = prior.condition(design[kept, :-1], (y - design[:, -1])[kept], noises[np.ix_(kept, kept)])
    there = transformed(others, design[[1], :-1])
    assert fit.fits[1].predicted == pytest.approx(there.mean[0] + design[1, -1])
    assert fit.fits[1].predicted_sd == pytest.approx(np.sqrt(there.cov[0, 0] + noises[1, 1]))


def test_influence_is_what_a_poll_does() -> None:
    fit = fit_opposition(SOME, ORIGIN, priors(), np.random.default_rng(0), 2)
    algebra = fit.polls
    shift = np.zeros(len(algebra.y))
    shift[2] = 1e-3
    moved = moments(replace(algebra, y=algebra.y + shift), fit.hyper, fit.weights, ORIGIN).means[0, ORIGIN - FIRST_MONTH]
    assert (moved - fit.mean[-1]) / 1e-3 == pytest.approx(fit.fits[2].influence)


def test_draws_have_the_moments_and_go_on_as_a_walk() -> None:
    n = 20_000
    fit = fit_opposition(SOME, ORIGIN, priors(), np.random.default_rng(0), 3)
    drawn = fit.draws(np.random.default_rng(5), n)
    assert drawn.d.shape == (n, ORIGIN + 24 - FIRST_MONTH + 1)
    assert np.abs((drawn.d[:, : len(fit.mean)].mean(0) - fit.mean) / fit.sd).max() < 4.5 / np.sqrt(n)
    assert_allclose(drawn.d[:, : len(fit.sd)].std(0), fit.sd, rtol=0.03)
    coordinated = next(s for s in fit.summaries if s.name == "wording.coordinated")
    assert drawn.wording[:, 1].mean() == pytest.approx(coordinated.mean, abs=5 * coordinated.sd / np.sqrt(n))
    knots = drawn.d[:, month("2010-07") - FIRST_MONTH :: 3]  # knots beyond the last poll: steps of sd σ_d
    assert_allclose(np.diff(knots, axis=1).std(0), 0.1, rtol=0.03)
    middle = drawn.d[:, month("2011-01") - FIRST_MONTH : month("2011-04") - FIRST_MONTH + 1]
    assert_allclose(middle[:, 1], (2 * middle[:, 0] + middle[:, 3]) / 3)


def test_more_opposed_means_more_opposition() -> None:
    means = [
        fit_opposition(
            (*SOME, poll("f", "2010-04", opposed_pct=share, in_favour_pct=100 - share)), ORIGIN, priors(), np.random.default_rng(0), 2
        ).mean[-1]
        for share in (30.0, 50.0, 80.0)
    ]
    assert means == sorted(means)
    assert means[2] - means[0] > 0.1


def test_missing_sides_and_sizes() -> None:
    assert opposed_share(62.0, 37.0) == pytest.approx(62 / 99)
    assert opposed_share(None, 61.03) == pytest.approx(1 - 0.6103 / 0.94)
    assert opposed_share(80.0, None) == pytest.approx(0.80 / 0.94)
    assert opposed_share(None, None) is None
    assert opposed_share(0.0, 0.0) is None
    (row,) = poll_shares([poll("x", "2010-01", n=None, opposed_pct=99.0, in_favour_pct=None)], ORIGIN)
    assert (row.n, row.n_assumed, row.side_assumed) == (600, True, True)
    assert row.share == 1 - 0.5 / 600  # never beyond what half a respondent leaves
    assert row.sampling_variance == pytest.approx(1.5 / (600 * row.share * (1 - row.share)))


def test_a_poll_is_dated_by_the_middle_of_its_field() -> None:
    assert field_month(poll("year", "2002")) == month("2002-07")
    assert field_month(poll("month", "2011-03")) == month("2011-03")
    assert field_month(poll("span", "2011-03-22", field_end="2011-04-07")) == month("2011-03")
    assert field_month(poll("span", "2017-03", field_end="2017-06")) == month("2017-04")


def test_only_usable_polls_by_the_origin_enter_each_once() -> None:
    rows = poll_shares(
        [*SOME, poll("no", "2010-01", use="no"), poll("late", "2010-07"), poll("other", "2010-01", "other"), poll("old", "1999-01")], ORIGIN
    )
    assert [r.poll_id for r in rows] == ["a", "b", "c", "d", "e"]
    assert poll_shares(SOME[::-1], ORIGIN) == rows
    with pytest.raises(ForecastError):
        fit_opposition([poll("late", "2010-07")], ORIGIN, priors(), np.random.default_rng(0), 2)


@pytest.mark.slow
def test_bundled_polls_move_the_answer_by_more_than_its_error() -> None:
    polls, _ = read_table(ROOT / "data" / Poll.file, Poll)
    cases = leave_out(polls.rows, month("2026-06"), OppositionPriors.of(load_priors(ROOT / "priors")), seed=1, size=2000)
    by_label = {case.label: case for case in cases}
    full, without = by_label["all polls"], by_label["without force polls of 2026-01"]
    assert abs(full.mean - without.mean) > 4 * np.hypot(full.mcse, without.mcse)
    pulled = by_label["without cripeso-2026-01:troops"]  # the poll at 61 % in favour pulls hardest, and down
    assert pulled.mean > full.mean + 4 * np.hypot(full.mcse, pulled.mcse)
    assert 0.3 < full.mean < 1.1
    assert 0.15 < full.sd < 0.45


def event(name: str, when: str, family: str = "C", **other: Any) -> Event:
    row = {
        "id": name,
        "date": when,
        "published": when,
        "family": family,
        "role": "opposition",
        "channel": "political",
        "instrument": "",
        "kind": "",
        "intensity": 3,
        "count": "",
        "direction": "+",
        "operation_level": "",
        "until": "",
        "ends": "",
        "answers": "",
        "episode": "",
        "caused_by": "",
        "same_act_as": "",
        "disputed": "no",
        "evidence": "source_read",
        "confidence": "high",
        "source": "s",
        "url": "",
        "description": "d",
    }
    return Event(**(row | other))


def test_mobilisation_remembers_the_strongest_of_a_month() -> None:
    events = [
        event("C1", "2020-01-05", intensity=1),
        event("C2", "2020-01-20", intensity=4),
        event("C3", "2020-03-01", intensity=1),
        event("C4", "2020-02-01", intensity=5, direction="-"),
    ]
    found = mobilisation(events, range(month("2019-12"), month("2020-06")))
    log5, keep = np.log(5.0), 2 ** (-1 / 3)
    assert_allclose(found, [0, log5, log5 * keep, max(log5 * keep**2, np.log(2)), log5 * keep**3, log5 * keep**4])
    assert_allclose(mobilisation(events, range(month("2020-03"), month("2020-06")), 2.0), found[3:] / 2)
    assert mobilisation_scale(events, month("2020-01"), month("2020-02")) == pytest.approx((log5 + log5 * keep) / 2)


def test_mobilisation_leaves_out_answers_to_grants_and_acts_told_twice() -> None:
    months = range(month("2020-01"), month("2020-03"))
    grant, threat = event("A1", "2020-01-01", "A"), event("B1", "2020-01-01", "B")
    to_grant, to_threat = (event(f"C{i}", "2020-01-02", intensity=i, caused_by=cause) for i, cause in ((5, "A1"), (2, "B1")))
    assert mobilisation([grant, threat, to_grant, to_threat], months)[0] == pytest.approx(np.log(3.0))
    told_twice = [grant, event("C1", "2020-02-01", same_act_as="A1")]
    assert mobilisation(told_twice, months).max() == 0
    retold = [event("C1", "2020-01-02", intensity=2), event("C2", "2020-02-02", intensity=5, same_act_as="C1")]
    assert mobilisation(retold, months)[0] == pytest.approx(np.log(3.0))
    assert mobilisation(retold, months)[1] < np.log(3.0)
