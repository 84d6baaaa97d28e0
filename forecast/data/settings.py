"""The TOML files beside the tables: how far each goes, where it comes from, the frozen scales, and the questions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from forecast import domain

type Text = Annotated[str, Field(min_length=1)]
type MonthText = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
type LevelNumber = Annotated[int, Field(ge=0, le=domain.TOP)]
type Horizons = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]


class Setting(BaseModel):
    """Base of all tables in a TOML file: frozen, no key more than its fields, no value converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Coverage(Setting):
    """The last day up to which someone has looked, so that silence before it means that nothing was found."""

    covered_through: date
    note: str = ""


class Scale(Setting):
    """The unit of a driver: `scale` is its mean over the months `window_start`..`window_end`, frozen on a day."""

    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    window_start: MonthText
    window_end: MonthText
    frozen: date


class ScalesFile(Setting):
    """scales.toml as written."""

    leverage: Scale
    mobilisation: Scale


LEVERAGE_WINDOW: Final = (domain.month("2025-02"), domain.month("2025-12"))
"""The months whose mean is 1, unless scales.toml says otherwise."""


@dataclass(frozen=True, slots=True)
class Scales:
    """The frozen units of the drivers: what a raw value is divided by so that 1 is the mean of the window (months, both inclusive)."""

    leverage: float
    mobilisation: float
    window_start: domain.Month = LEVERAGE_WINDOW[0]
    window_end: domain.Month = LEVERAGE_WINDOW[1]

    @classmethod
    def of(cls, written: ScalesFile) -> Scales:
        window = written.leverage
        return cls(window.scale, written.mobilisation.scale, domain.month(window.window_start), domain.month(window.window_end))


class Counts(Setting):
    """Which rows of events.csv count for a question; what is None does not restrict."""

    family: Literal["A", "B", "C", "D"] | None = None
    role: str | None = None
    kind: str | None = None
    instrument: str | None = None
    direction: Literal["+", "-"] | None = None
    answers: Literal["sufficient", "insufficient"] | None = None
    min_count: Annotated[int, Field(ge=1)] | None = None
    without_same_act: bool = False


class Companion(Setting):
    """A question that resolves often: its words, and what counts."""

    kind: Literal["event", "count"]
    horizons: Horizons
    title: Text
    text: Text
    rule: Text
    counts: Counts | None = None
    none_of: Counts | None = None
    or_determination: bool = False


class LevelQuestion(Setting):
    """One kind of question about levels, asked of each level and horizon."""

    levels: tuple[LevelNumber, ...]
    title: Text
    text: Text


class LevelQuestions(Setting):
    reached_by: LevelQuestion
    in_force_at: LevelQuestion
    fallen_to: LevelQuestion


class Resolution(Setting):
    """When and by what rule questions resolve; lags in days and months after the window."""

    headline: Text
    horizons: Horizons
    lag_days: Annotated[int, Field(ge=0)]
    happens_lag_months: Annotated[int, Field(ge=0)]
    text: Text


class QuestionsConfig(Setting):
    """The questions a forecast answers, in words with placeholders."""

    resolution: Resolution
    levels: LevelQuestions
    companion: dict[str, Companion]


class Expected(Setting):
    """An oddity that is known, and why: a check that finds it keeps quiet. `from_` and `to` (months) limit what is meant."""

    kind: Literal["gap", "stop", "repeat", "step", "outlier", "duplicate", "inferred"]
    what: Text
    why: Text
    from_: MonthText | None = Field(default=None, alias="from")
    to: MonthText | None = None


class Source(Setting):
    """Where a file, or one series of it, comes from: publisher, terms, lag (days after the period), use, flaws and expected oddities."""

    name: Text
    file: Text
    series: Text | None = None
    publisher: Text
    url: str
    terms: Text
    citation: Text
    used_for: Literal["driver", "check", "context"]
    cadence: Literal["daily", "weekly", "monthly", "yearly", "irregular"]
    lag_days: Annotated[int, Field(ge=0)]
    expected_stop: date | None = None
    published_rule: Text
    known_flaws: tuple[str, ...] = ()
    expected: tuple[Expected, ...] = ()
