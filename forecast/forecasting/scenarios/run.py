"""Scenarios re-run through the engine of the forecast.

*Intervened*: a patch sets arrivals, rates or paths from outside, and the mechanism downstream of it reacts. *Conditioned*: we learn that
something is so, and only those simulated paths are left on which it is; whatever goes with it moves too. The parameters of model 5 and the
starting level of each reading stay as they are. A scenario that changes nothing gives the forecast, bit by bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from forecast.arrays.weighted_quantiles import INTERVAL, WeightedSample
from forecast.domain import CHANNELS, HORIZONS
from forecast.errors import InputError, Problem
from forecast.forecasting.companion_questions import direct_action
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.driver_simulation import HORIZON
from forecast.forecasting.history_forecast import forecast_from_history, forecast_quantities
from forecast.forecasting.interventions import ForcedArrival, Intervention
from forecast.forecasting.ladder_forecast import LadderForecast, assign_paths
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.forecasting.scenarios.plausibility import DriverMove, moves, qualifying
from forecast.forecasting.scenarios.specification import Kind, Rates, Scenario
from forecast.typing import Floats

type Tell = Callable[[float, str], None]

MIN_PATHS: Final = 50
"""Fewer paths than this say nothing worth printing about a condition."""

_BATCHES: Final = 20
_HEADLINE: Final = "reach-4-12m"
_DIRECT: Final = "event-direct-action-12m"


@dataclass(frozen=True, eq=False)
class ScenarioResult:
    """What the forecast becomes under a scenario, beside what it is without.

    probability, baseline, difference, mcse, interval: of the headline, the mixture over readings; by_horizon: months → the same level
    reached; fallen: level 1 or lower within 12 months. mcse is that of the difference, draws and paths paired.
    plausibility: intervened, the smallest tail of `moved` (None if nothing is moved); conditioned, the share of paths that qualify.
    paths: how many of them (None if intervened). questions and baselines: question id → probability.
    """

    name: str
    title: str
    kind: Kind
    story: str
    assumptions: tuple[str, ...]
    not_represented: tuple[str, ...]
    probability: float
    baseline: float
    mcse: float
    interval: tuple[float, float]
    plausibility: float | None
    moved: tuple[DriverMove, ...]
    paths: int | None
    by_horizon: Mapping[int, float]
    by_reading: Mapping[str, float]
    questions: Mapping[str, float] = field(repr=False)
    baselines: Mapping[str, float] = field(repr=False)

    @property
    def difference(self) -> float:
        return self.probability - self.baseline

    @property
    def fallen(self) -> float:
        return self.questions["fall-1-12m"]

    def as_dict(self) -> dict[str, Any]:
        """The entry of `scenarios` in report.json."""
        low, high = self.interval
        return {
            "name": self.name,
            "title": self.title,
            "kind": self.kind,
            "story": self.story,
            "assumptions": [*self.assumptions, *(f"Not represented: {text}" for text in self.not_represented)],
            "probability": self.probability,
            "baseline": self.baseline,
            "difference": self.difference,
            "mcse": self.mcse,
            "interval": {"prob": INTERVAL, "low": low, "high": high},
            "plausibility": self.plausibility,
            "by_horizon": {str(h): p for h, p in self.by_horizon.items()},
            "fallen_1_12m": self.fallen,
        }


@dataclass(frozen=True, eq=False)
class _Future:
    """A pool, the paths of it that count (None: all), and what every reading and question makes of it."""

    pool: DriverPaths
    among: NDArray[np.int_] | None
    climbs: Mapping[str, LadderForecast]
    headline: Floats  # [R, S]
    questions: Mapping[str, float]


def run_scenarios(
    situation: OriginState, draws: Mapping[str, ParameterDraws], scenarios: Sequence[Scenario], tell: Tell | None = None
) -> list[ScenarioResult]:
    """Scenarios by the draws of each reading that the situation tells apart, in the order given; those not `feasible` are left out.

    tell hears the part done and the title of what comes.
    """
    plain = situation.pool()
    can, _ = feasible(situation, scenarios, plain)
    base = _future(situation, draws, plain, None)
    out = []
    for i, scenario in enumerate(can):
        if tell:
            tell(i / len(can), scenario.says.title)
        out.append(_run(situation, draws, base, scenario))
    return out


def feasible(
    situation: OriginState, scenarios: Sequence[Scenario], pool: DriverPaths | None = None
) -> tuple[list[Scenario], list[Problem]]:
    """The scenarios that can be run, and of the others why not: too few paths meet the condition, opposition would leave its range."""
    plain = pool or situation.pool()
    can: list[Scenario] = []
    problems: list[Problem] = []
    for scenario in scenarios:
        try:
            _check(scenario, situation, plain)
            can.append(scenario)
        except InputError as e:
            problems += e.problems
    return can, problems


def _check(scenario: Scenario, situation: OriginState, plain: DriverPaths) -> None:
    patch_of(scenario, situation)
    left = qualifying(plain, scenario.says.condition).size
    if left < MIN_PATHS:
        found = f"a condition that {left} of {len(plain.leverage)} simulated paths meet"
        expected, remedy = f"one that at least {MIN_PATHS} meet", "Ask for less, or state it as intervened."
        raise InputError.of([Problem(f"{scenario.name}.toml", found, expected, remedy, column="condition")])


def patch_of(scenario: Scenario, situation: OriginState) -> Intervention:
    """What an intervened scenario sets from outside. InputError if opposition would leave 1..99 %."""
    says = scenario.says
    first, last = says.months
    rates = says.rates or Rates(factors={})
    deaths: Floats | None = None
    opposition: Floats | None = None
    leverage: Floats | None = None
    if says.deaths:
        deaths = np.log(says.deaths.factor) * _ramp(says.deaths.from_ or first, says.deaths.over)
    if says.opposition:
        step = _logits(scenario.name, says.opposition.points, float(situation.opposition.mean[-1]))
        opposition = step * _ramp(says.opposition.from_ or first, says.opposition.over)
    if says.leverage:
        t = np.arange(HORIZON + 1)
        pushed = (t >= (says.leverage.from_ or first)) & (t <= (says.leverage.to or last))
        leverage = np.where(pushed, says.leverage.add, 0.0)
    return Intervention(
        forced=tuple(
            ForcedArrival(month, a.stream, a.channel or _channel_of(a.stream), a.intensity or 0, a.ends)
            for a in says.arrival
            for month in a.months
        ),
        rates=rates.factors,
        rates_from=rates.from_ or first,
        rates_to=rates.to or last,
        deaths=deaths,
        opposition=opposition,
        leverage=leverage,
    )


def _channel_of(stream: str) -> str:
    channel = stream.partition(".")[2]
    return channel if channel in CHANNELS else ""


def _ramp(first: int, over: int) -> Floats:
    """[H + 1]: from 0 before `first` evenly up to 1 in the last of `over` months, and 1 from then on."""
    return np.clip((np.arange(HORIZON + 1) - first + 1) / over, 0.0, 1.0)


def _logits(name: str, points: float, now: float) -> float:
    share = float(expit(now)) + points / 100.0
    if not 0.01 <= share <= 0.99:
        found = f"points = {points:g}, where {100 * expit(now):.0f} % are opposed now"
        raise InputError.of(
            [Problem(f"{name}.toml", found, "a share between 1 and 99 %", "Write fewer points.", column="opposition.points")]
        )
    return float(logit(share)) - now


def _run(situation: OriginState, draws: Mapping[str, ParameterDraws], base: _Future, scenario: Scenario) -> ScenarioResult:
    says = scenario.says
    moved: tuple[DriverMove, ...] = ()
    if says.kind == "conditioned":
        among = qualifying(base.pool, says.condition)
        pool = base.pool
        plausibility: float | None = among.size / len(pool.leverage)
    else:
        among = None
        pool = situation.pool(patch_of(scenario, situation))
        moved = moves(pool, base.pool, says.months)
        plausibility = moved[0].tail if moved else None
    found = _future(situation, draws, pool, among)
    weights = np.array([situation.weights[name] for name in draws])
    return ScenarioResult(
        name=scenario.name,
        title=says.title,
        kind=says.kind,
        story=" ".join(says.story.split()),
        assumptions=says.assumptions,
        not_represented=says.not_represented,
        probability=found.questions[_HEADLINE],
        baseline=base.questions[_HEADLINE],
        mcse=_error_of_difference(situation, base, found, weights),
        interval=WeightedSample.mixture(found.headline, weights).interval(),
        plausibility=plausibility,
        moved=moved,
        paths=None if among is None else among.size,
        by_horizon={h: found.questions[f"reach-4-{h}m"] for h in HORIZONS},
        by_reading=dict(zip(draws, map(float, found.headline.mean(1)), strict=True)),
        questions=found.questions,
        baselines=base.questions,
    )


def _future(situation: OriginState, draws: Mapping[str, ParameterDraws], pool: DriverPaths, among: NDArray[np.int_] | None) -> _Future:
    climbs = {name: forecast_from_history(situation, d, pool, situation.histories[name], among) for name, d in draws.items()}
    weights = np.array([situation.weights[name] for name in draws])
    by_reading = {name: forecast_quantities(climb) for name, climb in climbs.items()}
    questions = {
        id_: float(weights @ np.array([found[id_].mean() for found in by_reading.values()])) for id_ in next(iter(by_reading.values()))
    }
    size = next(iter(draws.values())).size
    paths = assign_paths(size, len(pool.leverage), situation.seed + 2, among=among)
    direct = direct_action(situation.priors, pool, paths, (12,), np.random.default_rng(situation.seed + 5))[12]
    questions[_DIRECT] = float(direct.probability.mean())
    headline = np.array([found[_HEADLINE] for found in by_reading.values()])
    return _Future(pool, among, climbs, headline, questions)


def _error_of_difference(situation: OriginState, base: _Future, found: _Future, weights: Floats) -> float:
    """Monte Carlo error of the headline's difference.

    Over draws: by means of batches of consecutive draws, which bear with the memory of a chain; readings are fitted apart. Over paths: by
    the slots, each of its own batch of the pool, which all readings share.
    """
    difference = found.headline - base.headline
    s = difference.shape[1] // _BATCHES * _BATCHES
    batches = difference[:, :s].reshape(len(weights), _BATCHES, -1).mean(-1)
    over_draws = (weights**2 * batches.var(1, ddof=1)).sum() / _BATCHES
    slots = sum(
        situation.weights[name] * (found.climbs[name].slot_means("reached_by", 4, 12) - climb.slot_means("reached_by", 4, 12))
        for name, climb in base.climbs.items()
    )
    over_paths = np.var(slots, ddof=1) / np.size(slots)
    return float(np.sqrt(over_draws + over_paths))
