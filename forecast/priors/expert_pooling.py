"""Pooling the beliefs of several people or sources about one number: the pool, the nearest prior, and how far they disagree."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from statistics import NormalDist
from typing import Final, Literal

import numpy as np

from forecast.arrays.weighted_quantiles import WeightedSample
from forecast.data.csv_file import parse_csv
from forecast.data.suggestions import number_problem, quoted
from forecast.errors import InputError, Problem
from forecast.priors.catalogue import CATALOGUE
from forecast.priors.density_curve import axis_jacobian, axis_of, from_axis, to_axis
from forecast.priors.distributions import PROBABILITIES, Distribution, Normal
from forecast.priors.elicitation import check_elicitable, from_quantiles, round_figures, round_to_spread
from forecast.priors.parsing import parse_prior
from forecast.priors.specs import PriorSpec, SpecError
from forecast.storage.text import text_problem
from forecast.typing import Floats

_NODES: Final = 41
_IQR: Final = NormalDist().inv_cdf(0.75) - NormalDist().inv_cdf(0.25)


def linear_pool(samples: Mapping[str, Floats], weights: Mapping[str, float]) -> WeightedSample:
    """The mixture of the sources' distributions: each sample, of any length, has the weight of its source.

    Stone 1961. ValueError unless the sources are the same and the weights are positive; they are made to sum to one.
    """
    if set(samples) != set(weights):
        raise ValueError(f"sources {sorted(samples)} but weights of {sorted(weights)}")
    if not samples or min(weights.values()) <= 0:
        raise ValueError("every source needs a weight above 0")
    total = sum(weights.values())
    values = [np.asarray(samples[name], float).ravel() for name in weights]
    shares = [np.full(v.size, weights[name] / total / v.size) for name, v in zip(weights, values, strict=True)]
    return WeightedSample(np.concatenate(values), np.concatenate(shares))


def widen(pooled: WeightedSample, sd: float) -> WeightedSample:
    """Add an independent normal with this standard deviation. Each value is replaced by normal quantiles, so no random noise is added."""
    if sd < 0:
        raise ValueError("sd is negative")
    edges = [NormalDist().inv_cdf(k / _NODES) for k in range(1, _NODES)]
    density = np.array([0.0, *(NormalDist().pdf(z) for z in edges), 0.0])
    nodes = _NODES * (density[:-1] - density[1:])  # means of parts of equal probability
    return WeightedSample((pooled.values[:, None] + sd * nodes).ravel(), np.repeat(pooled.weights / _NODES, _NODES))


def central_normal(pooled: WeightedSample) -> Normal:
    """The normal with the pool's median and quartiles. Long tails, which one small source can add, are ignored."""
    low, middle, high = pooled.quantile([0.25, 0.5, 0.75])
    return Normal(float(middle), float((high - low) / _IQR))


type Method = Literal["linear", "log"]
type Three = tuple[float, float, float]

COLUMNS: Final = ("name", "q05", "q50", "q95", "weight")
COMPARED_AT: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Probabilities of the quantiles at which the pool and the fitted prior are compared."""
_PARTS: Final = (np.arange(4_000) + 0.5) / 4_000
_EDGE: Final = 1e-7


@dataclass(frozen=True)
class Opinion:
    """A person's belief and its weight."""

    person: str
    spec: Distribution
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class PooledPrior:
    """A pool of opinions, whose weights sum to one.

    opinions     the beliefs that were pooled
    method       "linear" or "log"
    spec         the nearest prior of the family
    exact        quantiles of the pool at `COMPARED_AT`
    fitted       quantiles of `spec` at `COMPARED_AT`
    largest_gap  the largest difference of the two distribution functions
    within       variance inside the opinions, on the scale where the prior is close to symmetric
    between      variance between their means; the linear pool has the sum of both, the log pool has not
    """

    opinions: tuple[Opinion, ...]
    method: Method
    spec: Distribution
    exact: tuple[float, ...]
    fitted: tuple[float, ...]
    largest_gap: float
    within: float
    between: float

    @property
    def disagreement(self) -> float:
        """The share of the variance that lies between people."""
        return self.between / (self.within + self.between)


