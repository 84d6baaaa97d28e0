"""A workspace read whole: data and priors, checked, as of a day if one is given; and the very bytes that were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from forecast.data.as_of import as_of as select_as_of
from forecast.data.as_of import as_of_now
from forecast.data.read import read_data
from forecast.data.tables import Data, origin
from forecast.domain import FIRST_MONTH, last_day, month_text
from forecast.errors import ForecastError, InputError, Problem, UsageError
from forecast.forecasting.preconditions import FIRST_ORIGIN, rows_left_out, unmet_preconditions
from forecast.forecasting.scenarios.specification import FOLDER, Scenario, read_scenarios, without_templates
from forecast.priors.edit_log import Revision, revisions
from forecast.priors.load import Priors, load_priors
from forecast.priors.outside_view import Alternatives, read_alternatives
from forecast.priors.plausibility import check_reading_names
from forecast.workspace import Workspace, workspace_files

DEFAULT_SEED: Final = 20_060_101


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything a forecast is made from; `revisions` names the exact revision of every prior.

    today: the day by which the data were published (None: all rows, whenever they were); snapshot: every file of data/ and priors/ as
    it was read, by its path in the workspace.
    """

    data: Data
    priors: Priors
    alternatives: Alternatives
    scenarios: tuple[Scenario, ...]
    as_of: date | None
    revisions: Mapping[str, Revision]
    today: date | None = None
    snapshot: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def load_workspace(where: Workspace | Path | str, as_of: date | None = None, today: date | None = None) -> Inputs:
    """Read data, priors and scenarios of a workspace. Raises InputError with every problem of all three, having written nothing; also where
    the data are sound but too few to fit the models to.

    as_of: only what was published by the end of that day, and the origin it allows; UsageError for a day before the first year's end.
    today: the day by the clock, which whoever publishes or compares digests must pass (`load_workspace(where, as_of, clock().date())`):
    rows that are only published later are left out, files count as read no further than the clock allows, and the digest stays the same
    from day to day while nothing comes to be published. Ignored beside an `as_of`. Without it all rows are read, as an editor sees them.
    What is left out is named among the warnings of the data.

    What was parsed is what the snapshot holds: if a file changes meanwhile all are read again, once; then InputError.

    >>> inputs = load_workspace(workspace)
    >>> len(inputs.data.events) > 100, str(inputs.priors["leverage.effect"].spec)
    (True, 'Normal(1.6, 0.8)')
    """
    folder = where if isinstance(where, Workspace) else _at(Path(where))
    before = workspace_files(folder)
    for _ in range(2):
        found: Inputs | ForecastError
        try:
            found = _read(folder, as_of, None if as_of else today)
        except ForecastError as e:
            found = e
        if before == (after := workspace_files(folder)):
            if isinstance(found, ForecastError):
                raise found
            return replace(found, snapshot=before)
        before = after
    raise InputError("Data or priors changed while they were being read.", "Wait until whoever edits them is done, then try again.")


def _read(folder: Workspace, as_of: date | None, today: date | None) -> Inputs:
    problems: list[Problem] = []
    data: Data | None = None
    priors: Priors | None = None
    alternatives: Alternatives = {}
    scenarios: tuple[Scenario, ...] = ()
    try:
        data = read_data(folder.data, today)
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
        problems += list(check_reading_names(priors, {row.reading for row in data.readings}))
    if problems or data is None or priors is None:
        raise InputError.of(problems)
    seen = _then(data, as_of) if as_of else as_of_now(data, today) if today else data
    if wanting := unmet_preconditions(seen):
        raise InputError.of(wanting)
    scenarios, templates = without_templates(scenarios)
    seen = replace(seen, warnings=(*seen.warnings, *rows_left_out(seen), *templates))
    return Inputs(seen, priors, alternatives, scenarios, as_of, revisions(priors, folder.priors), today)


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
