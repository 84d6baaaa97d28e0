"""Model 2: monthly deaths from synthetic opioids, from final counts and provisional twelve-month totals.

    x_t = x_{t−1} + v_t + N(0, .02²)      v_t = .95 v_{t−1} + N(0, .012²)              x: log monthly deaths without season
    final:        log y_t = x_t + season + N(0, .02²)                                   season: twelve effects that sum to zero
    provisional:  log Y   = log Σ₁₂ e^{x + season} + b(kind, age) + o(year) + error

Everything but the sum is linear and Gaussian, so the mode is found by linearising the sum repeatedly (Gauss–Newton), with dense algebra.
docs/overdose.md explains each term, and which releases enter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from forecast import domain
from forecast.arrays.gaussian import Gaussian
from forecast.data.records import OverdoseFinal, OverdoseRelease
from forecast.errors import ForecastError, GateError
from forecast.typing import Floats

type Kind = Literal["reported", "predicted"]

START: Final = domain.month("2005-01")
LEVEL_SD: Final = 0.02
VELOCITY_SD: Final = 0.012
DAMPING: Final = 0.95
FINAL_SD: Final = 0.02
SEASON_SD: Final = 0.03
TOTAL_SD: Final = 0.01
RESIDENCE_SD: Final = 0.003
FIRST_RESIDENCE_SD: Final = 0.01
YOUNG: Final = range(4, 13)
"""Ages (months from the end of the period to publication) at which a total is still incomplete."""

_FIRST_LEVEL = (6.0, 3.0)
_FIRST_VELOCITY_SD = 0.1
_BIAS: Final[dict[Kind, tuple[float, float]]] = {"reported": (-0.02, 0.02), "predicted": (0.02, 0.015)}
_SETTLED_BIAS = (0.025, 0.015)
_YEAR = 12


@dataclass(frozen=True, slots=True)
class Total:
    """One provisional total that enters the likelihood.

    period_end  last of its twelve months
    kind        reported or predicted
    release     day of the release that first published it
    age         months from the end of the period to the release
    deaths      the total
    """

    period_end: int
    kind: Kind
    release: date
    age: int
    deaths: float

    @property
    def young(self) -> bool:
        return self.age <= YOUNG[-1]


def totals_used(releases: Sequence[OverdoseRelease], origin: int) -> tuple[Total, ...]:
    """The totals of synthetic opioids that enter, each once, sorted: settled ones (older than 12 months) by their newest release only,
    young ones from every release, because comparing them with the later totals shows their bias."""
    young: list[Total] = []
    settled: dict[tuple[int, Kind], Total] = {}
    for row in sorted(releases, key=lambda row: row.published.last):
        if row.indicator != "synthetic_opioids" or not START + _YEAR - 1 <= row.period_end <= origin:
            continue
        age = max(domain.month_of(row.published.last) - row.period_end, YOUNG[0])
        kinds: tuple[tuple[Kind, float | None], ...] = (("reported", row.reported), ("predicted", row.predicted))
        for kind, deaths in kinds:
            if not deaths:
                continue
            total = Total(row.period_end, kind, row.published.last, age, deaths)
            if total.young:
                young.append(total)
            else:
                settled[row.period_end, kind] = total
    return tuple(sorted([*young, *settled.values()], key=lambda t: (t.period_end, t.kind, t.release)))


def finals_used(finals: Sequence[OverdoseFinal], origin: int) -> dict[int, float]:
    """Final deaths of synthetic opioids by month, the newest publication of each."""
    rows = sorted(finals, key=lambda row: row.published.last)
    return {row.month: row.deaths for row in rows if "synthetic_opioids" in row.series and START <= row.month <= origin and row.deaths > 0}


@dataclass(frozen=True)
class Layout:
    """The position of each unknown in the joint vector: x by month, the last v, season, biases by age, o by year; and its size."""

    months: int
    years: tuple[int, ...]
    x: slice
    v: slice
    season: slice
    reported: slice
    predicted: slice
    residence: slice
    size: int

    @classmethod
    def of(cls, months: int) -> Layout:
        years = tuple(range(START // _YEAR, (START + months - 1) // _YEAR + 1))
        lengths = (months, 1, _YEAR, len(YOUNG), len(YOUNG) + 1, len(years))
        ends = np.cumsum(lengths).tolist()
        x, v, season, reported, predicted, residence = (slice(e - n, e) for e, n in zip(ends, lengths, strict=True))
        return cls(months, years, x, v, season, reported, predicted, residence, ends[-1])


@lru_cache(maxsize=4)
def joint_prior(layout: Layout) -> Gaussian:
    """The joint normal before any record; not to be written to."""
    n = layout.months
    mean, cov = np.zeros(layout.size), np.zeros((layout.size, layout.size))
    lag = np.subtract.outer(np.arange(n), np.arange(n))
    decay = np.where(lag >= 0, DAMPING ** np.clip(lag, 0, None), 0.0)  # v = decay @ (first v, shocks)
    summed = np.tril(np.ones((n, n)))
    later = summed.copy()
    later[:, 0] = 0.0  # the first level includes the first velocity
    to_xv = np.block([[summed, later @ decay], [np.zeros((1, n)), decay[-1:]]])
    variances = np.r_[_FIRST_LEVEL[1], np.full(n - 1, LEVEL_SD), _FIRST_VELOCITY_SD, np.full(n - 1, VELOCITY_SD)] ** 2
    mean[layout.x] = _FIRST_LEVEL[0]
    cov[: n + 1, : n + 1] = (to_xv * variances) @ to_xv.T
    cov[layout.season, layout.season] = SEASON_SD**2 * (np.eye(_YEAR) - 1 / _YEAR)
    mean[layout.reported], cov[layout.reported, layout.reported] = _BIAS["reported"][0], np.eye(len(YOUNG)) * _BIAS["reported"][1] ** 2
    mean[layout.predicted] = np.r_[np.full(len(YOUNG), _BIAS["predicted"][0]), _SETTLED_BIAS[0]]
    cov[layout.predicted, layout.predicted] = np.diag(np.r_[np.full(len(YOUNG), _BIAS["predicted"][1]), _SETTLED_BIAS[1]] ** 2)
    step = np.arange(len(layout.years))
    cov[layout.residence, layout.residence] = FIRST_RESIDENCE_SD**2 + RESIDENCE_SD**2 * np.minimum.outer(step, step)
    return Gaussian(mean, cov)


def final_design(layout: Layout, months: NDArray[np.intp]) -> Floats:
    design = np.zeros((len(months), layout.size))
    rows = np.arange(len(months))
    design[rows, layout.x.start + months - START] = 1.0
    design[rows, layout.season.start + months % _YEAR] = 1.0
    return design


def log_sums(layout: Layout, at: Floats, period_ends: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """log Σ₁₂ e^{x + season} at a point of the joint vector, and its gradient (m, size)."""
    months = period_ends[:, None] - np.arange(_YEAR)
    log_deaths = at[layout.x.start + months - START] + at[layout.season.start + months % _YEAR]
    top = log_deaths.max(axis=1, keepdims=True)
    deaths = np.exp(log_deaths - top)
    gradient = np.zeros((len(period_ends), layout.size))
    rows = np.arange(len(period_ends))[:, None]
    share = deaths / deaths.sum(axis=1, keepdims=True)
    gradient[rows, layout.x.start + months - START] = share
    gradient[rows, layout.season.start + months % _YEAR] = share
    return top[:, 0] + np.log(deaths.sum(axis=1)), gradient


def bias_design(layout: Layout, totals: Sequence[Total]) -> Floats:
    design = np.zeros((len(totals), layout.size))
    for i, t in enumerate(totals):
        design[i, layout.residence.start + layout.years.index(t.period_end // _YEAR)] = 1.0
        if t.kind == "reported" and not t.young:
            continue  # a settled reported total is exact except for the place of residence
        where = layout.reported if t.kind == "reported" else layout.predicted
        design[i, where.start + min(t.age, YOUNG[-1] + 1) - YOUNG[0]] = 1.0
    return design


def total_noise(totals: Sequence[Total]) -> Floats:
    """Covariance of the errors of totals. Half of the variance is a total's own. Half comes from its months and is shared, within a kind,
    with other totals in proportion to the months in common, so that a number published twice does not count twice."""
    ends = np.array([t.period_end for t in totals])
    kinds = np.array([t.kind for t in totals])
    overlap = np.clip(1.0 - np.abs(np.subtract.outer(ends, ends)) / _YEAR, 0.0, None) * (kinds[:, None] == kinds)
    return np.asarray(TOTAL_SD**2 * 0.5 * (overlap + np.eye(len(totals))))


@dataclass(frozen=True, eq=False)
class OverdosePosterior:
    """Posterior of model 2: one joint normal of x by month from 2005-01 to the origin, season and biases.

    origin      the last month
    joint       the joint normal
    totals      the provisional totals that entered
    last_final  the newest month with a final count
    iterations  rounds of linearisation
    layout      the position of each unknown in the joint normal
    """

    origin: int
    joint: Gaussian
    totals: tuple[Total, ...]
    last_final: int
    iterations: int
    layout: Layout

    @property
    def months(self) -> NDArray[np.intp]:
        return np.arange(START, self.origin + 1)

    @property
    def mean(self) -> Floats:
        """Posterior mean of x (log monthly deaths without season), 2005-01..origin."""
        return self.joint.mean[self.layout.x]

    @property
    def sd(self) -> Floats:
        return self.joint.marginal(self.layout.x).sd

    @property
    def season(self) -> Gaussian:
        """The twelve effects, January first."""
        return self.joint.marginal(self.layout.season)

    def bias(self, kind: Kind) -> Gaussian:
        """Log bias of a kind of total by age 4..12 months; of predicted ones, above 12 too."""
        return self.joint.marginal(self.layout.reported if kind == "reported" else self.layout.predicted)

    def paths(self, rng: np.random.Generator, n: int, horizon: int = 24, history: int = 12) -> Floats:
        """Draws of x in the months origin − history..origin + horizon: (n, history + 1 + horizon). Beyond the origin the same recursion."""
        x = np.arange(self.layout.x.stop - history - 1, self.layout.x.stop)
        state = self.joint.marginal(np.r_[x, self.layout.v.start]).draw(rng, n)
        out = np.empty((n, history + 1 + horizon))
        out[:, : history + 1] = state[:, :-1]
        velocity = state[:, -1]
        for j in range(history + 1, history + 1 + horizon):
            velocity = DAMPING * velocity + VELOCITY_SD * rng.standard_normal(n)
            out[:, j] = out[:, j - 1] + velocity + LEVEL_SD * rng.standard_normal(n)
        return out

    def log_totals(self, period_ends: Sequence[int], resident: bool = False) -> tuple[Floats, Floats]:
        """Mean and sd of the log true total of the twelve months to each period's end, by place of occurrence or of residence."""
        ends = np.asarray(period_ends, dtype=np.intp)
        value, gradient = log_sums(self.layout, self.joint.mean, ends)
        if not resident:
            years = [self.layout.residence.start + self.layout.years.index(int(m) // _YEAR) for m in ends]
            gradient[np.arange(len(ends)), years] = 1.0
            value = value + self.joint.mean[years]
        return value, np.sqrt(np.einsum("ij,jk,ik->i", gradient, self.joint.cov, gradient))


def fit_overdose(
    finals: Sequence[OverdoseFinal], releases: Sequence[OverdoseRelease], origin: int, tolerance: float = 1e-9
) -> OverdosePosterior:
    """Fit model 2 to what is given (select by `published` before), months up to `origin` only.

    ForecastError if there is no record; GateError if the linearisation does not converge (it takes about five rounds).
    """
    deaths, totals = finals_used(finals, origin), totals_used(releases, origin)
    if not deaths and not totals:
        raise ForecastError("No record of overdose deaths lies before the origin.", "Check overdose_final.csv and overdose_releases.csv.")
    layout = Layout.of(origin - START + 1)
    months = np.array(sorted(deaths), dtype=np.intp)
    values = np.log([deaths[m] for m in months.tolist()])
    known = joint_prior(layout).condition(final_design(layout, months), values, np.eye(len(months)) * FINAL_SD**2)
    last_final = int(months.max(initial=START - 1))
    if not totals:
        return OverdosePosterior(origin, known, totals, last_final, 0, layout)

    ends = np.array([t.period_end for t in totals], dtype=np.intp)
    observed = np.log([t.deaths for t in totals])
    biases, noise = bias_design(layout, totals), total_noise(totals)
    at = known.mean
    for iteration in range(1, 51):
        value, gradient = log_sums(layout, at, ends)
        fitted = known.condition(gradient + biases, observed - value + gradient @ at, noise)
        moved = float(np.abs(fitted.mean - at).max())
        at = fitted.mean
        if moved < tolerance:
            return OverdosePosterior(origin, fitted, totals, last_final, iteration, layout)
    worst = totals[int(np.abs(observed - log_sums(layout, at, ends)[0] - biases @ at).argmax())]
    raise GateError(
        f"Model 2 (overdoses) did not converge in 50 rounds; the worst fit is overdose_releases.csv, published {worst.release}, twelve "
        f"months to {domain.month_text(domain.Month(worst.period_end))}, {worst.kind}: {worst.deaths:,.0f}.",
        "Compare that row with its release, and correct or remove it.",
    )
