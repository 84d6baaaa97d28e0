"""All errors and warnings of a workspace: what a run today would refuse, and what it would leave out."""

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
class WorkspaceCheck:
    """A checked workspace.

    data: as a run today reads them. odd: warnings about data, priors and scenarios. gate: why the drivers could not be fitted, None if they
    could.
    """

    data: Data
    odd: tuple[Problem, ...]
    gate: GateError | None


def check_workspace(where: Workspace, today: date) -> WorkspaceCheck:
    """Read everything and fit models 2 to 4, which takes seconds; if the drivers fail the gate, the other warnings are still returned.

    Raises InputError with every problem for which a run would refuse the inputs, and what else `load_workspace` raises.
    """
    inputs = load_workspace(where, today=today)
    try:
        origin_state = build_origin_state(inputs.data, inputs.priors, DEFAULT_SEED)
    except GateError as gate:
        return WorkspaceCheck(inputs.data, inputs.data.warnings, gate)
    return WorkspaceCheck(inputs.data, (*inputs.data.warnings, *_infeasible(inputs, origin_state)), None)


def _infeasible(inputs: Inputs, origin_state: OriginState) -> tuple[Problem, ...]:
    """Warnings for scenarios that a run leaves out; only a condition or a share of opponents can be out of reach."""
    doubtful = [scenario for scenario in inputs.scenarios if _doubtful(scenario)]
    if not doubtful:
        return ()
    return tuple(replace(problem, severity="warning") for problem in feasible_scenarios(origin_state, doubtful)[1])


def _doubtful(scenario: Scenario) -> bool:
    return bool(scenario.says.condition or scenario.says.opposition)
