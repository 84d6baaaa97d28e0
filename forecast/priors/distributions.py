"""Beliefs about one number, as frozen values with a density, draws and quantiles.

Densities and most quantiles need NumPy only. SciPy is imported by the few methods that call it, as `forecast priors try` starts faster so.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, fields
from functools import lru_cache
from statistics import NormalDist
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from forecast.priors.specs import PriorSpec, SpecError, number_text
from forecast.typing import Floats

type Size = int | tuple[int, ...]
type Scale = Literal["logit", "log", "beta"]

PROBABILITIES: Final = (0.05, 0.5, 0.95)
"""The quantiles by which a prior is stated and shown."""
WIDTH_90: Final = 3.29
"""Standard deviations between the 5 and the 95 % quantile of a normal."""
_STANDARD: Final = NormalDist()
_RANGE: Final = (0.018, 1.2e6)  # of the two numbers of a fitted Beta
_STARTS: Final = (0.1, 0.2, 0.5, 1.0, 3.0, 10.0, 30.0)  # of a fit of a Beta, for each number


class Distribution(PriorSpec):
    """A belief about one number."""

    @abstractmethod
    def logpdf(self, x: ArrayLike) -> Floats:
        """Log density at `x`, of the shape of `x`; −inf outside the support."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, size: Size) -> Floats:
        """Independent draws of shape `size`."""

    @abstractmethod
    def quantile(self, p: ArrayLike) -> Floats:
        """Quantiles at `p`, each strictly between 0 and 1; of the shape of `p`."""

    @property
    @abstractmethod
    def support(self) -> tuple[float, float]:
        """The ends of the range that has mass."""

    def interval(self) -> tuple[float, float, float]:
        """The 5, 50 and 95 % quantiles."""
        low, middle, high = self.quantile(PROBABILITIES)
        return float(low), float(middle), float(high)

    def __str__(self) -> str:
        values = [getattr(self, f.name) for f in fields(self)]  # type: ignore[arg-type]  # every distribution is a dataclass
        return f"{type(self).__name__}({', '.join(map(number_text, values))})"


@dataclass(frozen=True, slots=True)
class Normal(Distribution):
    mean: float
    sd: float

    def __post_init__(self) -> None:
        _check_numbers(self, "sd")

    def logpdf(self, x: ArrayLike) -> Floats:
        return _normal_logpdf(np.asarray(x, dtype=float), self.mean, self.sd)

    def sample(self, rng: np.random.Generator, size: Size) -> Floats:
        return rng.normal(self.mean, self.sd, size)

    def quantile(self, p: ArrayLike) -> Floats:
        return self.mean + self.sd * _standard_quantile(p)

    @property
    def support(self) -> tuple[float, float]:
        return -math.inf, math.inf


@dataclass(frozen=True, slots=True)
class HalfNormal(Distribution):
    sd: float

    def __post_init__(self) -> None:
        _check_numbers(self, "sd")

    def logpdf(self, x: ArrayLike) -> Floats:
        x = np.asarray(x, dtype=float)
        return np.where(x < 0, -np.inf, math.log(2) + _normal_logpdf(x, 0.0, self.sd))

    def sample(self, rng: np.random.Generator, size: Size) -> Floats:
        return np.abs(rng.normal(0.0, self.sd, size))

    def quantile(self, p: ArrayLike) -> Floats:
        return self.sd * _standard_quantile((1 + _inside(p)) / 2)

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, math.inf


@dataclass(frozen=True, slots=True)
class Beta(Distribution):
    a: float
    b: float

    def __post_init__(self) -> None:
        _check_numbers(self, "a", "b")

    def logpdf(self, x: ArrayLike) -> Floats:
        x = np.asarray(x, dtype=float)
        inside = np.clip(x, 0.0, 1.0)
        constant = math.lgamma(self.a + self.b) - math.lgamma(self.a) - math.lgamma(self.b)
        log_density = constant + _times_log(self.a - 1, inside) + _times_log(self.b - 1, 1 - inside)
        return np.where((x < 0) | (x > 1), -np.inf, log_density)

    def sample(self, rng: np.random.Generator, size: Size) -> Floats:
        return rng.beta(self.a, self.b, size)

    def quantile(self, p: ArrayLike) -> Floats:
        from scipy.special import betaincinv

        return np.asarray(betaincinv(self.a, self.b, _inside(p)))

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, 1.0


