"""What all parts of a report share: a strict base class, and the kinds of values with their bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

_MAX_INTEGER: Final = 2**63 - 1
_MONTH: Final = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
_DATE: Final = r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"

type Text = Annotated[str, Field(min_length=1)]
"""A text that is not empty."""
type Integer = Annotated[int, Field(ge=-_MAX_INTEGER, le=_MAX_INTEGER)]
type Count = Annotated[int, Field(ge=0, le=_MAX_INTEGER)]
type Positive = Annotated[int, Field(ge=1, le=_MAX_INTEGER)]
type LevelNumber = Annotated[int, Field(ge=0, le=5)]
type Probability = Annotated[float, Field(ge=0, le=1)]
type Difference = Annotated[float, Field(ge=-1, le=1)]
type NonNegative = Annotated[float, Field(ge=0)]
type MonthText = Annotated[str, Field(pattern=_MONTH)]
"""`2026-06`."""
type DateText = Annotated[str, Field(pattern=_DATE)]
"""`2026-06-30`, or a month or a year where no more is known."""
type Series = list[float | None]
"""One value a month; null where there is none."""
type Distribution = Annotated[list[Probability], Field(min_length=2)]
"""Probabilities of 0, 1, …, and of the last count or more."""


class Part(BaseModel):
    """A part of a report. It is strict: no key it does not know, no text for a number, no NaN and no infinity."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True, defer_build=True)

    @classmethod
    def model_rebuild(
        cls,
        *,
        force: bool = False,
        raise_errors: bool = True,
        _parent_namespace_depth: int = 0,
        _types_namespace: Mapping[str, Any] | None = None,
    ) -> bool | None:
        """As pydantic's, but names are looked up in modules only: Python 3.13.0 can crash when the locals of a caller are read."""
        return super().model_rebuild(force=force, raise_errors=raise_errors, _parent_namespace_depth=0, _types_namespace=_types_namespace)


class Interval(Part):
    """A central interval of pooled, weighted draws.

    prob: its probability, 0.8; low, high: its ends.
    """

    prob: Probability
    low: Probability
    high: Probability


class Density(Part):
    """A kernel density of a probability.

    x: places on the axis from 0 to 1; y: the height at each.
    """

    x: Annotated[list[Probability], Field(min_length=2)]
    y: Annotated[list[NonNegative], Field(min_length=2)]


class Months(Part):
    """From one month to another, both inclusive."""

    start: MonthText
    end: MonthText


class Band(Part):
    """Quantiles by month: 10, 50 and 90 %."""

    q10: Series
    q50: Series
    q90: Series


class Fan(Band):
    """Quantiles by month, with the months."""

    months: list[MonthText]


class MonthlySeries(Part):
    """A value by month."""

    months: list[MonthText]
    value: Series
