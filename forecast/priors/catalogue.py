"""All priors by name: symbol, meaning, unit, and the values that are allowed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from forecast.data.suggestions import nearest_words
from forecast.domain import CHANNELS, LEVELS, TOP
from forecast.errors import InputError
from forecast.priors.distributions import Beta, Distribution, Fixed, Gamma, HalfNormal, LogNormal, Normal, Quantiles, Scale
from forecast.priors.specs import NamedNumbers, PriorSpec, SpecError, Weights, family_name

type Model = Literal["outside view", "overdose", "opposition", "events", "tolerance", "leverage", "readings", "exposure"]


@dataclass(frozen=True, slots=True)
class PriorDefinition:
    """The definition of a prior.

    what      one plain sentence
    unit      of the quantity
    families  the families in which it may be stated
    model     the part of the forecast that uses it
    file      the prior file it stands in
    support   the range that the quantity can be in (open below, closed above)
    needs     values at which the density must be positive, if a shift moves the support
    scale     of its quantiles
    parts     the names that weights or a table must have; empty if they come from the data
    """

    name: str
    symbol: str
    what: str
    unit: str
    families: tuple[type[PriorSpec], ...]
    model: Model
    file: str
    support: tuple[float, float]
    needs: tuple[float, ...] = ()
    scale: Scale | None = None
    parts: tuple[str, ...] = ()

    @property
    def family_names(self) -> str:
        return " or ".join(family_name(f) for f in self.families)


SHARPEST: Final = 0.001
"""The smallest sd. A smaller one is the same as a fixed number in single precision, in which draws are stored."""
LARGEST: Final[Mapping[str, float]] = MappingProxyType({"log-odds": 20.0, "logits": 6.0, "log rate": 10.0})
"""The largest mean and sd of an effect, by the first word of its unit. e^20 is half a billion."""
MONTHS: Final = (0.1, 1e4)
CHANCES: Final = (1e-6, 1 - 1e-6)
COUNTS: Final = (0.01, 1e4)
"""Range of the parameters of a Beta and a Gamma, which can be read as numbers of cases."""
SPREAD: Final = 3.0
"""The largest sd of a logarithm: 90 % of values within a factor of 140 either way."""
REAL_LINE: Final = (-math.inf, math.inf)
ABOVE_0: Final = (0.0, math.inf)
SHARE: Final = (0.0, 1.0)
COMPANIONS: Final = MappingProxyType(
    {
        "senate-vote-in": "votes of Mexico's Senate that let US forces in",
        "mass-hand-over": "hand-overs of twenty or more persons",
        "designation": "new US designations of Mexican groups as terrorist",
        "new-tariff": "new US tariff measures",
        "deemed-sufficient": "US acts that call what Mexico did sufficient",
        "deemed-insufficient": "US acts that call what Mexico did insufficient",
    }
)
READINGS_MAIN: Final = "main"
CLASSES: Final = ("all_but_failed", "drug_cases", "like_mexico")
WIDENING: Final = ("rise_low", "rise_high", "stay_low", "stay_high")


def _effect(name: str, symbol: str, what: str, unit: str, model: Model, file: str) -> PriorDefinition:
    return PriorDefinition(name, symbol, what, unit, (Normal,), model, file, REAL_LINE)


def _spread(name: str, symbol: str, what: str, unit: str, model: Model, file: str) -> PriorDefinition:
    return PriorDefinition(name, symbol, what, unit, (HalfNormal,), model, file, ABOVE_0)


def _ladder() -> Iterable[PriorDefinition]:
    for j in range(TOP):
        what = f"How likely a rise from {LEVELS[j]} is within twelve months without pressure, falls ignored."
        yield PriorDefinition(
            f"ladder.rise.{j}", f"q_{j}", what, "12-month probability", (Quantiles,), "tolerance", "ladder", SHARE, scale="logit"
        )
    for j in range(1, TOP + 1):
        what = f"How long {LEVELS[j]} lasts before a fall without pressure, rises ignored: the median, after its first month."
        yield PriorDefinition(f"ladder.stay.{j}", f"m_{j}", what, "months", (Quantiles,), "tolerance", "ladder", ABOVE_0, scale="log")
    for direction, mark, verb in (("up", "s", "rise"), ("down", "s′", "fall")):
        for i in range(1, TOP):
            what = f"How likely a {verb} that reaches {LEVELS[i]} goes on to the next level in the same month."
            name = f"ladder.skip_{direction}.{i}"
            yield PriorDefinition(name, f"{mark}_{i}", what, "probability", (Beta, Quantiles), "tolerance", "ladder", SHARE, scale="beta")
    yield _effect("ladder.just_risen", "φ", "How much more likely a fall is in the month after a rise.", "log-odds", "tolerance", "ladder")


def _drivers() -> Iterable[PriorDefinition]:
    full = "full US pressure, as in 2025"
    what = f"What {full}, adds to the monthly log-odds of a rise."
    yield _effect("leverage.effect", "π⁺", what, "log-odds", "tolerance", "leverage")
    what = f"What {full}, adds to the monthly log-odds of a fall."
    yield _effect("leverage.effect_on_falls", "π⁻", what, "log-odds", "tolerance", "leverage")
    what = "The weights of the channels of US pressure."
    yield PriorDefinition("leverage.weights", "w", what, "share", (Weights,), "leverage", "leverage", SHARE, parts=CHANNELS)
    for channel in CHANNELS:
        what = f"How long a {channel} threat or act is remembered: months until half of its effect is gone."
        yield PriorDefinition(f"leverage.half_life.{channel}", f"h_{channel}", what, "months", (Fixed,), "leverage", "leverage", ABOVE_0)
    what = "How much a doubling of US opioid deaths adds to tolerance."
    yield _effect("overdose.level_effect", "β_O1", what, "log-odds a doubling", "tolerance", "overdose")
    what = "How much growth of US opioid deaths over a year adds to tolerance."
    yield _effect("overdose.change_effect", "β_O2", what, "log-odds a log unit", "tolerance", "overdose")
    what = "How much one logit more Mexican opposition to US operations lowers tolerance."
    yield _effect("opposition.effect", "β_D", what, "log-odds a logit", "tolerance", "opposition")
    what = "How much opposition a mobilisation as strong as that of 2025 adds."
    yield _spread("opposition.mobilisation", "λ", what, "logits", "tolerance", "opposition")
    yield _spread("administration.sd", "σ_α", "How far Mexican administrations differ in tolerance.", "log-odds", "tolerance", "drift")
    yield _spread("drift.sd", "σ_u", "How far tolerance drifts for reasons that are not measured.", "log-odds", "tolerance", "drift")
    what = "How long the drift lasts: months until half of it is gone."
    yield PriorDefinition("drift.half_life", "h_u", what, "months", (LogNormal,), "tolerance", "drift", ABOVE_0, needs=(12.0, 24.0))


def _polls() -> Iterable[PriorDefinition]:
    model: Model = "opposition"
    asked = {"unilateral": "without Mexico's consent", "coordinated": "in coordination with Mexico", "agents": "by agents, not troops"}
    for kind, says in asked.items():
        what = f"How a question on action {says} shifts the share opposed, against one that does not say."
        yield _effect(f"opposition.wording.{kind}", f"τ_{kind}", what, "logits", model, "opposition")
    what = "How far pollsters and their questions differ from each other."
    yield _spread("opposition.house_sd", "ρ", what, "logits", model, "opposition")
    yield _spread("opposition.walk_sd", "σ_d", "How far opposition moves in a quarter.", "logits", model, "opposition")
    yield _spread("opposition.poll_noise", "σ_e", "How far a poll misses beyond its sampling error.", "logits", model, "opposition")
    what = "How much disfavour of the United States moves with opposition to its operations."
    yield _effect("opposition.favourability", "ω", what, "logits a logit", model, "opposition")
    what = "The share unfavourable to the United States when 60 % oppose operations."
    yield _effect("opposition.favourability_intercept", "m_f", what, "logits", model, "opposition")
    yield _effect("opposition.start", "d_first", "The share opposed to US operations in early 2000.", "logits", model, "opposition")


def _events() -> Iterable[PriorDefinition]:
    what = "How much concessions calm Washington: fewer threats and measures, more relaxations, in log rate."
    yield _effect("events.sufficiency", "η_S", what, "log rate a concession", "events", "events")
    what = "How much pressure mobilises opposition in Mexico, in log rate."
    yield _effect("events.backlash", "η_B", what, "log rate at full pressure", "events", "events")
    what = "How much overdose deaths raise US demands, in log rate."
    yield _effect("events.demand", "η_O", what, "log rate a doubling", "events", "events")
    what = "How likely it is that a yearly US determination says that Mexico failed demonstrably."
    yield PriorDefinition("events.determination", "p", what, "probability", (Beta,), "events", "events", SHARE)
    for slug, plural in COMPANIONS.items():
        what = f"How often there are {plural}."
        yield PriorDefinition(f"companion.{slug}", f"Λ_{slug}", what, "a month", (Gamma,), "events", "companion", ABOVE_0)
    what = "How likely a US strike, killing or capture that Mexico resists is within twelve months at full pressure."
    yield PriorDefinition("direct.rate", "q_D", what, "12-month probability", (Quantiles,), "events", "direct", SHARE, scale="logit")
    what = "What US pressure, from none to full, adds to the monthly log-odds of such an act."
    yield _effect("direct.leverage", "π_D", what, "log-odds", "events", "direct")


def _judgements() -> Iterable[PriorDefinition]:
    what = "How much each reading of the past is believed."
    yield PriorDefinition("readings.weights", "w_r", what, "share", (Weights,), "readings", "readings", SHARE)
    for k in (3, 4):
        what = f"How long {LEVELS[k]} stays unknown when it does come out: the median delay."
        yield PriorDefinition(
            f"exposure.delay.{k}", f"μ_{k}", what, "months", (LogNormal,), "exposure", "exposure", ABOVE_0, needs=(1.0, 24.0)
        )
        what = f"The share of {LEVELS[k]} that never comes out."
        yield PriorDefinition(f"exposure.never.{k}", f"ν_{k}", what, "share", (Beta,), "exposure", "exposure", SHARE)
    what = "The factor on other states' rates of reaching covert action. They were chosen because something happened there."
    yield PriorDefinition("outside_view.selection", "f", what, "factor", (Fixed,), "outside view", "outside_view", SHARE)
    what = "How much each class of comparable states counts."
    yield PriorDefinition("outside_view.classes", "c", what, "share", (Weights,), "outside view", "outside_view", SHARE, parts=CLASSES)
    what = "How far the outside view is widened, because Mexico is not one of those states."
    yield PriorDefinition(
        "outside_view.widening", "–", what, "sd (logit, log)", (NamedNumbers,), "outside view", "outside_view", ABOVE_0, parts=WIDENING
    )


CATALOGUE: Final[Mapping[str, PriorDefinition]] = MappingProxyType(
    {entry.name: entry for group in (_ladder(), _drivers(), _polls(), _events(), _judgements()) for entry in group}
)
"""All named priors, in the order in which they are listed."""


RENAMED: Final[Mapping[str, str]] = MappingProxyType({"ladder.fresh": "ladder.just_risen"})
"""Old name → current name. Edits that the history has under an old name count for the prior with the current name."""


def check_known(name: str) -> None:
    """InputError unless there is a prior of this name."""
    if name not in CATALOGUE:
        raise InputError(f"There is no prior named {name!r}.", f"{name_remedy(name)} `forecast priors list` names them all.")


def name_remedy(name: str) -> str:
    """A sentence that says what to write instead of an unknown name: the prior's current name, or the most similar one."""
    if name in RENAMED:
        return f"This prior is now called {RENAMED[name]}."
    return f"Did you mean {closest_name(name)}?"


