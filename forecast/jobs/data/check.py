"""Everything that is wrong, odd or left out in a workspace: what a run by today's clock would refuse, and what it would do without."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from forecast.data.tables import Data
from forecast.errors import GateError, Problem
from forecast.forecasting.inputs import DEFAULT_SEED, Inputs, load_workspace
from forecast.forecasting.origin_state import OriginState, build_origin_state
from forecast.forecasting.scenarios.run import feasible_scenarios
from forecast.forecasting.scenarios.specification import Scenario
from forecast.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Checked:
    """The data as a forecast made today reads them, all that is odd with them, the priors and the scenarios, or left out, and what the gate
    of the drivers says if it lets no forecast rest on them."""

    data: Data
    odd: tuple[Problem, ...]
    gate: GateError | None


def check_workspace(where: Workspace, today: date) -> Checked:
    """Reads everything and fits models 2 to 4, which takes seconds; a gate that stays shut is no reason not to say what is odd.

    Raises InputError with every problem for which a run would refuse the inputs, and what else `load_workspace` raises.
    """
    inputs = load_workspace(where, today=today)
    try:
        origin_state = build_origin_state(inputs.data, inputs.priors, DEFAULT_SEED)
    except GateError as gate:
        return Checked(inputs.data, inputs.data.warnings, gate)
    return Checked(inputs.data, (*inputs.data.warnings, *_infeasible(inputs, origin_state)), None)


def _infeasible(inputs: Inputs, origin_state: OriginState) -> tuple[Problem, ...]:
    """The scenarios that a run leaves out. Only a condition or a share of opponents can be out of reach."""
    doubtful = [scenario for scenario in inputs.scenarios if _doubtful(scenario)]
    if not doubtful:
        return ()
    return tuple(replace(problem, severity="warning") for problem in feasible_scenarios(origin_state, doubtful)[1])


def _doubtful(scenario: Scenario) -> bool:
    return bool(scenario.says.condition or scenario.says.opposition)
