"""A workspace read whole: data and priors, checked, as of a day if one is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from forecast.data.read import read_data
from forecast.data.select import as_of as select_as_of
from forecast.data.tables import Data
from forecast.errors import InputError, Problem
from forecast.forecasting.statement import FOLDER, Scenario, read_scenarios
from forecast.priors.alternatives import Alternatives, read_alternatives
from forecast.priors.check import readings_differ
from forecast.priors.files import Priors, load_priors
from forecast.workspace import Workspace


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything a forecast is made from."""

    data: Data
    priors: Priors
    alternatives: Alternatives
    scenarios: tuple[Scenario, ...]
    as_of: date | None


def load_workspace(where: Workspace | Path | str, as_of: date | None = None) -> Inputs:
    """Read data, priors and scenarios of a workspace. Raises InputError with every problem of all three, having written nothing.

    as_of: only what was published by the end of that day, and the origin it allows.
    """
    folder = where if isinstance(where, Workspace) else _at(Path(where))
    problems: list[Problem] = []
    data: Data | None = None
    priors: Priors | None = None
    alternatives: Alternatives = {}
    scenarios: tuple[Scenario, ...] = ()
    try:
        data = read_data(folder.data)
    except InputError as e:
        problems += e.problems
    try:
        priors, alternatives = load_priors(folder.priors), read_alternatives(folder.priors)
    except InputError as e:
        problems += e.problems
    try:
        scenarios = read_scenarios(folder.data / FOLDER)
    except InputError as e:
        problems += e.problems
    if data is not None and priors is not None:
        problems += list(readings_differ(priors, {row.reading for row in data.readings}))
    if problems or data is None or priors is None:
        raise InputError.of(problems)
    return Inputs(data if as_of is None else select_as_of(data, as_of), priors, alternatives, scenarios, as_of)


def _at(root: Path) -> Workspace:
    return Workspace(root / "data", root / "priors", root / "reports", "given")