def closest_name(name: str) -> str:
    """The current name of a renamed prior, else the most similar name."""
    return RENAMED.get(name) or nearest_words(name, CATALOGUE, 1, 0.0)[0]


def check_spec(entry: PriorDefinition, spec: PriorSpec) -> None:
    """SpecError for a wrong family, a support too wide, a support without values that the model needs, or wrong parts."""
    if not isinstance(spec, entry.families) or (isinstance(spec, Quantiles) and spec.scale != entry.scale):
        raise SpecError(str(spec), f"{entry.family_names} for {entry.name}", f"It is about: {entry.what}")
    if isinstance(spec, Weights | NamedNumbers):
        _check_parts(entry, spec)
    if isinstance(spec, Distribution):
        _check_support(entry, spec)
    if isinstance(spec, Distribution | NamedNumbers):
        _check_size(entry, spec)


def _check_parts(entry: PriorDefinition, spec: Weights | NamedNumbers) -> None:
    if not entry.parts and READINGS_MAIN not in spec.values:
        raise SpecError(str(spec), f"a weight of {READINGS_MAIN}", "Name the readings of readings.csv, and main.")
    if entry.parts and set(spec.values) != set(entry.parts):
        raise SpecError(str(spec), f"exactly the parts {', '.join(entry.parts)}", "Add the missing parts and remove the others.")