def pool_opinions(name: str, opinions: Sequence[Opinion], now: PriorSpec, method: Method = "linear") -> PooledPrior:
    """Pool beliefs about the prior `name`, and fit the prior's family to the median and the 90 % interval of the pool.

    linear: the mixture of the densities (Stone 1961); log: their weighted geometric mean, made a density again (Genest and Zidek 1986).
    Raises SpecError for settings, fewer than two people, a person named twice, supports that differ, weights that are none.
    """
    entry = check_elicitable(name)
    _suit(opinions)
    total = math.fsum(o.weight for o in opinions)
    shared = tuple(Opinion(o.person, o.spec, o.weight / total) for o in opinions)
    pooled = _mixture(shared) if method == "linear" else _product(shared)
    low, middle, high = (float(q) for q in pooled.quantile(PROBABILITIES))
    for a, b in pairwise((low, middle, high)):
        if not a < b:
            raise SpecError(f"{low:g}, {middle:g}, {high:g}", "a pool with a spread", "The pool has no spread; widen the beliefs.")
    lends = now if _same_shift(now, shared) else shared[0].spec  # a LogNormal its shift
    if isinstance(shared[0].spec, Normal):
        made_normal = from_quantiles(name, (low, middle, high), lends)
        assert isinstance(made_normal, Normal)
        spec: Distribution = Normal(round_to_spread(made_normal.mean, made_normal.sd), made_normal.sd)
    else:
        spec = from_quantiles(name, _rounded(entry.support, low, middle, high), lends)
    within, between = _variances(shared)
    return PooledPrior(
        shared,
        method,
        spec,
        tuple(float(q) for q in pooled.quantile(COMPARED_AT)),
        tuple(float(q) for q in spec.quantile(COMPARED_AT)),
        float(np.abs(pooled.share_below(spec.quantile(_PARTS)) - _PARTS).max()),
        within,
        between,
    )


def read_opinions(name: str, text: str, now: PriorSpec, file: str) -> tuple[Opinion, ...]:
    """Opinions from CSV with the columns name, q05, q50, q95 and, if wanted, weight; a line may be blank or begin with #.

    Raises InputError with every problem, by line and column.
    """
    sheet = parse_csv(re.sub(r"(?m)^[ \t]*#.*$", "", text), file, blank_lines=True)
    columns = tuple(c.strip() for c in sheet.header)
    if sheet.problems:
        raise InputError.of(sheet.problems)
    if columns not in (COLUMNS, COLUMNS[:-1]):
        columns_found = f"the columns {quoted(', '.join(columns))[1:-1] or 'none'}"
        raise InputError.of([Problem(file, columns_found, ", ".join(COLUMNS), "Correct the first line; the weight may be left out.", 1)])
    read: list[Opinion] = []
    problems: list[Problem] = []
    for line, cells in sheet.rows:
        row = dict(zip(columns, (cell.strip() for cell in cells), strict=True))
        wrong = {c: p for c in columns if (p := _cell_problem(c, row[c]))}
        problems += [Problem(file, *p, line, c) for c, p in wrong.items()]
        if wrong:
            continue
        try:
            low, middle, high = (_number(row[c]) for c in COLUMNS[1:4])
            weight = _number(row["weight"]) if row.get("weight") else 1.0
            read.append(Opinion(row["name"], from_quantiles(name, (low, middle, high), now), weight))
        except SpecError as e:
            problems.append(Problem(file, e.found, e.expected, e.remedy, line))
    if problems:
        raise InputError.of(problems)
    return tuple(read)


def _cell_problem(column: str, text: str) -> tuple[str, str, str] | None:
    """What is wrong with a cell: (found, expected, remedy). A weight may be left out."""
    if column == "name":
        return text_problem(text, line=True)
    return number_problem(text.removesuffix("%").rstrip()) if text or column != "weight" else None


