"""Scenarios, end to end: list what there is, run some on the draws of the newest published run, start a new one. No sampler, no PyMC."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.errors import InputError, Problem, UsageError
from forecast.jobs.saved_run import SavedRun
from forecast.progress import Progress, silent
from forecast.workspace import Workspace, check_writable

if TYPE_CHECKING:
    from forecast.forecasting.scenarios.run import ScenarioResult
    from forecast.forecasting.scenarios.specification import Scenario


@dataclass(frozen=True, slots=True)
class ListedScenario:
    """A scenario of the workspace, and its entry in the report of the newest published run (None if it was not run there)."""

    scenario: Scenario
    stored: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class InputsUsed:
    """The inputs that an answer is made from: those that a run kept.

    origin: the last month of the record, as YYYY-MM.
    as_of, today: the day that limits what was known; None where there is no such limit.
    data_digest, priors_digest: of the run's data and priors.
    data_changed, priors_changed: whether the workspace now differs from the run in values; None if the workspace cannot be read.
    """

    origin: str
    as_of: str | None
    today: str | None
    data_digest: str
    priors_digest: str
    data_changed: bool | None
    priors_changed: bool | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ScenarioAnswers:
    """Results of scenarios on the draws of a run.

    run_id: the run.
    inputs: the inputs that the run was made from.
    results: one a scenario.
    left_out: scenarios that were not run, and why.
    """

    run_id: str
    inputs: InputsUsed
    results: tuple[ScenarioResult, ...]
    left_out: tuple[Problem, ...] = ()


def list_scenarios(workspace: Workspace) -> tuple[str | None, tuple[ListedScenario, ...]]:
    """The id of the newest published run, if any, and all scenarios of the workspace. Raises InputError for files that are wrong."""
    from forecast.forecasting.scenarios.specification import FOLDER, read_scenarios

    scenarios = read_scenarios(workspace.data / FOLDER)
    run = SavedRun.latest(workspace.reports)
    stored: dict[str, Any] = {}
    if run:
        run.check()
        stored = {s.name: s.model_dump() for s in run.report.scenarios}
    return run.name if run else None, tuple(ListedScenario(s, stored.get(s.name)) for s in scenarios)


def run_on_draws(
    workspace: Workspace, names: tuple[str, ...] = (), today: date | None = None, progress: Progress = silent
) -> ScenarioAnswers:
    """Run the scenarios named, all if none is, on the draws and the inputs of the newest published run.

    The data and priors of the workspace may have changed since: the answer says so. today: the day by which the workspace's data count as
    published; None for all rows. Of all scenarios, a template not edited is left out.
    Raises UsageError if there is no such scenario, no run, or the run kept no inputs; InputError if a file is wrong or a template, if a
    condition is met by too few paths, or if another version made the run; StoreError if the run is damaged.
    """
    from forecast.forecasting.scenarios.run import feasible_scenarios, run_scenarios
    from forecast.forecasting.scenarios.specification import FOLDER, read_named, read_scenarios, without_templates

    folder = workspace.data / FOLDER
    scenarios, templates = without_templates(read_named(folder, names) if names else read_scenarios(folder))
    if names and templates:
        raise InputError.of(templates)
    run = SavedRun.named(workspace.reports, "latest")
    progress("drivers", None, "overdoses, opposition, events")
    fitted = run.fitted_draws
    progress("drivers", 1.0)
    _, refused = feasible_scenarios(fitted.origin_state, scenarios)
    if refused:
        raise InputError.of(refused)
    results = run_scenarios(
        fitted.origin_state, dict(fitted.draws), scenarios, lambda done, title: progress("scenarios", done, title), arrays=run.draws
    )
    progress("scenarios", 1.0, "")
    return ScenarioAnswers(run.name, _inputs_used(run, workspace, today), tuple(results), tuple(templates))


def _inputs_used(run: SavedRun, workspace: Workspace, today: date | None) -> InputsUsed:
    from forecast.data.as_of import as_of_now
    from forecast.data.fingerprint import data_digest
    from forecast.data.read import read_data
    from forecast.priors.load import load_priors

    meta = run.meta
    data_changed = priors_changed = None
    with suppress(InputError):  # `forecast data check` says what is wrong; the run has inputs of its own
        data = read_data(workspace.data, today)
        data_changed = data_digest(as_of_now(data, today) if today else data) != meta["data_digest"]
    with suppress(InputError):
        priors_changed = load_priors(workspace.priors).digest() != meta["priors_digest"]
    return InputsUsed(
        meta["origin"], meta.get("as_of"), meta.get("today"), meta["data_digest"], meta["priors_digest"], data_changed, priors_changed
    )


def new_scenario(workspace: Workspace, name: str) -> Path:
    """Write a commented template to the workspace's data/scenarios/; returns its path. Raises UsageError for a name that will not do."""
    from forecast.forecasting.scenarios.specification import FOLDER, is_scenario_name
    from forecast.forecasting.scenarios.template import create_scenario_file

    name = name.removesuffix(".toml")
    if not is_scenario_name(name):
        raise UsageError(f"{name!r} can't name a scenario.", "Use small letters, digits and hyphens, as in border-closure.")
    check_writable(workspace)
    path = workspace.data / FOLDER / f"{name}.toml"
    create_scenario_file(path)
    return path
