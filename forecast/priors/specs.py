"""What every statement of a prior has: a text that stands in the prior files, such as `Normal(1.6, 0.8)`; and sets of named numbers.

`forecast.priors.parsing` reads the texts.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType


class SpecError(ValueError):
    """An invalid prior: what was found, what was expected, how to correct it."""

    def __init__(self, found: str, expected: str, remedy: str) -> None:
        super().__init__(f"found {found}; expected {expected}. {remedy}")
        self.found, self.expected, self.remedy = found, expected, remedy


class PriorSpec(ABC):
    """A stated belief about one quantity, or about a small set of named ones."""

    @abstractmethod
    def __str__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Constants(PriorSpec):
    """Named numbers that the data do not change."""

    values: Mapping[str, float]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))
        if not self.values:
            raise SpecError(str(self), "at least one named number", "Write name=number, separated by commas.")
        if not all(math.isfinite(v) and v >= 0 for v in self.values.values()):
            raise SpecError(str(self), "finite numbers, none below 0", "Correct the number.")

    def __str__(self) -> str:
        return f"{family_name(type(self))}({', '.join(f'{k}={number_text(v)}' for k, v in self.values.items())})"

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
            raise SpecError(str(self), f"weights that sum to 1, not {total:.6g}", "Change the weights; fractions such as 1/3 are allowed.")


class NamedNumbers(Constants):
    """Named numbers, each zero or above."""


def family_name(family: type[PriorSpec]) -> str:
    """The family's name as it is written in a prior file."""
    return {"Quantiles": "quantiles", "NamedNumbers": "Table"}.get(family.__name__, family.__name__)


def number_text(x: float) -> str:
    """The shortest text that reads back as exactly `x`: 3, 0.04, 1/3, logit(0.65)."""
    if not math.isfinite(x):
        return repr(float(x))
    text = repr(float(x)).removesuffix(".0")
    if len(text) <= 10:
        return text
    ratio = Fraction(x).limit_denominator(99)
    if ratio.numerator / ratio.denominator == x:
        return f"{ratio.numerator}/{ratio.denominator}"
    share = round(expit(x), 3) if abs(x) < 7 else 0.5
    return f"logit({share!r})" if 0 < share < 1 and logit(share) == x else text


def logit(p: float) -> float:
    """As `arrays.transforms.logit` for one number, without NumPy: listing priors shall not import it."""
    return math.log(p) - math.log1p(-p)


def expit(log_odds: float) -> float:
    """The probability of log-odds."""
    return 1 / (1 + math.exp(-log_odds))