def parse_opinion(name: str, text: str, number: int) -> Opinion:
    """An opinion from the command line, `Normal(0.8, 0.3)` or `Ana: Normal(0.8, 0.3)`. Without a name it is that of "person `number`"."""
    person, colon, spec = text.partition(":")
    belief = parse_prior(name, (spec if colon else text).strip())
    if not isinstance(belief, Distribution):
        raise SpecError(text, f"{CATALOGUE[name].family_names} for {name}", "See `forecast priors show`.")
    return Opinion(person.strip() if colon else f"person {number}", belief)


def _number(text: str) -> float:
    return float(Decimal(text[:-1].rstrip()) / 100 if text.endswith("%") else text)


def _suit(opinions: Sequence[Opinion]) -> None:
    """SpecError unless there are several people, each named once and with a weight, and all beliefs have the same range."""
    if len(opinions) < 2:
        raise SpecError(f"{len(opinions)} opinion{'' if len(opinions) == 1 else 's'}", "at least two", "Give another belief.")
    people = [o.person for o in opinions]
    if twice := next((p for p in people if not p or people.count(p) > 1), None):
        raise SpecError(f"{twice!r} twice", "each person once", "Give everyone a name of their own.")
    if "" in people:
        raise SpecError("an opinion without a name", "a name", "Write whose opinion it is.")
    total = sum(o.weight for o in opinions)
    if not (math.isfinite(total) and all(o.weight > 0 and o.weight / total > 0 for o in opinions)):
        weights_text = ", ".join(f"{o.weight:g}" for o in opinions)
        raise SpecError(weights_text, "weights above 0 of similar size", "Leave out beliefs that get no weight.")
    supports = {o.spec.support for o in opinions}
    if len(supports) > 1:
        text = " and ".join(f"{low:g} to {high:g}" for low, high in sorted(supports))
        raise SpecError(
            f"beliefs about the ranges {text}",
            "one range",
            "State them with the same shift. Otherwise one excludes values that another allows.",
        )


def _same_shift(now: PriorSpec, opinions: Sequence[Opinion]) -> bool:
    return isinstance(now, Distribution) and now.support == opinions[0].spec.support


class _Sampled(WeightedSample):
    """A pool as values and weights, with its distribution function."""

    def share_below(self, x: Floats) -> Floats:
        order = np.argsort(self.values, kind="stable")
        weights = self.weights[order]
        return np.asarray(np.interp(x, self.values[order], np.cumsum(weights) - weights / 2, left=0.0, right=1.0))


def _mixture(opinions: Sequence[Opinion]) -> _Sampled:
    """The linear pool: each belief as the quantiles at the midpoints of equal probabilities."""
    samples = {o.person: o.spec.quantile(_PARTS) for o in opinions}
    pooled = linear_pool(samples, {o.person: o.weight for o in opinions})
    return _Sampled(pooled.values, pooled.weights)


def _product(opinions: Sequence[Opinion]) -> _Sampled:
    """The log pool on an even grid of the axis. The geometric mean of densities does not depend on the axis."""
    axis = axis_of(opinions[0].spec)
    ends = np.array([to_axis(axis, o.spec.quantile([_EDGE, 1 - _EDGE])) for o in opinions])
    z = np.linspace(ends[:, 0].min(), ends[:, 1].max(), 20_001)
    x = from_axis(axis, z)
    stretch = np.log(axis_jacobian(axis, x))
    log_density = sum((o.weight * (o.spec.logpdf(x) + stretch) for o in opinions), np.zeros_like(x))
    mass = np.exp(log_density - log_density.max())
    return _Sampled(x, mass / mass.sum())


def _variances(opinions: Sequence[Opinion]) -> tuple[float, float]:
    axis = axis_of(opinions[0].spec)
    values = [to_axis(axis, o.spec.quantile(_PARTS)) for o in opinions]
    weights = np.array([o.weight for o in opinions])
    means = np.array([v.mean() for v in values])
    return float(weights @ [v.var() for v in values]), float(weights @ (means - weights @ means) ** 2)


def _rounded(support: tuple[float, float], *stated: float) -> Three:
    """To three significant figures, if they stay apart."""
    low, middle, high = map(round_figures, stated)
    return (low, middle, high) if support[0] < low < middle < high < support[1] else (stated[0], stated[1], stated[2])
