"""The forecast under a scenario.

*Intervened*: events, rates or paths of the drivers are set from outside, and everything downstream of them reacts. *Conditioned*: we learn
that something is true; only the simulated paths on which it is true are kept, so whatever goes with it changes too. The parameters of model
5 and the starting level of each reading do not change. A scenario that changes nothing gives exactly the forecast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecast.arrays.transforms import expit, logit
from forecast.arrays.weighted_quantiles import INTERVAL, WeightedSample
from forecast.domain import CHANNELS, HORIZONS
from forecast.errors import InputError, Problem
from forecast.forecasting.companion_questions import direct_action
from forecast.forecasting.driver_paths import DriverPaths, ForcedArrival, Intervention
from forecast.forecasting.driver_simulation import HORIZON
from forecast.forecasting.ladder_forecast import (
    QUESTIONS,
    THREADS,
    LadderForecast,
    assign_paths,
    forecast_from_history,
    question_probabilities,
)
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.parameter_draws import ParameterDraws
from forecast.forecasting.scenarios.plausibility import DriverMove, driver_moves, qualifying_paths
from forecast.forecasting.scenarios.specification import Kind, Rates, Scenario
from forecast.progress import Report
from forecast.typing import Arrays, Floats

MIN_PATHS: Final = 50
"""A condition that fewer paths meet is refused: the forecast would be too noisy."""

_BATCHES: Final = 20
_HEADLINE: Final = "reach-4-12m"
_DIRECT: Final = "event-direct-action-12m"


@dataclass(frozen=True, eq=False)
class ScenarioResult:
    """The forecast under a scenario, compared with the forecast without it.

    name, title, kind, story, assumptions, not_represented  as in the scenario's file
    probability   the headline under the scenario, the mixture over readings
    baseline      the headline without it
    mcse          Monte Carlo standard error of the difference; draws and paths are paired
    interval      80 % interval of `probability`
    plausibility  intervened: the smallest tail of `moved`, None if nothing moves; conditioned: the share of paths that meet the condition
    moved         the drivers that it moves
    paths         number of paths that meet the condition; None if intervened
    by_horizon    months → probability of reaching the headline's level
    by_reading    reading → headline
    questions     question id → probability under the scenario
    baselines     question id → probability without it
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
    """A forecast from one set of driver paths.

    headline   [R, S] probability by reading and draw
    slots      [R, P] the same by reading and batch of paths
    questions  question id → probability
    """

    headline: Floats
    slots: Floats
    questions: Mapping[str, float]


def run_scenarios(
    origin_state: OriginState,
    draws: Mapping[str, ParameterDraws],
    scenarios: Sequence[Scenario],
    report: Report | None = None,
    ladders: Mapping[str, LadderForecast] | None = None,
    arrays: Arrays | None = None,
) -> list[ScenarioResult]:
    """The forecast under each scenario, from the draws of each reading; scenarios that are not feasible are left out.

    report: called with the share done and the title of the next scenario.
    ladders: reading → the forecast from these draws without any scenario, where it was made before.
    arrays: of the `draws.npz` that the draws are from, which has that forecast too, rounded as the draws are.
    """
    plain = origin_state.pool()
    can, _ = feasible_scenarios(origin_state, scenarios, plain)
    if not can:
        return []
    base = (arrays and _stored(origin_state, arrays, plain)) or _future(origin_state, draws, plain, None, ladders)
    out = []
    for i, scenario in enumerate(can):
        if report:
            report(i / len(can), scenario.says.title)
        out.append(_run(origin_state, draws, plain, base, scenario))
    return out


def feasible_scenarios(
    origin_state: OriginState, scenarios: Sequence[Scenario], pool: DriverPaths | None = None
) -> tuple[list[Scenario], list[Problem]]:
    """The scenarios that can be run, and a problem for each other one: too few paths meet its condition, or opposition leaves its range."""
    plain = pool or origin_state.pool()
    can: list[Scenario] = []
    problems: list[Problem] = []
    for scenario in scenarios:
        try:
            _check(scenario, origin_state, plain)
            can.append(scenario)
        except InputError as e:
            problems += e.problems
    return can, problems


def _check(scenario: Scenario, origin_state: OriginState, plain: DriverPaths) -> None:
    intervention_of(scenario, origin_state)
    left = qualifying_paths(plain, scenario.says.condition).size
    if left < MIN_PATHS:
        found = f"a condition that {left} of {len(plain.leverage)} simulated paths meet"
        expected, remedy = f"one that at least {MIN_PATHS} meet", "Weaken the condition, or write the scenario as intervened."
        raise InputError.of([Problem(f"{scenario.name}.toml", found, expected, remedy, column="condition")])


def intervention_of(scenario: Scenario, origin_state: OriginState) -> Intervention:
    """The changes to the driver simulation that an intervened scenario makes. InputError if opposition would leave 1..99 %."""
    says = scenario.says
    first, last = says.months
    rates = says.rates or Rates(factors={})
    deaths: Floats | None = None
    opposition: Floats | None = None
    leverage: Floats | None = None
    if says.deaths:
        deaths = np.log(says.deaths.factor) * _ramp(says.deaths.from_ or first, says.deaths.over)
    if says.opposition:
        step = _logits(scenario.name, says.opposition.points, float(origin_state.opposition.mean[-1]))
        opposition = step * _ramp(says.opposition.from_ or first, says.opposition.over)
    if says.leverage:
        t = np.arange(HORIZON + 1)
        active = (t >= (says.leverage.from_ or first)) & (t <= (says.leverage.to or last))
        leverage = np.where(active, says.leverage.add, 0.0)
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
    """[H + 1]: 0 before month `first`, rising evenly to 1 over `over` months, then 1."""
    return np.clip((np.arange(HORIZON + 1) - first + 1) / over, 0.0, 1.0)