@dataclass(frozen=True, slots=True)
class Gamma(Distribution):
    """A rate with `shape` events in `rate` units of time."""

    shape: float
    rate: float

    def __post_init__(self) -> None:
        _check_numbers(self, "shape", "rate")

    def logpdf(self, x: ArrayLike) -> Floats:
        x = np.asarray(x, dtype=float)
        constant = self.shape * math.log(self.rate) - math.lgamma(self.shape)
        return np.where(x < 0, -np.inf, constant - self.rate * x + _times_log(self.shape - 1, np.maximum(x, 0.0)))

    def sample(self, rng: np.random.Generator, size: Size) -> Floats:
        return rng.gamma(self.shape, 1 / self.rate, size)

    def quantile(self, p: ArrayLike) -> Floats:
        from scipy.special import gammaincinv

        return np.asarray(gammaincinv(self.shape, _inside(p)) / self.rate)

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, math.inf


@dataclass(frozen=True, slots=True)
class LogNormal(Distribution):
    """`shift` + e^z, z normal around log `median`."""

    median: float
    sd: float
    shift: float = 0.0

    def __post_init__(self) -> None:
        _check_numbers(self, "median", "sd")

    def logpdf(self, x: ArrayLike) -> Floats:
        above = np.asarray(x, dtype=float) - self.shift
        log = np.log(np.where(above > 0, above, 1.0))
        return np.where(above > 0, _normal_logpdf(log, math.log(self.median), self.sd) - log, -np.inf)

    def sample(self, rng: np.random.Generator, size: Size) -> Floats:
        return self.shift + rng.lognormal(math.log(self.median), self.sd, size)

    def quantile(self, p: ArrayLike) -> Floats:
        return self.shift + self.median * np.exp(self.sd * _standard_quantile(p))

    @property
    def support(self) -> tuple[float, float]:
        return self.shift, math.inf

    def __str__(self) -> str:
        shift = f", shift={number_text(self.shift)}" if self.shift else ""
        return f"LogNormal({number_text(self.median)}, {number_text(self.sd)}{shift})"


@dataclass(frozen=True, slots=True)
class Quantiles(Distribution):
    """Three quantiles, and the distribution they stand for: normal on the logit or log scale, or a Beta.

    Normal: location g(q50), sd (g(q95) − g(q05))/3.29. Beta: least squares on the quantiles. The quantiles of the result
    (`interval()`) are therefore near the stated ones, not equal to them.
    """

    q05: float
    q50: float
    q95: float
    scale: Scale

    def __post_init__(self) -> None:
        stated = (self.q05, self.q50, self.q95)
        if not all(math.isfinite(q) for q in stated):
            raise SpecError(str(self), "finite quantiles", "Write three plain numbers.")
        if not self.q05 < self.q50 < self.q95:
            raise SpecError(str(self), "quantiles that rise: 5 % < 50 % < 95 %", "Put them in order, from the lowest to the highest.")
        if self.q05 <= 0:
            raise SpecError(str(self), "quantiles above 0", "Write a small positive number.")
        if self.scale != "log" and self.q95 >= 1:
            raise SpecError(str(self), "probabilities below 1", "Write 4 % as 0.04.")
        if self.q95 / self.q05 < 1 + 1e-6:
            raise SpecError(str(self), "quantiles further apart", "Widen them.")

    @property
    def location(self) -> float:
        """Median on the logit or log scale."""
        return self._transform(self.q50)

    @property
    def sd(self) -> float:
        """Standard deviation on the logit or log scale."""
        return (self._transform(self.q95) - self._transform(self.q05)) / WIDTH_90

    @property
    def beta(self) -> Beta:
        """The fitted Beta, for scale "beta"."""
        if self.scale != "beta":
            raise ValueError(f"quantiles on the {self.scale} scale are not those of a Beta")
        return Beta(*fit_beta(self.q05, self.q50, self.q95))

    def logpdf(self, x: ArrayLike) -> Floats:
        x = np.asarray(x, dtype=float)
        if self.scale == "beta":
            return self.beta.logpdf(x)
        top = math.inf if self.scale == "log" else 1.0
        possible = (x > 0) & (x < top)
        safe = np.where(possible, x, 0.5)
        log, log_rest = np.log(safe), 0.0 if self.scale == "log" else np.log1p(-safe)
        return np.where(possible, _normal_logpdf(log - log_rest, self.location, self.sd) - log - log_rest, -np.inf)

    def sample(self, rng: np.random.Generator, size: Size) -> Floats:
        if self.scale == "beta":
            return self.beta.sample(rng, size)
        return self._back(rng.normal(self.location, self.sd, size))

    def quantile(self, p: ArrayLike) -> Floats:
        if self.scale == "beta":
            return self.beta.quantile(p)
        return self._back(self.location + self.sd * _standard_quantile(p))

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, math.inf if self.scale == "log" else 1.0

    def __str__(self) -> str:
        return f"quantiles({', '.join(map(number_text, (self.q05, self.q50, self.q95)))})"

    def _transform(self, x: float) -> float:
        if self.scale == "beta":
            raise ValueError("a Beta has no location and sd; see `beta`")
        return math.log(x) if self.scale == "log" else math.log(x) - math.log1p(-x)

    def _back(self, z: Floats) -> Floats:
        return np.exp(z) if self.scale == "log" else np.exp(-np.logaddexp(0.0, -z))


