"""Model 2 against an independent Kalman smoother, against what was put in, and in its use of records."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from forecast.arrays.gaussian import Gaussian
from forecast.data.read import read_table
from forecast.data.records import OverdoseFinal, OverdoseRelease
from forecast.domain import PartialDate, month, month_of, month_text
from forecast.errors import ForecastError
from forecast.model import overdose
from forecast.model.overdose import START, fit_overdose, totals_used


def final(m: int, deaths: float, published: str = "2027-12-31") -> OverdoseFinal:
    return OverdoseFinal(month=m, series="deaths_synthetic_opioids", deaths=deaths, published=published)


def release(published: str, period_end: int, reported: float | None, predicted: float | None = None) -> OverdoseRelease:
    return OverdoseRelease(
        published=published,
        period_end=period_end,
        indicator="synthetic_opioids",
        reported=reported,
        predicted=predicted,
        percent_pending=None,
    )


def made(months: int, seed: int = 1) -> np.ndarray:
    """A smooth made-up path of log deaths."""
    t = np.arange(months)
    return 6.0 + 0.012 * t + 0.3 * np.sin(t / 15) + 0.02 * np.random.default_rng(seed).standard_normal(months)


def finals_of(log_deaths: np.ndarray) -> list[OverdoseFinal]:
    return [final(START + i, float(np.exp(x))) for i, x in enumerate(log_deaths)]


def smoothed(log_deaths: np.ndarray, seen: int) -> tuple[np.ndarray, np.ndarray]:
    """x and its sd by a Kalman filter and a Rauch–Tung–Striebel smoother on (x, v, season), written for this test alone."""
    n = 14
    step, shock = np.eye(n), np.zeros((n, n))
    step[0, 1] = step[1, 1] = 0.95  # x' = x + v', v' = .95 v + shock
    shock[0, 0] = 0.02**2 + 0.012**2
    shock[0, 1] = shock[1, 0] = shock[1, 1] = 0.012**2
    m, p = np.zeros(n), np.zeros((n, n))
    m[0], p[0, 0], p[1, 1] = 6.0, 9.0, 0.01
    p[2:, 2:] = 0.03**2 * (np.eye(12) - 1 / 12)
    filtered, predicted = [], []
    for t in range(len(log_deaths)):
        if t:
            m, p = step @ m, step @ p @ step.T + shock
        predicted.append((m, p))
        if t < seen:
            h = np.zeros(n)
            h[0] = h[2 + t % 12] = 1.0
            k = p @ h / (h @ p @ h + 0.02**2)
            m, p = m + k * (log_deaths[t] - h @ m), p - np.outer(k, h @ p)
        filtered.append((m, p))
    out = [filtered[-1]]
    for t in range(len(log_deaths) - 2, -1, -1):
        (m, p), (m1, p1) = filtered[t], predicted[t + 1]
        gain = p @ step.T @ np.linalg.pinv(p1, rcond=1e-12)
        m2, p2 = out[-1]
        out.append((m + gain @ (m2 - m1), p + gain @ (p2 - p1) @ gain.T))
    out.reverse()
    return np.array([m[0] for m, _ in out]), np.sqrt([p[0, 0] for _, p in out])


def test_final_counts_alone_give_what_a_kalman_smoother_gives() -> None:
    log_deaths = made(60)
    fit = fit_overdose(finals_of(log_deaths)[:50], (), START + 59)
    mean, sd = smoothed(log_deaths, seen=50)
    assert_allclose(fit.mean, mean, atol=1e-7)
    assert_allclose(fit.sd, sd, rtol=1e-5)
    assert fit.last_final == START + 49


def test_future_goes_on_as_the_recursion_says() -> None:
    log_deaths = made(60)
    origin = START + 59
    fit = fit_overdose(finals_of(log_deaths), (), origin)
    later = fit_overdose(finals_of(log_deaths), (), origin + 24)  # the same recursion, by algebra
    paths = fit.paths(np.random.default_rng(3), 40_000)
    assert paths.shape == (40_000, 37)
    error = later.sd[-37:] / np.sqrt(40_000)
    assert np.all(np.abs(paths.mean(axis=0) - later.mean[-37:]) < 4.5 * error)
    assert_allclose(paths.std(axis=0), later.sd[-37:], rtol=0.02)
    assert fit.paths(np.random.default_rng(3), 5, horizon=3, history=2).shape == (5, 6)


def test_totals_are_found_again_at_the_mode() -> None:
    """At the fixed point the gradient of the exact log posterior, total not linearised, is zero in every direction."""
    log_deaths = made(60)
    ends = [START + 50, START + 53, START + 56]
    sums = [float(np.exp(log_deaths[i - START - 11 : i - START + 1]).sum()) for i in ends]
    rows = [release("2010-01-15", e, s * 0.97, s * 1.03) for e, s in zip(ends, sums, strict=True)]
    fit = fit_overdose(finals_of(log_deaths)[:48], rows, START + 59)
    prior = overdose.joint_prior(fit.layout)
    totals = fit.totals
    observed = np.log([t.deaths for t in totals])
    noise = np.linalg.inv(overdose.total_noise(totals))
    biases = overdose.bias_design(fit.layout, totals)

    def log_posterior(z: np.ndarray) -> float:
        x, season = z[fit.layout.x], z[fit.layout.season]
        seen = x[:48] + season[np.arange(48) % 12] - log_deaths[:48]
        summed = [np.log(sum(np.exp(x[t.period_end - START - i] + season[(t.period_end - i) % 12]) for i in range(12))) for t in totals]
        residual = observed - np.array(summed) - biases @ z
        return float(-0.5 * (seen**2).sum() / 0.02**2 - 0.5 * residual @ noise @ residual)

    rng = np.random.default_rng(0)
    root = np.linalg.cholesky(prior.cov + 1e-12 * np.eye(len(prior.mean)))
    white = np.linalg.solve(root, fit.joint.mean - prior.mean)
    for _ in range(20):  # along prior directions u, log p(z0 + root w) − |w|²/2 must be level at the mode
        u = rng.standard_normal(len(white))
        u /= np.linalg.norm(u)
        step = 1e-5
        up, down = (log_posterior(fit.joint.mean + sign * step * root @ u) for sign in (1, -1))
        slope = (up - down) / (2 * step) - white @ u
        assert abs(slope) < 2e-3 * (1 + abs(white @ u))


def test_only_months_up_to_the_origin_count() -> None:
    finals = finals_of(made(60))
    early = fit_overdose(finals, [release("2012-01-31", START + 58, 9_999)], START + 40)
    again = fit_overdose(finals[:41], (), START + 40)
    assert_allclose(early.mean, again.mean)
    assert early.totals == ()


def test_settled_totals_enter_once_and_young_ones_from_each_release() -> None:
    end = month("2015-06")
    rows = [
        release("2015-12-15", end, 100, 110),  # age 6
        release("2016-03-15", end, 105, 109),  # age 9
        release("2016-12-15", end, 107, 108),  # settled
        release("2017-12-15", end, 107, 107.5),  # settled, newer
    ]
    used = totals_used(rows, month("2018-01"))
    assert [(t.kind, t.release, t.age) for t in used] == [
        ("predicted", date(2015, 12, 15), 6),
        ("predicted", date(2016, 3, 15), 9),
        ("predicted", date(2017, 12, 15), 30),
        ("reported", date(2015, 12, 15), 6),
        ("reported", date(2016, 3, 15), 9),
        ("reported", date(2017, 12, 15), 30),
    ]
    assert totals_used(rows[::-1], month("2018-01")) == used  # the order of the file means nothing
    assert totals_used(rows, month("2015-05")) == ()


def test_a_total_repeated_is_not_learnt_twice() -> None:
    end = month("2015-06")
    rows = [release("2015-12-15", end, 100, 110), release("2016-01-15", end, 100), release("2016-01-15", end + 6, 100)]
    totals = totals_used(rows, month("2018-01"))
    assert [(t.kind, t.period_end - end) for t in totals] == [("predicted", 0), ("reported", 0), ("reported", 0), ("reported", 6)]
    noise = overdose.total_noise(totals) / 0.01**2
    assert_allclose(noise, [[1, 0, 0, 0], [0, 1, 0.5, 0.25], [0, 0.5, 1, 0.25], [0, 0.25, 0.25, 1]])


def test_biases_are_told_apart_by_kind_and_age() -> None:
    """Made-up releases: totals five months old are reported 3 % short and predicted 2 % over, and settle at the truth."""
    log_deaths = made(120)
    totals = {START + i: float(np.exp(log_deaths[i - 11 : i + 1]).sum()) for i in range(11, 120)}
    rows = []
    for i in range(60, 110, 6):
        published = PartialDate.parse(f"{month_text(START + i + 5)}-20")
        rows.append(release(str(published), START + i, totals[START + i] * np.exp(-0.03), totals[START + i] * np.exp(0.02)))
    fit = fit_overdose(finals_of(log_deaths), rows, START + 119)
    assert fit.bias("reported").mean[1] == pytest.approx(-0.03, abs=0.006)
    assert fit.bias("predicted").mean[1] == pytest.approx(0.02, abs=0.006)
    assert fit.bias("reported").mean[8] == pytest.approx(-0.02)  # nothing of that age was seen
    assert abs(fit.season.mean.sum()) < 1e-9


def test_more_deaths_reported_mean_more_deaths() -> None:
    log_deaths = made(60)
    fits = [
        fit_overdose(finals_of(log_deaths)[:48], [release("2010-01-15", START + 55, deaths)], START + 59) for deaths in (9_000.0, 9_900.0)
    ]
    assert fits[1].mean[-1] > fits[0].mean[-1]


def test_nothing_known_is_an_error() -> None:
    with pytest.raises(ForecastError):
        fit_overdose((), (), month("2020-01"))


def test_total_by_residence_leaves_out_the_drift() -> None:
    log_deaths = made(60)
    fit = fit_overdose(finals_of(log_deaths), (), START + 59)
    end = START + 55
    resident, _ = fit.log_totals([end], resident=True)
    assert resident[0] == pytest.approx(np.log(np.exp(log_deaths[44:56]).sum()), abs=0.01)
    occurring, sd = fit.log_totals([end])
    assert occurring[0] - resident[0] == pytest.approx(fit.joint.mean[fit.layout.residence][(end // 12) - 2005])
    assert sd[0] > 0


def test_bundled_data_give_a_fit_that_agrees_with_the_newest_release() -> None:
    data = Path(__file__).parents[2] / "data"
    finals, _ = read_table(data / OverdoseFinal.file, OverdoseFinal)
    releases, _ = read_table(data / OverdoseRelease.file, OverdoseRelease)
    fit = fit_overdose(finals.rows, releases.rows, month("2026-06"))
    assert fit.iterations < 12
    assert fit.sd[month("2024-06") - START] < 0.02
    assert fit.sd[-1] > 0.1
    newest = max(fit.totals, key=lambda t: (t.release, t.period_end))
    rows = [t for t in fit.totals if t.release == newest.release and t.young]
    means, sds = fit.log_totals([t.period_end for t in rows])
    bias = np.array([fit.bias(t.kind).mean[t.age - 4] for t in rows])
    z = (np.log([t.deaths for t in rows]) - means - bias) / np.hypot(sds, 0.01)
    assert np.abs(z).max() < 3


def test_the_past_was_nowcast_better_than_by_the_totals_as_published() -> None:
    """For each release at hand, fitted with what was public then: the newest total against what it has become since."""
    data = Path(__file__).parents[2] / "data"
    finals, _ = read_table(data / OverdoseFinal.file, OverdoseFinal)
    releases, _ = read_table(data / OverdoseRelease.file, OverdoseRelease)
    rows = [row for row in releases.rows if row.indicator == "synthetic_opioids"]
    newest = max(row.published for row in rows)
    settled = {row.period_end: row.reported for row in rows if row.published == newest}
    errors = []
    for published in sorted({row.published for row in rows}):
        last = max((row for row in rows if row.published == published), key=lambda row: row.period_end)
        truth = settled[last.period_end]
        if last.period_end + 12 > month_of(newest.last) or not truth:
            continue
        then = [[row for row in table if row.published.last <= published.last] for table in (finals.rows, rows)]
        mean, _ = fit_overdose(then[0], then[1], month_of(published.last) - 1).log_totals([last.period_end])  # type: ignore[arg-type]
        errors.append([mean[0] - np.log(truth), np.log(last.reported / truth), np.log((last.predicted or np.nan) / truth)])
    table = np.array(errors)
    model, reported, predicted = np.sqrt(np.nanmean(table**2, axis=0))
    assert len(table) == 7
    assert model < 0.6 * min(reported, predicted)


def test_given_matches_a_density_ratio() -> None:
    """Conditioning against Bayes' rule with SciPy's normal densities on a grid of one dimension."""
    from scipy.stats import multivariate_normal

    prior = Gaussian(np.array([0.3, -0.2]), np.array([[1.0, 0.4], [0.4, 0.5]]))
    design, noise, value = np.array([[1.0, 2.0]]), np.array([[0.3]]), np.array([0.9])
    after = prior.condition(design, value, noise)
    z = np.array([[0.1, 0.2], [-0.5, 0.8], [1.2, -0.3]])
    joint = multivariate_normal(prior.mean, prior.cov).logpdf(z) + multivariate_normal(0.0, 0.3).logpdf(value[0] - z @ design[0])
    ratio = joint - multivariate_normal(after.mean, after.cov).logpdf(z)
    assert_allclose(ratio, ratio[0])  # the evidence, the same everywhere
    assert ratio[0] == pytest.approx(multivariate_normal(design @ prior.mean, design @ prior.cov @ design.T + noise).logpdf(value))
