"""Scenarios through the engine: exact where nothing changes, in the right direction where something does, honest about how far-fetched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from forecast import workspace as places
from forecast.errors import InputError
from forecast.forecasting.driver_paths import DriverPaths
from forecast.forecasting.ladder_forecast import assign_paths, forecast_from_history, forecast_ladder, question_probabilities
from forecast.forecasting.origin_state import OriginState
from forecast.forecasting.parameter_draws import ParameterDraws, from_prior
from forecast.forecasting.scenarios.plausibility import driver_moves, qualifying_paths, two_sided_tail
from forecast.forecasting.scenarios.run import MIN_PATHS, ScenarioResult, feasible_scenarios, intervention_of, run_scenarios
from forecast.forecasting.scenarios.specification import (
    FOLDER,
    Arrival,
    Condition,
    Deaths,
    Opposition,
    Pressure,
    Rates,
    Scenario,
    ScenarioSpec,
    read_scenarios,
)
from forecast.model.events import STREAMS
from forecast.model.hyperparameters import tolerance_priors
from forecast.report.models.forecast import ScenarioEntry as ReportedScenario
from forecast.reweighting.draws_archive import pack, unpack_draws
from tests.support.bundled_state import bundled_origin_state
from tests.support.prior_forecasts import prior_forecast

SIZE = 200
EVERYTHING = ScenarioSpec(title="t", kind="conditioned", story="s", assumptions=("a",))
NOTHING = ScenarioSpec(title="t", kind="intervened", story="s", assumptions=("a",))


@pytest.fixture(scope="module")
def origin_state() -> OriginState:
    return bundled_origin_state()


@pytest.fixture(scope="module")
def pool(origin_state: OriginState) -> DriverPaths:
    return origin_state.pool()


@pytest.fixture(scope="module")
def draws(origin_state: OriginState) -> Mapping[str, ParameterDraws]:
    constants = tolerance_priors(origin_state.priors)
    return {
        name: from_prior(constants, origin_state.origin, SIZE, np.random.default_rng(i)) for i, name in enumerate(origin_state.histories)
    }


@pytest.fixture(scope="module")
def results(origin_state: OriginState, draws: Mapping[str, ParameterDraws]) -> dict[str, ScenarioResult]:
    """The bundled scenarios, under one reading: that the readings are weighed is tested by the empty scenario."""
    scenarios = read_scenarios(places.bundled_root() / "data" / FOLDER)
    return {r.name: r for r in run_scenarios(origin_state, {"main": draws["main"]}, scenarios)}


def run(origin_state: OriginState, draws: Mapping[str, ParameterDraws], says: ScenarioSpec) -> ScenarioResult:
    (result,) = run_scenarios(origin_state, draws, [Scenario("it", says)])
    return result


def test_what_a_run_keeps_stands_for_the_forecast_without_the_scenario() -> None:
    """The forecast of rounded draws, made again, is the one that was kept, as far as its own rounding goes."""
    forecast = prior_forecast()
    arrays = pack(forecast)
    draws = {name: unpack_draws(arrays, name) for name in forecast.readings}
    eased = Scenario("it", NOTHING.model_copy(update={"leverage": Pressure(add=-0.5)}))
    (again,) = run_scenarios(forecast.origin_state, draws, [eased])
    (kept,) = run_scenarios(forecast.origin_state, draws, [eased], arrays=arrays)
    assert kept.baseline == pytest.approx(forecast.headline.probability, rel=1e-6)
    assert kept.baselines == pytest.approx(again.baselines, rel=1e-5)
    assert (kept.probability, kept.questions) == (again.probability, again.questions)
    assert kept.mcse == pytest.approx(again.mcse, rel=1e-4)


@pytest.mark.parametrize("says", [NOTHING, EVERYTHING], ids=["nothing is set", "nothing is learnt"])
def test_the_empty_scenario_is_the_forecast_bit_by_bit(
    says: ScenarioSpec, origin_state: OriginState, pool: DriverPaths, draws: Mapping[str, ParameterDraws]
) -> None:
    result = run(origin_state, draws, says)
    weights = np.array([origin_state.weights[name] for name in draws])
    found = [
        question_probabilities(forecast_from_history(origin_state, d, pool, origin_state.histories[name])) for name, d in draws.items()
    ]
    for id_ in found[0]:
        assert result.questions[id_] == float(weights @ np.array([f[id_].mean() for f in found])), id_
    assert result.questions == result.baselines
    assert result.difference == 0.0
    assert result.mcse == 0.0


@pytest.mark.slow
def test_the_bundled_scenarios_point_the_right_way(results: Mapping[str, ScenarioResult]) -> None:
    difference = {name: r.difference / r.mcse for name, r in results.items()}
    for name in ("escalating-tariffs", "overdose-rebound", "concessions-not-sufficient"):
        assert difference[name] > 2, name
    for name in ("trade-deal", "concessions-deemed-sufficient", "sovereignty-crisis", "pressure-eases"):
        assert difference[name] < -2, name
    lower = {name: {m.driver: m.here < m.forecast for m in r.moved} for name, r in results.items()}
    assert lower["trade-deal"]["leverage"]
    assert lower["concessions-deemed-sufficient"]["leverage"]
    assert not lower["escalating-tariffs"]["leverage"]
    assert not lower["mass-casualty"]["opposition"]
    assert not lower["sovereignty-crisis"]["mobilisation"]
    assert results["sovereignty-crisis"].fallen > results["sovereignty-crisis"].baselines["fall-1-12m"]
    direct = "event-direct-action-12m"
    assert results["mass-casualty"].questions[direct] > results["mass-casualty"].baselines[direct]


def test_no_leverage_events_lower_the_headline(origin_state: OriginState, draws: Mapping[str, ParameterDraws]) -> None:
    none = {stream: 0.0 for stream in STREAMS if stream.startswith(("threat", "measure")) or stream in ("act", "demonstration")}
    result = run(origin_state, draws, NOTHING.model_copy(update={"rates": Rates.model_validate({"factors": none, "from": 1, "to": 24})}))
    assert result.difference < -2 * result.mcse
    assert result.moved[0].here < result.moved[0].forecast


def test_a_patch_holds_what_the_statement_says(origin_state: OriginState) -> None:
    says = NOTHING.model_copy(
        update={
            "months": (3, 8),
            "arrival": (Arrival(stream="measure.economic", months=(2, 5), intensity=3), Arrival(stream="concession", months=(4,))),
            "rates": Rates(factors={"act": 2.0}),
            "deaths": Deaths.model_validate({"factor": 2.0, "over": 4}),
            "opposition": Opposition.model_validate({"points": 5, "from": 2}),
            "leverage": Pressure.model_validate({"add": -0.5, "to": 6}),
        }
    )
    patch = intervention_of(Scenario("it", says), origin_state)
    assert [(f.month, f.stream, f.channel, f.intensity) for f in patch.forced] == [
        (2, "measure.economic", "economic", 3), (5, "measure.economic", "economic", 3), (4, "concession", "", 0),
    ]  # fmt: skip
    assert (patch.rates_from, patch.rates_to, dict(patch.rates)) == (3, 8, {"act": 2.0})
    assert patch.deaths is not None
    assert np.allclose(np.exp(patch.deaths[:9]), [1, 1, 1, 2**0.25, 2**0.5, 2**0.75, 2, 2, 2])
    assert np.allclose(np.exp(patch.deaths[9:]), 2)
    assert patch.leverage is not None
    assert patch.leverage.tolist() == [0.0] * 3 + [-0.5] * 4 + [0.0] * 18
    now = origin_state.opposition.mean[-1]
    assert patch.opposition is not None
    assert patch.opposition[:2].tolist() == [0.0, 0.0]
    shares = stats.logistic.cdf([now, now + patch.opposition[2]])
    assert np.isclose(shares[1] - shares[0], 0.05)
    assert intervention_of(Scenario("it", NOTHING), origin_state).empty


def test_a_patched_driver_moves_by_what_was_put_in(origin_state: OriginState, pool: DriverPaths) -> None:
    says = NOTHING.model_copy(update={"deaths": Deaths(factor=1.5), "opposition": Opposition(points=-10)})
    patched = origin_state.pool(intervention_of(Scenario("it", says), origin_state))
    moved = {m.driver: m for m in driver_moves(patched, pool, (1, 12))}
    assert np.isclose(moved["deaths"].here, 1.5 * moved["deaths"].forecast)
    assert moved["opposition"].here == pytest.approx(moved["opposition"].forecast - 10, abs=1.5)
    assert (pool.log2_deaths[:, 0] == patched.log2_deaths[:, 0]).all()


def test_a_relaxation_that_is_sure_to_end_a_measure_ends_one(origin_state: OriginState, pool: DriverPaths) -> None:
    arrival = Arrival(stream="relaxation", channel="security", intensity=3, months=(1,), ends=True)
    surely = origin_state.pool(intervention_of(Scenario("it", NOTHING.model_copy(update={"arrival": (arrival,)})), origin_state))
    perhaps = origin_state.pool(
        intervention_of(Scenario("it", NOTHING.model_copy(update={"arrival": (arrival.model_copy(update={"ends": False}),)})), origin_state)
    )
    security = 2
    assert (surely.measures[:, security, 2] <= pool.measures[:, security, 2]).all()
    fell = [(p.measures[:, security, 2] < pool.measures[:, security, 2]).mean() for p in (surely, perhaps)]
    assert fell[0] > 0.95  # on the others the measure that it ends would have ended by itself
    assert 0.1 < fell[1] < 0.5  # Beta(5, 13) has mean 0.28


def test_a_condition_leaves_the_paths_that_meet_it(
    origin_state: OriginState, pool: DriverPaths, draws: Mapping[str, ParameterDraws]
) -> None:
    """Against every qualifying path by itself, for one draw of the parameters repeated."""
    bound = float(np.quantile(pool.leverage[:, 1:13].mean(1), 0.2))
    condition = Condition(driver="leverage", months=(1, 12), below=bound)
    among = qualifying_paths(pool, [condition])
    assert among.tolist() == [i for i, path in enumerate(pool.leverage) if sum(path[1:13]) / 12 < bound]
    one = {"main": draws["main"].take(np.zeros(400, int))}
    result = run(origin_state, one, EVERYTHING.model_copy(update={"condition": (condition,)}))
    assert result.paths == among.size == 400
    assert result.plausibility == pytest.approx(0.2)
    each = draws["main"].take(np.zeros(20, int))  # slot p of draw s takes path 20 s + p
    chosen = among.reshape(20, 20)
    history = origin_state.histories["main"]
    exact = (
        forecast_ladder(each, pool, chosen, history.level_now, history.just_risen_now, origin_state.origin, origin_state.administrations)
        .reached(4, 12)
        .mean()
    )
    sampled = result.by_reading["main"]
    spread = forecast_from_history(origin_state, one["main"], pool, history, among).reached(4, 12).std() / np.sqrt(400)
    assert abs(sampled - exact) < 4 * spread


@pytest.mark.parametrize(
    ("driver", "bounds", "oracle"),
    [
        ("deaths", {"above": 2500.0}, lambda pool: (3000 * 2 ** pool.log2_deaths[:, 3:7]).mean(1) > 2500),
        ("opposition", {"below": 65.0}, lambda pool: stats.logistic.cdf(pool.opposition[:, 3:7] + np.log(1.5)).mean(1) < 0.65),
        ("mobilisation", {"above": 1.0, "below": 1.5}, lambda pool: abs(pool.mobilisation[:, 3:7].mean(1) - 1.25) < 0.25),
    ],
)
def test_conditions_are_in_the_units_a_person_reads(driver: str, bounds: dict[str, float], oracle, pool: DriverPaths) -> None:  # type: ignore[no-untyped-def]
    found = qualifying_paths(pool, [Condition.model_validate({"driver": driver, "months": (3, 6), **bounds})])
    assert 0 < found.size < len(pool.leverage)
    assert found.tolist() == np.flatnonzero(oracle(pool)).tolist()


def test_paths_are_chosen_among_those_given_slot_by_slot() -> None:
    among = np.arange(7, 1000, 9)
    paths = assign_paths(300, 2000, 1, among=among)
    assert set(paths.ravel()) <= set(among)
    assert (paths[:, :-1].max(0) < paths[:, 1:].min(0)).all()  # each slot has a batch of its own
    assert (assign_paths(300, 2000, 1, among=np.arange(2000)) == assign_paths(300, 2000, 1)).all()


def test_a_condition_that_few_paths_meet_is_refused_and_the_others_run(
    origin_state: OriginState, draws: Mapping[str, ParameterDraws]
) -> None:
    rare = Condition(driver="leverage", months=(1, 24), below=0.2)
    scenarios = [Scenario("rare", EVERYTHING.model_copy(update={"condition": (rare,)})), Scenario("none", NOTHING)]
    can, problems = feasible_scenarios(origin_state, scenarios)
    assert [s.name for s in can] == ["none"]
    (problem,) = problems
    assert problem.file == "rare.toml"
    assert str(MIN_PATHS) in problem.expected
    assert [r.name for r in run_scenarios(origin_state, draws, scenarios)] == ["none"]


def test_a_share_beyond_all_is_refused(origin_state: OriginState) -> None:
    with pytest.raises(InputError, match="a share between 1 and 99 %"):
        intervention_of(Scenario("it", NOTHING.model_copy(update={"opposition": Opposition(points=45)})), origin_state)


def test_the_tail_is_two_sided() -> None:
    simulated = stats.norm.ppf((np.arange(1999) + 0.5) / 1999)
    for value in (-1.96, -0.3, 0.0, 0.5, 1.96):
        assert two_sided_tail(value, simulated) == pytest.approx(2 * stats.norm.sf(abs(value)), abs=0.002)
    assert two_sided_tail(9.0, simulated) == pytest.approx(2 / 2000)
    assert two_sided_tail(0.0, np.zeros(50)) == 1.0


@pytest.mark.slow
def test_the_further_the_less_plausible(origin_state: OriginState, pool: DriverPaths) -> None:
    tails = []
    for add in (0.05, 0.2, 0.5):
        says = NOTHING.model_copy(update={"leverage": Pressure(add=add)})
        moved = driver_moves(origin_state.pool(intervention_of(Scenario("it", says), origin_state)), pool, (1, 12))
        tails.append(next(m.tail for m in moved if m.driver == "leverage"))
    assert tails[0] > tails[1] > tails[2]


def test_results_have_the_form_of_the_report(results: Mapping[str, ScenarioResult]) -> None:
    document = json.loads(json.dumps([r.as_dict() for r in results.values()], allow_nan=False))
    for entry in document:
        ReportedScenario.model_validate(entry)
        assert entry["by_horizon"]["12"] == entry["probability"]
        assert sorted(entry["by_horizon"].values()) == [entry["by_horizon"][h] for h in ("3", "6", "12", "24")]
        assert entry["interval"]["low"] < entry["probability"] < entry["interval"]["high"]
        assert any(text.startswith("Not represented: ") for text in entry["assumptions"])


@pytest.mark.slow
def test_the_error_of_the_difference_is_the_spread_over_seeds(origin_state: OriginState) -> None:
    """Other paths and other draws each time; arrivals, whose effect on leverage depends on the path."""
    says = NOTHING.model_copy(update={"arrival": (Arrival(stream="measure.security", months=(1, 3, 5), intensity=5),)})
    constants = tolerance_priors(origin_state.priors)
    found = []
    for seed in range(16):
        draws = {"main": from_prior(constants, origin_state.origin, SIZE, np.random.default_rng(seed))}
        found.append(run(replace(origin_state, seed=1000 * seed), draws, says))
    spread = np.std([r.difference for r in found], ddof=1)
    claimed = np.sqrt(np.mean([r.mcse**2 for r in found]))
    assert 0.5 < claimed / spread < 2.0
