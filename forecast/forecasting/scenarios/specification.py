"""Scenario files: a story, and how it changes the simulated drivers (intervened) or which simulated paths count (conditioned)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from forecast.data.settings import Setting, Text
from forecast.data.suggestions import did_you_mean
from forecast.data.toml_file import read_setting_file
from forecast.domain import CHANNELS
from forecast.errors import InputError, Problem, UsageError
from forecast.forecasting.driver_simulation import HORIZON
from forecast.forecasting.scenarios.template import TEMPLATE
from forecast.model.events import MAX_INTENSITY, STREAMS

FOLDER: Final = "scenarios"
"""Where scenario files lie, inside the workspace's `data/`."""

_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_BY_CHANNEL: Final = ("act", "relaxation", "demonstration")
"""Streams whose events each have a channel; other streams have it in their name, or have none."""

type Kind = Literal["conditioned", "intervened"]
type Driver = Literal["leverage", "deaths", "opposition", "mobilisation"]


def _known_stream(name: str) -> str:
    if name not in STREAMS:
        raise PydanticCustomError("enum", "Input should be a stream", {"expected": ", ".join(f"'{s}'" for s in STREAMS)})
    return name


type Stream = Annotated[str, AfterValidator(_known_stream)]
type MonthAfter = Annotated[int, Field(ge=1, le=HORIZON)]
"""Months after the origin; 1 is the first month that is forecast."""
type Window = tuple[MonthAfter, MonthAfter]


def _in_order(window: tuple[int, int]) -> tuple[int, int]:
    if window[0] > window[1]:
        raise PydanticCustomError("window", "Input should be a first month and a last one that is not before it")
    return window


def _not_empty[T](values: tuple[T, ...]) -> tuple[T, ...]:
    if not values:
        raise PydanticCustomError("window", "a list that is not empty")
    return values


type Months = Annotated[Window, AfterValidator(_in_order)]


class Arrival(Setting):
    """Events that happen for certain.

    stream     the stream they belong to
    months     one event in each of these months
    channel    of an act, a relaxation or a demonstration
    intensity  1 to 5; a concession has none
    ends       of a relaxation: it certainly ends a standing measure of its channel
    """

    stream: Stream
    months: Annotated[tuple[MonthAfter, ...], AfterValidator(_not_empty)]
    channel: Literal["economic", "diplomatic", "security"] | None = Field(default=None, validate_default=True)
    intensity: Annotated[int, Field(ge=1, le=MAX_INTENSITY)] | None = Field(default=None, validate_default=True)
    ends: bool = False

    @field_validator("channel")
    @classmethod
    def _channel_fits(cls, channel: str | None, info: ValidationInfo) -> str | None:
        stream = info.data.get("stream")
        if stream in _BY_CHANNEL and channel is None:
            raise PydanticCustomError("missing", "a channel")
        if stream is not None and stream not in _BY_CHANNEL and channel not in (None, stream.partition(".")[2]):
            own = f"the stream {stream} has its own" if "." in stream else f"the stream {stream} has none"
            raise PydanticCustomError("fits", "no channel: {own}", {"own": own})
        return channel

    @field_validator("intensity")
    @classmethod
    def _intensity_fits(cls, intensity: int | None, info: ValidationInfo) -> int | None:
        stream = info.data.get("stream")
        if stream == "concession" and intensity is not None:
            raise PydanticCustomError("fits", "no intensity: a concession has none")
        if stream not in (None, "concession") and intensity is None:
            raise PydanticCustomError("missing", "an intensity")
        return intensity

    @field_validator("ends")
    @classmethod
    def _only_relaxations_end(cls, ends: bool, info: ValidationInfo) -> bool:
        if ends and info.data.get("stream") not in (None, "relaxation"):
            raise PydanticCustomError("fits", "this key only with the stream relaxation")
        return ends


class Rates(Setting):
    """Factors on the simulated rates of streams, from one month to another (by default the months of the story)."""

    factors: dict[Stream, Annotated[float, Field(ge=0, le=20, allow_inf_nan=False)]]
    from_: MonthAfter | None = Field(default=None, alias="from")
    to: MonthAfter | None = None


class Deaths(Setting):
    """Monthly overdose deaths are `factor` times those simulated; the factor builds up evenly on the log scale over `over` months."""

    factor: Annotated[float, Field(ge=0.05, le=20, allow_inf_nan=False)]
    from_: MonthAfter | None = Field(default=None, alias="from")
    over: MonthAfter = 1


class Opposition(Setting):
    """The share of Mexicans opposed is `points` percentage points above the simulated share; the step builds up over `over` months.

    The step is converted to the logit scale at the share of the origin, and is the same on that scale elsewhere.
    """

    points: Annotated[float, Field(ge=-50, le=50, allow_inf_nan=False)]
    from_: MonthAfter | None = Field(default=None, alias="from")
    over: MonthAfter = 1


class Pressure(Setting):
    """Leverage is `add` higher than the events imply (1 is the mean of 2025), from one month to another."""

    add: Annotated[float, Field(ge=-3, le=3, allow_inf_nan=False)]
    from_: MonthAfter | None = Field(default=None, alias="from")
    to: MonthAfter | None = None


