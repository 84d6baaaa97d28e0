"""The models of the TOML files of data/: coverage, sources, scales and questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from string import Formatter
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from forecast import domain
from forecast.data.coding_rules import INSTRUMENTS, ROLES
from forecast.data.column_types import Kind, Role, cell_error
from forecast.data.suggestions import did_you_mean, quoted

WINDOW: Final = ("start", "end", "horizon", "resolution_date")
"""The placeholders in the wording of every question."""

LEVEL: Final = ("level", "level_name")
"""Further placeholders in the wording of questions about a level."""

MAX_DAYS: Final = 3_660
MAX_LAG_MONTHS: Final = 120
"""Ten years, the longest lag."""


def _not_empty(values: tuple[int, ...]) -> tuple[int, ...]:
    if not values:
        raise PydanticCustomError("fits", "a list that is not empty")
    return values


def _without_repeats(values: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("fits", "a list that names nothing twice")
    return values


def _with_placeholders(*names: str) -> Callable[[str], str]:
    """A check that a template has only these names in braces."""

    def check(template: str) -> str:
        expected = f"no placeholder but {', '.join(f'{{{name}}}' for name in names)}"
        try:
            parts = list(Formatter().parse(template))
        except ValueError:
            raise PydanticCustomError("fits", "{expected}, and braces in pairs", {"expected": expected}) from None
        if any(name is not None and (name not in names or form or conversion) for _, name, form, conversion in parts):
            raise PydanticCustomError("fits", "{expected}, each by its bare name", {"expected": expected})
        return template

    return check


type Text = Annotated[str, Field(min_length=1)]
type MonthText = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
type LevelNumber = Annotated[int, Field(ge=0, le=domain.TOP)]
type Horizon = Annotated[int, Field(ge=1, le=domain.LONGEST)]
type Horizons = Annotated[tuple[Horizon, ...], AfterValidator(_not_empty), AfterValidator(_without_repeats)]
type Levels = Annotated[tuple[LevelNumber, ...], AfterValidator(_without_repeats)]
type LagDays = Annotated[int, Field(ge=0, le=MAX_DAYS)]
type Template = Annotated[Text, AfterValidator(_with_placeholders(*WINDOW))]
type LevelTemplate = Annotated[Text, AfterValidator(_with_placeholders(*WINDOW, *LEVEL))]


class Setting(BaseModel):
    """Base of all tables in a TOML file: frozen, no key more than its fields, no value converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Coverage(Setting):
    """The day through which a file has been read, so that no entry up to that day means that nothing happened."""

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
"""The months whose mean is the unit, unless scales.toml has others."""


@dataclass(frozen=True, slots=True)
class Scales:
    """The frozen units of the drivers: a raw value is divided by its scale, so that its mean over the window is 1 (months, inclusive)."""

    leverage: float
    mobilisation: float
    window_start: domain.Month = LEVERAGE_WINDOW[0]
    window_end: domain.Month = LEVERAGE_WINDOW[1]

    @classmethod
    def of(cls, written: ScalesFile) -> Scales:
        window = written.leverage
        return cls(window.scale, written.mobilisation.scale, domain.month(window.window_start), domain.month(window.window_end))


class CountingRule(Setting):
    """Which rows of events.csv count for a question; a key that is None does not restrict."""

    family: Literal["A", "B", "C", "D"] | None = None
    role: Role | None = None
    kind: Kind | None = None
    instrument: str | None = None
    direction: Literal["+", "-"] | None = None
    answers: Literal["sufficient", "insufficient"] | None = None
    min_count: Annotated[int, Field(ge=1)] | None = None
    without_same_act: bool = False

    @field_validator("role", "instrument")
    @classmethod
    def _known(cls, value: str | None, info: ValidationInfo) -> str | None:
        """A role or an instrument that the codebook has, in the family if the rule names one."""
        families = INSTRUMENTS if info.field_name == "instrument" else ROLES
        family = info.data.get("family")
        known = families[family] if family else tuple(dict.fromkeys(word for words in families.values() for word in words))
        if value is not None and value not in known:
            where = f" in family {family}" if family else ""
            raise cell_error(
                quoted(value), f"one of {', '.join(known) or 'none'}{where}", did_you_mean(value, known) if known else "Delete it."
            )
        return value


class CompanionQuestion(Setting):
    """A companion question, which resolves often: its wording, and which rows count."""

    kind: Literal["event", "count"]
    horizons: Horizons
    title: Template
    text: Template
    rule: Text
    counts: CountingRule | None = None
    none_of: CountingRule | None = None
    or_determination: bool = False


class LevelQuestion(Setting):
    """One kind of question about levels, asked of each level and horizon."""

    levels: Levels
    title: LevelTemplate
    text: LevelTemplate


class LevelQuestions(Setting):
    reached_by: LevelQuestion
    in_force_at: LevelQuestion
    fallen_to: LevelQuestion


class ResolutionRules(Setting):
    """When and by what rule questions resolve; lags in days and months after the window."""

    headline: Text
    horizons: Horizons
    lag_days: LagDays
    happens_lag_months: Annotated[int, Field(ge=0, le=MAX_LAG_MONTHS)]
    text: Text


class QuestionsConfig(Setting):
    """The questions a forecast answers, in words with placeholders."""

    resolution: ResolutionRules
    levels: LevelQuestions
    companion: dict[str, CompanionQuestion]


class ExpectedOddity(Setting):
    """An oddity that is known, with the reason; checks do not report it.

    It covers the months `from_`..`to` and, in a file of several series, the `series` or `release` (day of publication) that it names.
    A duplicate names its rows in `what` and needs no months; `ahead` covers rows by their month of publication and needs no series.
    """

    kind: Literal["gap", "stop", "repeat", "step", "outlier", "duplicate", "inferred", "ahead"]
    what: Text
    why: Text
    series: Text | None = None
    release: Text | None = None
    from_: MonthText | None = Field(default=None, alias="from", validate_default=True)
    to: MonthText | None = Field(default=None, validate_default=True)

    @field_validator("from_", "to")
    @classmethod
    def _bounded(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("kind") not in (None, "duplicate"):
            raise PydanticCustomError("missing", "a month")
        if info.field_name == "to" and value is not None and value < (info.data.get("from_") or value):
            raise PydanticCustomError("fits", "a month not before that of from")
        return value


class Source(Setting):
    """The source of a file or of one series in it: publisher, terms, lag (days after the period), use, flaws, and expected oddities."""

    name: Text
    file: Text
    series: Text | None = None
    publisher: Text
    url: str
    terms: Text
    citation: Text
    used_for: Literal["driver", "check", "context"]
    cadence: Literal["daily", "weekly", "monthly", "yearly", "irregular"]
    lag_days: LagDays
    expected_stop: date | None = None
    published_rule: Text
    known_flaws: tuple[str, ...] = ()
    expected: tuple[ExpectedOddity, ...] = ()

    @field_validator("expected")
    @classmethod
    def _narrow(cls, entries: tuple[ExpectedOddity, ...], info: ValidationInfo) -> tuple[ExpectedOddity, ...]:
        """In a file of several series an entry names the one it covers; otherwise it would hide oddities of the others."""
        for entry in entries:
            free = entry.kind in ("duplicate", "ahead") or info.data.get("series") or entry.series or entry.release
            if not free:
                raise PydanticCustomError(
                    "fits", "a series or a release in each entry; {kind} {what} has none", {"kind": entry.kind, "what": entry.what[:40]}
                )
        return entries
