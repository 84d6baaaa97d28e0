"""The parts of a report that are about the fit: parameters, replicated histories, diagnostics, and what the headline is made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from forecast.report.models.base import Count, LevelNumber, NonNegative, Part, Probability, Text

type Pair = Annotated[list[float], Field(min_length=2, max_length=2)]
type PairOfProbabilities = Annotated[list[Probability], Field(min_length=2, max_length=2)]
type SensitivityLabel = Literal["prior–data conflict", "strong prior, weak likelihood", "no sensitivity"]
"""Of power scaling (Kallioinen et al., Statistics and Computing 34:57, 2024)."""


class QuantileTriple(Part):
    """5, 50 and 95 % quantiles."""

    q05: float
    q50: float
    q95: float


class PriorSummary(QuantileTriple):
    """A prior as it is written, and its quantiles."""

    text: Text


class ParameterSummary(QuantileTriple):
    """Mean, standard deviation and quantiles."""

    mean: float
    sd: NonNegative


class Parameter(Part):
    """A parameter of the main reading.

    contraction: 1 − variance / prior variance; shift: move of the mean in prior standard deviations, both on the prior's normal scale;
    learnt: whether either is large; transitions: how many changes of level bear on it.
    """

    name: Text
    symbol: Text
    words: Text
    unit: str
    prior: PriorSummary
    posterior: ParameterSummary
    contraction: float | None
    shift: float | None
    learnt: bool
    transitions: Count | None


class BetaSummary(Part):
    """Mean, and 5 and 95 % quantiles, of a probability."""

    mean: Probability
    q05: Probability
    q95: Probability


class Skip(Part):
    """Whether a change that reaches `level` goes on to the next in the same month; went_on, stopped: how many did in Mexico's record."""

    direction: Literal["up", "down"]
    level: LevelNumber
    prior: BetaSummary
    posterior: BetaSummary
    went_on: Count
    stopped: Count


class ReplicatedStatisticEntry(QuantileTriple):
    """A statistic of the record beside that of simulated histories. tail_p: share of these that are as far out or further."""

    statistic: Text
    observed: float
    tail_p: Probability


class Replicates(Part):
    """The record beside histories simulated from the prior and from the posterior; observed: statistic → value in the record."""

    observed: dict[str, float]
    prior: list[ReplicatedStatisticEntry]
    posterior: list[ReplicatedStatisticEntry]


class HeadlineMove(Part):
    """The headline after something was changed by weighting the draws; k_hat: null if all weigh the same or no Pareto fits their tail."""

    probability: Probability
    difference: float
    k_hat: float | None
    ess: NonNegative


class PowerMove(HeadlineMove):
    """With a prior or a likelihood raised to the power alpha."""

    alpha: float


class ShiftMove(HeadlineMove):
    """With a prior moved by so many of its standard deviations."""

    sds: float


class OwnSensitivityEntry(Part):
    """How strongly a parameter's own posterior reacts to its prior and to the data."""

    prior: NonNegative
    data: NonNegative


class Component(Part):
    """A prior or a block of data, and what the headline is with it changed.

    moves: counting less and counting more; tilts: a prior half a standard deviation lower and higher; sensitivity: how fast the headline
    reacts; note: why it was not scaled, if it was not.
    """

    name: Text
    kind: Literal["prior", "data", "all"]
    symbol: Text | None
    words: Text
    moves: list[PowerMove]
    tilts: list[ShiftMove]
    sensitivity: NonNegative | None
    own: OwnSensitivityEntry | None
    label: SensitivityLabel | None
    note: str


class CrossingEntry(Part):
    """The value at which the headline is `line`, with its Monte Carlo error; null where it never is. rough: too few draws there."""

    line: Probability
    value: float | None
    error: float | None
    rough: bool


class CurvePoint(Part):
    """The headline at one value of a parameter. trusted: whether there are draws enough."""

    value: float
    probability: Probability
    mcse: NonNegative
    k_hat: float | None
    trusted: bool


class Flip(Part):
    """A parameter, and the values at which the headline crosses round numbers, looked for from low to high."""

    name: Text
    symbol: Text
    words: Text
    unit: Text
    now: float
    low: float
    high: float
    crossings: list[CrossingEntry]
    curve: list[CurvePoint]


class SweptSetting(Part):
    """A setting that the fit does not estimate, at another value. part: which channel or reading, if it has parts."""

    name: Text
    words: Text
    part: str
    value: float
    accepted: bool
    probability: Probability
    difference: float
    k_hat: float | None


class BiasCrossing(CrossingEntry):
    """sixty_is: the true share where polls say 60 %; now_is: the true share today; null where there is no crossing."""

    sixty_is: Probability | None
    now_is: Probability | None


class SharedBiasEntry(Part):
    """The headline if all pollsters had the same bias, in logits, up to `most` either way; trusted: up to where the draws suffice."""

    most: float
    trusted: NonNegative
    opposed_now: Probability
    low: Probability
    high: Probability
    sixty_at_most: PairOfProbabilities
    crossings: list[BiasCrossing]
    halved: BiasCrossing | None
    doubled: BiasCrossing | None
    curve: list[CurvePoint]


class SensitivitySection(Part):
    """What the headline is made of, as `forecast priors sensitivity --json` has it."""

    headline: Text
    probability: Probability
    powers: Pair
    tilts: Pair
    threshold: float
    label: SensitivityLabel
    scaled: list[Component]
    flips: list[Flip]
    sweeps: list[SweptSetting]
    shared_bias: SharedBiasEntry


class Directions(Part):
    """Share of draws in which the chance of level 4 does not fall when leverage rises, or opposition falls, all else held.

    The first two are among draws whose effects have the expected sign; null if there is none.
    """

    share_leverage_up: Probability | None
    share_opposition_down: Probability | None
    share_leverage_up_all: Probability | None
    share_opposition_down_all: Probability | None
    note: str


class FitDiagnostics(Part):
    """What the gate found of one fit; null where a reason before it made a number meaningless."""

    status: Literal["pass", "fail"]
    reasons: list[str]
    finite: bool
    chains: Count
    draws: Count
    divergences: Count
    rhat_max: float | None
    ess_bulk_min: float | None
    ess_tail_min: float | None
    bfmi_min: float | None
    constant: list[str]
    retried: bool


class WeightedFit(Part):
    """How far the importance weights of a model that is not sampled by MCMC can be trusted."""

    k_hat: float | None
    effective: NonNegative


class DiagnosticsSection(FitDiagnostics):
    """The worst over readings; by_reading: of each; weighted: by model that is sampled by importance."""

    by_reading: dict[str, FitDiagnostics]
    weighted: dict[str, WeightedFit]