@dataclass(frozen=True, slots=True)
class Fixed(Distribution):
    """A setting: a number that the data do not change."""

    value: float

    def __post_init__(self) -> None:
        _check_numbers(self)

    def logpdf(self, x: ArrayLike) -> Floats:
        return np.where(np.asarray(x, dtype=float) == self.value, 0.0, -np.inf)

    def sample(self, rng: np.random.Generator, size: Size) -> Floats:
        return np.full(size, float(self.value))

    def quantile(self, p: ArrayLike) -> Floats:
        return np.full_like(_inside(p), self.value)

    @property
    def support(self) -> tuple[float, float]:
        return self.value, self.value


def _check_numbers(spec: Distribution, *positive: str) -> None:
    """SpecError unless all numbers are finite, and those named above 0."""
    values = {f.name: getattr(spec, f.name) for f in fields(spec)}  # type: ignore[arg-type]  # every distribution is a dataclass
    if not all(map(math.isfinite, values.values())):
        raise SpecError(str(spec), "finite numbers", "Write plain numbers.")
    for name in positive:
        if values[name] <= 0:
            raise SpecError(str(spec), f"{name} above 0", "Write a small positive number.")


def _inside(p: ArrayLike) -> Floats:
    p = np.asarray(p, dtype=float)
    if not np.all((p > 0) & (p < 1)):
        raise ValueError("quantiles are for probabilities strictly between 0 and 1")
    return p


def _standard_quantile(p: ArrayLike) -> Floats:
    p = _inside(p)
    return np.array([_STANDARD.inv_cdf(v) for v in p.ravel()]).reshape(p.shape)


def _normal_logpdf(x: Floats, mean: float, sd: float) -> Floats:
    return np.asarray(-0.5 * (((x - mean) / sd) ** 2 + math.log(2 * math.pi)) - math.log(sd))


def _times_log(factor: float, x: Floats) -> Floats:
    """factor · log x, with 0 · log 0 = 0."""
    with np.errstate(divide="ignore"):
        return factor * np.log(x) if factor else np.zeros_like(x)


@lru_cache(maxsize=256)
def fit_beta(q05: float, q50: float, q95: float) -> tuple[float, float]:
    """(a, b) of the Beta whose 5, 50 and 95 % quantiles are nearest to those given, by least squares."""
    from scipy.optimize import least_squares
    from scipy.special import betaincinv

    target = np.array([q05, q50, q95])
    usual = q50 * (1 - q50) / max(((q95 - q05) / WIDTH_90) ** 2, 1e-12) - 1

    def miss(log_ab: Floats) -> Floats:
        a, b = np.exp(log_ab)
        return np.asarray(betaincinv(a, b, PROBABILITIES) - target)

    def fit(start: Floats) -> tuple[Floats, Floats]:
        result = least_squares(miss, start, bounds=(math.log(_RANGE[0]), math.log(_RANGE[1])), xtol=1e-14, ftol=1e-14, gtol=1e-14)
        return np.asarray(result.fun), np.exp(result.x)

    residual, ab = fit(np.log(np.clip([q50 * usual, (1 - q50) * usual], 0.02, 1e6)))
    if np.abs(residual).max() > 0.02 * (q95 - q05):  # a skewed one: the width of the interval may be a poor guide to where to begin
        starts = (np.log([a, b]) for a in _STARTS for b in _STARTS)
        other_residual, other = fit(min(starts, key=lambda start: float(np.sum(miss(start) ** 2))))
        ab = other if other_residual @ other_residual < 0.9 * (residual @ residual) else ab
    return float(ab[0]), float(ab[1])
