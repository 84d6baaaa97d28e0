"""Scenarios, end to end: list what there is, run some on the draws of the newest published run, start a new one. No sampler, no PyMC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.errors import InputError, Problem, StoreError, UsageError
from forecast.progress import Progress, silent
from forecast.workspace import Workspace, check_own

if TYPE_CHECKING:
    from forecast.forecasting.origin_state import OriginState
    from forecast.forecasting.parameter_draws import ParameterDraws
    from forecast.forecasting.scenarios.run import ScenarioResult
    from forecast.forecasting.scenarios.specification import Scenario

AGAIN = "Run `forecast run --publish` first."


@dataclass(frozen=True, slots=True)
class Listed:
    """A scenario of the workspace, and its entry in the report of the newest published run (None if it was not run there)."""

    scenario: Scenario
    stored: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Answers:
    """Results of scenarios on the draws of a run; `left_out` says which were not run, and why."""

    run_id: str
    origin: str
    results: tuple[ScenarioResult, ...]
    left_out: tuple[Problem, ...] = ()


def list_scenarios(workspace: Workspace) -> tuple[str | None, tuple[Listed, ...]]:
    """The id of the newest published run, if any, and all scenarios of the workspace. Raises InputError for files that are wrong."""
    from forecast.forecasting.scenarios.specification import FOLDER, read_scenarios
    from forecast.report.read import read_report
    from forecast.runs.store import latest

    scenarios = read_scenarios(workspace.data / FOLDER)
    run = latest(workspace.reports)
    stored = {entry["name"]: entry for entry in read_report(run)["scenarios"]} if run else {}
    return run.name if run else None, tuple(Listed(s, stored.get(s.name)) for s in scenarios)


def answer_scenarios(workspace: Workspace, names: tuple[str, ...] = (), progress: Progress = silent) -> Answers:
    """Run the scenarios named, all if none is, on the draws of the newest published run; of all, a template not edited is left out.

    Raises UsageError if there is no such scenario or no run, InputError if a file is wrong or a template, a condition is met by too few
    paths, or the run was made from other data or priors than the workspace now has, StoreError if the run is damaged.
    """
    from forecast.domain import month_text
    from forecast.forecasting.scenarios.run import feasible_scenarios, run_scenarios
    from forecast.forecasting.scenarios.specification import FOLDER, read_named, read_scenarios, without_templates
    from forecast.runs import manifest
    from forecast.runs.store import resolve

    folder = workspace.data / FOLDER
    scenarios, templates = without_templates(read_named(folder, names) if names else read_scenarios(folder))
    if names and templates:
        raise InputError.of(templates)
    run = resolve(workspace.reports, "latest")
    manifest.check(run)
    progress("drivers", None, "overdoses, opposition, events")
    origin_state = situation_of(workspace, run)
    draws = draws_of(run, origin_state)
    progress("drivers", 1.0)
    _, refused = feasible_scenarios(origin_state, scenarios)
    if refused:
        raise InputError.of(refused)
    results = run_scenarios(origin_state, draws, scenarios, lambda done, title: progress("scenarios", done, title))
    progress("scenarios", 1.0, "")
    return Answers(run.name, month_text(origin_state.origin), tuple(results), tuple(templates))


def situation_of(workspace: Workspace, run: Path) -> OriginState:
    """Where things stood for a run: models 2 to 4 fitted again by its seed, to data and priors that must be those it was made from."""
    from forecast.data.as_of import as_of_now
    from forecast.data.fingerprint import data_digest
    from forecast.data.read import read_data
    from forecast.forecasting.origin_state import build_origin_state
    from forecast.priors.load import load_priors
    from forecast.runs.manifest import read_manifest

    meta = read_manifest(run).meta
    missing = [key for key in ("seed", "data_digest", "priors_digest") if meta.get(key) is None]
    if missing:
        raise StoreError(f"Run {run.name} does not say what its {', '.join(missing)} was.", AGAIN)
    data, priors = read_data(workspace.data), load_priors(workspace.priors)
    if meta.get("today"):  # the run did not know what was published later
        data = as_of_now(data, date.fromisoformat(meta["today"]))
    for what, found, then in (("data", data_digest(data), meta["data_digest"]), ("priors", priors.digest(), meta["priors_digest"])):
        if found != then:
            raise InputError(f"The newest run was made from other {what} than the workspace has now ({run.name}).", AGAIN)
    return build_origin_state(data, priors, int(meta["seed"]))


def draws_of(run: Path, origin_state: OriginState) -> dict[str, ParameterDraws]:
    """The draws of model 5 that a run kept, by reading."""
    from forecast.reweighting.draws_archive import unpack_draws
    from forecast.runs.draws_files import read_draws

    arrays = read_draws(run)
    try:
        return {name: unpack_draws(arrays, name) for name in origin_state.histories}
    except KeyError as e:
        raise StoreError(f"Run {run.name} has no draws of model 5 that can be read ({e}).", AGAIN) from None


def new_scenario(workspace: Workspace, name: str) -> Path:
    """Write a commented template to the workspace's data/scenarios/; returns its path. Raises UsageError for a name that will not do."""
    from forecast.data.scenario_file import write_new
    from forecast.forecasting.scenarios.specification import FOLDER, is_scenario_name

    name = name.removesuffix(".toml")
    if not is_scenario_name(name):
        raise UsageError(f"{name!r} can't name a scenario.", "Use small letters, digits and hyphens, as in border-closure.")
    check_own(workspace)
    path = workspace.data / FOLDER / f"{name}.toml"
    write_new(path)
    return path
