"""A workspace read whole: data and priors, checked, as of a day if one is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from forecast.data.read import read_data
from forecast.data.select import as_of as select_as_of
from forecast.data.tables import Data, origin
from forecast.domain import FIRST_MONTH, Month, last_day, month_text
from forecast.errors import InputError, Problem, UsageError
from forecast.forecasting.statement import FOLDER, Scenario, read_scenarios
from forecast.priors.alternatives import Alternatives, read_alternatives
from forecast.priors.check import readings_differ
from forecast.priors.files import Priors, load_priors
from forecast.priors.history import Revision, revisions
from forecast.workspace import Workspace

FIRST_ORIGIN: Final = Month(FIRST_MONTH + 11)
"""A year of record is the least: by its end the first final overdose counts were out."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything a forecast is made from; `revisions` names the exact revision of every prior."""

    data: Data
    priors: Priors
    alternatives: Alternatives
    scenarios: tuple[Scenario, ...]
    as_of: date | None
    revisions: Mapping[str, Revision]


def load_workspace(where: Workspace | Path | str, as_of: date | None = None) -> Inputs:
    """Read data, priors and scenarios of a workspace. Raises InputError with every problem of all three, having written nothing.

    as_of: only what was published by the end of that day, and the origin it allows; UsageError for a day before the first year's end.
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
    return Inputs(data if as_of is None else _then(data, as_of), priors, alternatives, scenarios, as_of, revisions(priors, folder.priors))


def _then(data: Data, day: date) -> Data:
    """The data as of a day that has a history to learn from."""
    then = select_as_of(data, day)
    if origin(then) < FIRST_ORIGIN:
        raise UsageError(
            f"As of {day} there is no history to forecast from: the record begins in {month_text(FIRST_MONTH)}.",
            f"Give --as-of {last_day(FIRST_ORIGIN)} or a later day.",
        )
    return then


def _at(root: Path) -> Workspace:
    return Workspace(root / "data", root / "priors", root / "reports", "given")
