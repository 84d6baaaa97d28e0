"""What a prior says, as frozen values with a density, draws and quantiles. NumPy only.

A spec's text, `str(spec)`, is what stands in the prior files: `Normal(1.6, 0.8)`, `quantiles(0.01, 0.04, 0.12)`,
`Weights(economic=1/3, diplomatic=1/3, security=1/3)`; `text.parse` reads it back.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from statistics import NormalDist
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.priors.quadrature import PROBABILITIES, beta_quantile, expit, fit_beta, gamma_quantile
from forecast.priors.text import SpecError, number_text

type Floats = NDArray[np.float64]
type Size = int | tuple[int, ...]
type Scale = Literal["logit", "log", "beta"]

WIDTH_90 = 3.29
"""Standard deviations between the 5 and the 95 % quantile of a normal."""

_LOG_2PI = math.log(2 * math.pi)
_STANDARD = NormalDist()


class Spec(ABC):
    """A stated belief about one quantity, or about a small set of named ones."""

    @abstractmethod
    def __str__(self) -> str: ...


class Distribution(Spec):
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
        _finite(self)
        _positive(self, "sd")

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
        _finite(self)
        _positive(self, "sd")

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
        _finite(self)
        _positive(self, "a", "b")

    def logpdf(self, x: ArrayLike) -> Floats:
        return _beta_logpdf(np.asarray(x, dtype=float), self.a, self.b)

    def sample(self, rng: np.random.Generator, size: Size) -> Floats:
        return rng.beta(self.a, self.b, size)

    def quantile(self, p: ArrayLike) -> Floats:
        return beta_quantile(self.a, self.b, _inside(p))

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, 1.0


@dataclass(frozen=True, slots=True)
class Gamma(Distribution):
    """A rate with `shape` events in `rate` units of time."""

    shape: float
    rate: float

    def __post_init__(self) -> None:
        _finite(self)
        _positive(self, "shape", "rate")

    def logpdf(self, x: ArrayLike) -> Floats:
        x = np.asarray(x, dtype=float)
        inside = self.shape * math.log(self.rate) - math.lgamma(self.shape) - self.rate * x + _times_log(self.shape - 1, np.maximum(x, 0.0))
        return np.where(x < 0, -np.inf, inside)

    def sample(self, rng: np.random.Generator, size: Size) -> Floats:
        return rng.gamma(self.shape, 1 / self.rate, size)

    def quantile(self, p: ArrayLike) -> Floats:
        return gamma_quantile(self.shape, self.rate, _inside(p))

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
        _finite(self)
        _positive(self, "median", "sd")

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
            raise SpecError(str(self), "quantiles above 0", "A chance or a time is never zero for certain; write a small number.")
        if self.scale != "log" and self.q95 >= 1:
            raise SpecError(str(self), "probabilities below 1", "Write 4 % as 0.04.")

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
        inside = (x > 0) & (x < top)
        safe = np.where(inside, x, 0.5)
        log, log_rest = np.log(safe), 0.0 if self.scale == "log" else np.log1p(-safe)
        return np.where(inside, _normal_logpdf(log - log_rest, self.location, self.sd) - log - log_rest, -np.inf)

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
        return np.exp(z) if self.scale == "log" else expit(z)


@dataclass(frozen=True, slots=True)
class Fixed(Distribution):
    """A setting: a number that the data do not move."""

    value: float

    def __post_init__(self) -> None:
        _finite(self)

    def logpdf(self, x: ArrayLike) -> Floats:
        return np.where(np.asarray(x, dtype=float) == self.value, 0.0, -np.inf)

    def sample(self, rng: np.random.Generator, size: Size) -> Floats:
        return np.full(size, float(self.value))

    def quantile(self, p: ArrayLike) -> Floats:
        return np.full_like(_inside(p), self.value)

    @property
    def support(self) -> tuple[float, float]:
        return self.value, self.value


@dataclass(frozen=True, slots=True)
class Constants(Spec):
    """Named numbers that the data do not move."""

    values: Mapping[str, float]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))
        if not self.values:
            raise SpecError(str(self), "at least one named number", "Write name=number, separated by commas.")
        if not all(math.isfinite(v) and v >= 0 for v in self.values.values()):
            raise SpecError(str(self), "finite numbers, none below 0", "Mend the number.")

    def __str__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={number_text(v)}' for k, v in self.values.items())})"

    def __hash__(self) -> int:
        return hash((type(self), tuple(sorted(self.values.items()))))

    def __reduce__(self) -> tuple[type[Constants], tuple[dict[str, float]]]:
        return type(self), (dict(self.values),)  # a mapping proxy cannot be pickled


class Weights(Constants):
    """Named shares that sum to one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        total = math.fsum(self.values.values())
        if abs(total - 1) > 1e-6:
            raise SpecError(str(self), f"weights that sum to 1, not {total:.6g}", "Change them so that they do; 1/3 may be written so.")


class Table(Constants):
    """Named numbers, each zero or above."""


FAMILIES: Mapping[str, Callable[..., Spec]] = MappingProxyType(
    {"Normal": Normal, "HalfNormal": HalfNormal, "Beta": Beta, "Gamma": Gamma, "LogNormal": LogNormal, "quantiles": Quantiles}
    | {"Fixed": Fixed, "Weights": Weights, "Table": Table}
)


def family_name(family: type[Spec]) -> str:
    """The family's name as it is written in a prior file."""
    return "quantiles" if family is Quantiles else family.__name__


def _finite(spec: Distribution) -> None:
    values = [getattr(spec, f.name) for f in fields(spec)]  # type: ignore[arg-type]  # every distribution is a dataclass
    if not all(math.isfinite(v) for v in values):
        raise SpecError(str(spec), "finite numbers", "Write plain numbers.")


def _positive(spec: Distribution, *names: str) -> None:
    for name in names:
        if getattr(spec, name) <= 0:
            raise SpecError(str(spec), f"{name} above 0", "A spread of zero would be certainty; write a small number for that.")


def _inside(p: ArrayLike) -> Floats:
    p = np.asarray(p, dtype=float)
    if not np.all((p > 0) & (p < 1)):
        raise ValueError("quantiles are for probabilities strictly between 0 and 1")
    return p


def _standard_quantile(p: ArrayLike) -> Floats:
    p = _inside(p)
    return np.array([_STANDARD.inv_cdf(v) for v in p.ravel()]).reshape(p.shape)


def _normal_logpdf(x: Floats, mean: float, sd: float) -> Floats:
    return np.asarray(-0.5 * (((x - mean) / sd) ** 2 + _LOG_2PI) - math.log(sd))


def _beta_logpdf(x: Floats, a: float, b: float) -> Floats:
    inside = np.clip(x, 0.0, 1.0)
    constant = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return np.where((x < 0) | (x > 1), -np.inf, constant + _times_log(a - 1, inside) + _times_log(b - 1, 1 - inside))


def _times_log(factor: float, x: Floats) -> Floats:
    """factor · log x, with 0 · log 0 = 0."""
    if factor == 0:
        return np.zeros_like(x)
    with np.errstate(divide="ignore"):
        return factor * np.log(x)