def _check_size(entry: PriorDefinition, spec: Distribution | NamedNumbers) -> None:
    """SpecError for numbers that make no sense in the unit of the prior, and on which arithmetic fails."""
    for what, value, (least, most) in _stated(entry, spec):
        if not least <= value <= most:
            expected = f"{what} from {least:g} to {most:.7g} for {entry.name} (unit: {entry.unit})"
            raise SpecError(str(spec), expected, "Choose a number in that range.")


def _stated(entry: PriorDefinition, spec: Distribution | NamedNumbers) -> Iterator[tuple[str, float, tuple[float, float]]]:
    """Each number of a spec: its name, its value, and the allowed range."""
    largest = next((most for unit, most in LARGEST.items() if entry.unit.startswith(unit)), MONTHS[1])
    range_ = MONTHS if entry.unit == "months" else CHANCES
    match spec:
        case Normal(mean, sd):
            yield from (("a mean", mean, (-largest, largest)), ("an sd", sd, (SHARPEST, largest)))
        case HalfNormal(sd):
            yield "an sd", sd, (SHARPEST, largest)
        case Beta(a, b):
            yield from (("a first number", a, COUNTS), ("a second number", b, COUNTS))
        case Gamma(shape, rate):
            yield from (("a shape", shape, COUNTS), ("a rate", rate, COUNTS))
        case LogNormal(median, sd, shift):
            yield from (("a median", median, range_), ("an sd of the logarithm", sd, (SHARPEST, SPREAD)))
            yield "a shift", shift, (-MONTHS[1], MONTHS[1])
        case Quantiles(q05, q50, q95):
            yield from (("quantiles", q, range_) for q in (q05, q50, q95))
            if spec.scale != "beta":
                yield "an sd on the scale of the logarithm or the log-odds", spec.sd, (SHARPEST, math.inf)
        case Fixed(value):
            yield "a number", value, range_ if entry.unit == "months" else (SHARPEST, 1.0)
        case NamedNumbers(values):
            yield from ((f"{part}, an sd,", value, (0.0, 10.0)) for part, value in values.items())


def _check_support(entry: PriorDefinition, spec: Distribution) -> None:
    (low, high), (least, most) = spec.support, entry.support
    single = low == high  # a setting: the range is open below
    if low < least or high > most or (single and low <= least):
        raise SpecError(
            str(spec), f"values above {least:g}" + (f", at most {most:g}" if math.isfinite(most) else ""), "Correct the number."
        )
    cut = [value for value in entry.needs if not low < value < high]
    if cut:
        remedy = "The model needs this value to be possible; use a smaller shift."
        raise SpecError(str(spec), f"a support that holds {cut[0]:g} {entry.unit}", remedy)
