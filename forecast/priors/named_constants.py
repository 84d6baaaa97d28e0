"""Beliefs and settings that are sets of named numbers: `Weights(economic=1/3, diplomatic=1/3, security=1/3)`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from forecast.priors.specs import PriorSpec, SpecError, number_text


@dataclass(frozen=True, slots=True)
class Constants(PriorSpec):
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


class NamedNumbers(Constants):
    """Named numbers, each zero or above."""
