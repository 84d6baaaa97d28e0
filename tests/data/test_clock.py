"""Dates after the clock are odd and left out; they are an error nowhere, so that a wrong clock stops nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from forecast.data.as_of import as_of_now
from forecast.data.fingerprint import data_digest
from forecast.data.read import read_data
from forecast.data.tables import RECORDS, origin
from forecast.domain import month
from forecast.forecasting.inputs import load_workspace
from forecast.workspace import Workspace
from tests.conftest import NOW
from tests.support.data_editing import change, rows_of, write_rows

type Command = Callable[..., Result]

TODAY = NOW.date()
LATER = (TODAY + timedelta(3)).isoformat()
DATED = [name for name, record in RECORDS.items() if "published" in record.model_fields]


@pytest.mark.parametrize("name", DATED)
def test_a_row_published_later_is_named_with_its_line_and_left_out(workspace: Workspace, name: str) -> None:
    file = RECORDS[name].file
    rows = rows_of(workspace.data / file)
    if name == "administrations":  # without one of the others there would be no government
        rows += [{**rows[4], "name": "Next", "start": "2030-10", "end": "2036-09"}, rows.pop()]
        write_rows(workspace.data / file, rows)
    before = len(getattr(load_workspace(workspace, today=TODAY).data, name))
    i = len(rows) - 2
    rows[i]["published"] = LATER
    write_rows(workspace.data / file, rows)
    if name in ("claims", "overdose_releases"):  # these are covered by the day of publication
        covered(workspace, file, LATER)
    data = load_workspace(workspace, today=TODAY).data
    assert len(getattr(data, name)) == before - 1
    (problem,) = [p for p in data.warnings if p.column == "published"]
    assert (problem.file, problem.row, problem.severity) == (file, i + 2, "warning")
    assert LATER in problem.found
    assert "left out" in problem.expected
    assert not [p for p in load_workspace(workspace, today=date.fromisoformat(LATER)).data.warnings if p.column == "published"]


def test_many_rows_of_a_file_are_named_together(workspace: Workspace) -> None:
    rows = rows_of(workspace.data / "indicators.csv")
    write_rows(workspace.data / "indicators.csv", [{**row, "published": "2062-01-01"} for row in rows])
    (problem,) = [p for p in load_workspace(workspace, today=TODAY).data.warnings if p.column == "published"]
    assert f"and {len(rows) - 1} more rows" in problem.found


def covered(workspace: Workspace, file: str, through: str) -> None:
    path = workspace.data / "coverage.toml"
    head, table, rest = path.read_text().partition(f'["{file}"]\n')
    _, _, rest = rest.partition("\n")
    path.write_text(f"{head}{table}covered_through = {through}\n{rest}")


@pytest.mark.parametrize("file", ["events.csv", "polls.csv", "overdose_releases.csv"])
@pytest.mark.parametrize("through", ["2026-11-25", "2062-12-31", "9999-12-31"])
def test_coverage_ahead_of_the_clock_ends_with_the_last_whole_month(workspace: Workspace, file: str, through: str) -> None:
    covered(workspace, file, through)
    data = load_workspace(workspace, today=TODAY).data
    (problem,) = [p for p in data.warnings if p.file == "coverage.toml"]
    assert (problem.column, problem.severity) == (file, "warning")
    assert through in problem.found
    assert data.coverage[file] == date(2026, 10, 31)
    assert origin(data) == (month("2026-10") if file == "events.csv" else month("2026-06"))


def test_coverage_ahead_of_the_clock_means_the_same_all_month(workspace: Workspace) -> None:
    covered(workspace, "events.csv", "2062-12-31")
    data = read_data(workspace.data)
    digests = {data_digest(as_of_now(data, date(2026, 11, day))) for day in (1, 2, 15, 29)}
    assert len(digests) == 1
    assert data_digest(as_of_now(data, date(2026, 12, 1))) not in digests


def test_a_clock_that_is_behind_stops_nothing(workspace: Workspace) -> None:
    """It takes back what it has not seen; even years back there is a forecast to make."""
    for today in (date(2026, 6, 29), date(2025, 3, 15), date(2012, 7, 1)):
        data = load_workspace(workspace, today=today).data
        assert origin(data) == month(f"{today:%Y-%m}") - 1
        assert {p.severity for p in data.warnings} == {"warning"}
        assert "events.csv" in {p.column for p in data.warnings}


def test_a_calendar_looks_ahead_by_its_nature(workspace: Workspace) -> None:
    assert max(row.date.last for row in read_data(workspace.data).calendar) > TODAY
    assert not [p for p in load_workspace(workspace, today=TODAY).data.warnings if "calendar" in f"{p.file}{p.column}"]


@pytest.mark.usefixtures("bundled_drivers")
def test_data_check_says_so_with_exit_code_0(command: Command, workspace: Workspace) -> None:
    line = change(workspace.data, "polls.csv", lambda r: r["use"] == "yes", published="2062-05-20")
    covered(workspace, "polls.csv", "2030-01-01")
    result = command("data", "check", "--workspace", workspace.data.parent)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"polls.csv, line {line}, column published" in result.stdout
    assert "coverage.toml, column polls.csv" in result.stdout
    assert result.stdout.endswith("No error, 2 warnings.\n")


def test_data_add_says_that_a_poll_published_later_is_left_out(command: Command, workspace: Workspace, tmp_path: Path) -> None:
    row = {**rows_of(workspace.data / "polls.csv")[-1], "poll_id": "testhouse-2026-05:x", "published": "2062-05-20", "wording": "agents"}
    write_rows(tmp_path / "new.csv", [row])
    result = command("data", "add", "poll", "--from", tmp_path / "new.csv", "--dry-run", "--workspace", workspace.data.parent)
    assert result.exit_code == 0
    assert "Left out until it is published, on 2062-05-20" in result.stdout
    assert "Odd: polls.csv" in result.stdout
