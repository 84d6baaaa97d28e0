"""Everything that is wrong, odd or left out in a workspace: what a run by today's clock would refuse, and what it would do without."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from forecast.data.tables import Data
from forecast.errors import Problem
from forecast.forecasting.scenarios import feasible
from forecast.forecasting.situation import assess
from forecast.forecasting.statement import Scenario
from forecast.jobs.workspace import DEFAULT_SEED, Inputs, load_workspace
from forecast.workspace import Workspace


def check_workspace(where: Workspace, today: date) -> tuple[Data, tuple[Problem, ...]]:
    """The data as a forecast made today reads them, and all that is odd with them, the priors and the scenarios, or left out.

    Raises InputError with every problem for which a run would refuse them, and what else `load_workspace` raises.
    """
    inputs = load_workspace(where, today=today)
    return inputs.data, (*inputs.data.warnings, *_infeasible(inputs))


def _infeasible(inputs: Inputs) -> tuple[Problem, ...]:
    """The scenarios that a run leaves out. Only a condition or a share of opponents can be out of reach; to see that takes seconds."""
    doubtful = [scenario for scenario in inputs.scenarios if _doubtful(scenario)]
    if not doubtful:
        return ()
    situation = assess(inputs.data, inputs.priors, DEFAULT_SEED)
    return tuple(replace(problem, severity="warning") for problem in feasible(situation, doubtful)[1])


def _doubtful(scenario: Scenario) -> bool:
    return bool(scenario.says.condition or scenario.says.opposition)