class Condition(Setting):
    """What is learnt: the mean of a driver over some months lies below or above a value.

    leverage in its own unit (1 is the mean of 2025), deaths a month, opposition in per cent opposed, mobilisation in its own unit.
    """

    driver: Driver
    months: Months
    below: Annotated[float, Field(allow_inf_nan=False)] | None = None
    above: Annotated[float, Field(allow_inf_nan=False)] | None = Field(default=None, validate_default=True)

    @field_validator("above")
    @classmethod
    def _a_bound(cls, above: float | None, info: ValidationInfo) -> float | None:
        below = info.data.get("below")
        if "below" in info.data and above is None and below is None:
            raise PydanticCustomError("fits", "a value for below, for above, or for both")
        if above is not None and below is not None and above >= below:
            raise PydanticCustomError("fits", "a value less than that of below")
        return above


class ScenarioSpec(Setting):
    """A scenario file. `months`: the months of the story, over which its plausibility is judged."""

    title: Text
    kind: Kind
    story: Text
    assumptions: Annotated[tuple[Text, ...], AfterValidator(_not_empty)]
    not_represented: tuple[Text, ...] = ()
    months: Months = (1, 12)
    arrival: tuple[Arrival, ...] = ()
    rates: Rates | None = None
    deaths: Deaths | None = None
    opposition: Opposition | None = None
    leverage: Pressure | None = None
    condition: tuple[Condition, ...] = ()


CHANGES: Final = ("arrival", "rates", "deaths", "opposition", "leverage")
"""The keys that change the simulation."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario: its name, which is that of its file, and what the file says."""

    name: str
    says: ScenarioSpec


def read_scenarios(folder: Path) -> tuple[Scenario, ...]:
    """All scenarios of a folder (`data/scenarios`) in the order of their names; none if there is no such folder.

    Raises InputError with all that is wrong in any of them.
    """
    return _read(sorted(folder.glob("*.toml")))


def read_named(folder: Path, names: tuple[str, ...]) -> tuple[Scenario, ...]:
    """The scenarios named, in that order. Raises UsageError for a name without a file, InputError with all that is wrong in them."""
    files = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    for name in names:
        if name not in files:
            raise UsageError(
                f"There is no scenario {name!r}.", did_you_mean(name, files) if files else "`forecast scenario new` writes one."
            )
    return _read([files[name] for name in dict.fromkeys(names)])


def without_templates(scenarios: Sequence[Scenario]) -> tuple[tuple[Scenario, ...], list[Problem]]:
    """The scenarios that were written, and a problem for each that still has the title or story of the template, which is left out."""
    template = ScenarioSpec.model_validate(tomllib.loads(TEMPLATE), strict=False)
    written: list[Scenario] = []
    problems: list[Problem] = []
    for scenario in scenarios:
        same = [key for key in ("title", "story") if getattr(scenario.says, key).split() == getattr(template, key).split()]
        if not same:
            written.append(scenario)
            continue
        found = f"the {same[0]} of the template; the scenario is not run"
        expected, remedy = "a story of your own", "Edit the file, or delete it."
        problems.append(Problem(f"{scenario.name}.toml", found, expected, remedy, column=same[0], severity="warning"))
    return tuple(written), problems


def is_scenario_name(name: str) -> bool:
    """Whether a scenario may have this name: lower-case letters and digits, with single hyphens between them."""
    return _NAME.fullmatch(name) is not None


def _read(paths: list[Path]) -> tuple[Scenario, ...]:
    scenarios: list[Scenario] = []
    problems: list[Problem] = []
    for path in paths:
        spec, wrong = read_setting_file(path, ScenarioSpec.model_validate, ScenarioSpec)
        if not is_scenario_name(path.stem):
            problems.append(Problem(path.name, "this name", "lower-case letters, digits and hyphens before .toml", "Rename the file."))
        problems += wrong
        if spec is not None:
            problems += _of_one_kind(path.name, spec)
            scenarios.append(Scenario(path.stem, spec))
    if problems:
        raise InputError.of(problems)
    return tuple(scenarios)


def _of_one_kind(file: str, spec: ScenarioSpec) -> list[Problem]:
    """Problems of a file that both conditions and intervenes: a scenario does one of the two."""
    if spec.kind == "intervened" and spec.condition:
        return [
            Problem(file, "a condition", "none where kind is 'intervened'", 'Remove it, or write kind = "conditioned".', column="condition")
        ]
    if spec.kind == "intervened":
        return []
    changes: list[Any] = [key for key in CHANGES if getattr(spec, key)]
    wrong = [
        Problem(
            file,
            f"the key {key!r}",
            "conditions only where kind is 'conditioned'",
            'Remove it, or write kind = "intervened".',
            column=key,
        )
        for key in changes
    ]
    if not spec.condition:
        wrong.append(Problem(file, "no condition", "at least one [[condition]]", "Write what is learnt.", column="condition"))
    return wrong


assert get_args(get_args(Arrival.model_fields["channel"].annotation)[0]) == CHANNELS