def _logits(name: str, points: float, now: float) -> float:
    share = float(expit(now)) + points / 100.0
    if not 0.01 <= share <= 0.99:
        found = f"points = {points:g}, where {100 * expit(now):.0f} % are opposed now"
        raise InputError.of(
            [Problem(f"{name}.toml", found, "a share between 1 and 99 %", "Write fewer points.", column="opposition.points")]
        )
    return float(logit(share)) - now


def _run(
    origin_state: OriginState, draws: Mapping[str, ParameterDraws], plain: DriverPaths, base: _Future, scenario: Scenario
) -> ScenarioResult:
    says = scenario.says
    moved: tuple[DriverMove, ...] = ()
    if says.kind == "conditioned":
        among = qualifying_paths(plain, says.condition)
        pool = plain
        plausibility: float | None = among.size / len(pool.leverage)
    else:
        among = None
        pool = origin_state.pool(intervention_of(scenario, origin_state))
        moved = driver_moves(pool, plain, says.months)
        plausibility = moved[0].tail if moved else None
    future = _future(origin_state, draws, pool, among)
    weights = np.array([origin_state.weights[name] for name in draws])
    return ScenarioResult(
        name=scenario.name,
        title=says.title,
        kind=says.kind,
        story=" ".join(says.story.split()),
        assumptions=says.assumptions,
        not_represented=says.not_represented,
        probability=future.questions[_HEADLINE],
        baseline=base.questions[_HEADLINE],
        mcse=_error_of_difference(base, future, weights),
        interval=WeightedSample.mixture(future.headline, weights).interval(),
        plausibility=plausibility,
        moved=moved,
        paths=None if among is None else among.size,
        by_horizon={h: future.questions[f"reach-4-{h}m"] for h in HORIZONS},
        by_reading=dict(zip(draws, map(float, future.headline.mean(1)), strict=True)),
        questions=future.questions,
        baselines=base.questions,
    )


def _future(
    origin_state: OriginState,
    draws: Mapping[str, ParameterDraws],
    pool: DriverPaths,
    among: NDArray[np.int_] | None,
    ladders: Mapping[str, LadderForecast] | None = None,
) -> _Future:
    if ladders is None:
        with ThreadPoolExecutor(THREADS) as threads:  # the compiled recursion lets go of the interpreter
            futures = threads.map(
                lambda name: forecast_from_history(origin_state, draws[name], pool, origin_state.histories[name], among), draws
            )
            ladders = dict(zip(draws, futures, strict=True))
    weights = np.array([origin_state.weights[name] for name in draws])
    by_reading = [question_probabilities(ladder) for ladder in ladders.values()]
    questions = {id_: float(weights @ [p[id_].mean() for p in by_reading]) for id_ in by_reading[0]}
    headline = np.array([p[_HEADLINE] for p in by_reading])
    slots = np.array([ladder.path_batch_means("reached_by", 4, 12) for ladder in ladders.values()])
    return _Future(headline, slots, questions | _direct(origin_state, pool, headline.shape[1], among))


def _stored(origin_state: OriginState, arrays: Arrays, plain: DriverPaths) -> _Future | None:
    """The forecast that a run keeps; None if it did not ask all questions."""
    ids = [str(id_) for id_ in arrays["questions"]] if "questions" in arrays else []
    if not set(QUESTIONS) <= set(ids):
        return None
    names = [str(name) for name in arrays["readings"]]
    weights = np.array([origin_state.weights[name] for name in names])
    by_draw = np.array([arrays[f"{name}/questions"] for name in names], float)  # [R, Q, S]
    row = ids.index(_HEADLINE)
    slots = np.array([arrays[f"{name}/slots"][row] for name in names], float)
    questions = dict(zip(ids, (weights @ by_draw.mean(2)).tolist(), strict=True))
    return _Future(by_draw[:, row], slots, questions | _direct(origin_state, plain, by_draw.shape[2], None))


def _direct(origin_state: OriginState, pool: DriverPaths, size: int, among: NDArray[np.int_] | None) -> dict[str, float]:
    paths = assign_paths(size, len(pool.leverage), origin_state.seed + 2, among=among)
    direct = direct_action(origin_state.priors, pool, paths, (12,), np.random.default_rng(origin_state.seed + 5))[12]
    return {_DIRECT: float(direct.probability.mean())}


def _error_of_difference(base: _Future, future: _Future, weights: Floats) -> float:
    """Monte Carlo standard error of the difference of the headline.

    Over draws: from means of batches of consecutive draws, because draws of a chain are correlated; readings are independent fits. Over
    paths: from the independent batches of paths, which all readings share.
    """
    difference = future.headline - base.headline
    s = difference.shape[1] // _BATCHES * _BATCHES
    batches = difference[:, :s].reshape(len(weights), _BATCHES, -1).mean(-1)
    over_draws = (weights**2 * batches.var(1, ddof=1)).sum() / _BATCHES
    by_batch = weights @ (future.slots - base.slots)
    over_paths = by_batch.var(ddof=1) / by_batch.size
    return float(np.sqrt(over_draws + over_paths))
