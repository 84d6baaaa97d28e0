"""`forecast init --upgrade`: a workspace of an earlier form is brought to the present one, whole or not at all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from forecast import workspace as places
from forecast.forecasting.inputs import load_workspace
from forecast.priors.edit_log import read_history
from forecast.runs import ledger, store
from tests.conftest import NOW

type Command = Callable[..., Result]

RUN = "20260101T000000Z-aaaaaa"


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file() and not p.is_symlink()}


@pytest.fixture
def earlier(workspace: places.Workspace) -> places.Workspace:
    """A workspace as an earlier version made it: the old name of a prior, readings without titles, a run of another form, a ledger."""
    for name in ("ladder.toml", "outside_view/alternatives.toml"):
        path = workspace.priors / name
        path.write_text(path.read_text().replace('"ladder.just_risen"', '"ladder.fresh"'))
    readings = workspace.data / "readings.csv"
    header, *rows = csv.reader(io.StringIO(readings.read_text(), newline=""))
    at = header.index("title")
    with readings.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([*row[:at], *row[at + 1 :]] for row in (header, *rows))
    report = '{"schema_version": "1", "anything": 1}'
    store.write_run(workspace.reports, RUN, lambda folder: (folder / "report.json").write_text(report) and None, {"ledger": None})
    store.publish(workspace.reports, RUN)
    with ledger.writing(workspace.reports) as book:
        book.append("prediction", {"question": "reach-4-12m@2026-06", "probability": 0.1}, NOW)
    return workspace


def test_every_command_that_reads_an_earlier_workspace_names_the_remedy(earlier: places.Workspace, command: Command) -> None:
    for words in (("data", "check"), ("priors", "check"), ("run",), ("refit",)):
        result = command(*words, "--workspace", earlier.root)
        assert result.exit_code == 3, words
        assert "forecast init --upgrade DIR" in result.stdout + result.stderr, words


def test_an_upgraded_workspace_says_what_it_said_and_loses_nothing(earlier: places.Workspace, command: Command) -> None:
    before, bundled = files(earlier.root), load_workspace(places.bundled_root())
    result = command("init", "--upgrade", earlier.root, "--json")
    assert result.exit_code == 0, result.stderr
    done = json.loads(result.stdout)
    assert [change["file"] for change in done["changes"]] == [
        "priors/ladder.toml", "priors/outside_view/alternatives.toml", "data/readings.csv",
    ]  # fmt: skip
    assert (done["ledger_entries"], done["runs_of_other_versions"]) == (1, [RUN])
    after, inputs = files(earlier.root), load_workspace(earlier.root)
    assert {name for name in after if after[name] != before.get(name)} == {change["file"] for change in done["changes"]}
    assert set(after) == set(before)
    assert (inputs.data.readings, inputs.alternatives) == (bundled.data.readings, bundled.alternatives)
    assert inputs.priors.digest() == bundled.priors.digest()
    assert len(ledger.read(earlier.reports)) == 1
    read_history(earlier.priors)


def test_an_upgrade_is_done_once(earlier: places.Workspace, command: Command) -> None:
    first = command("init", "--upgrade", earlier.root)
    assert "ladder.fresh is now called ladder.just_risen" in first.stdout
    assert "1 run was made by another version" in first.stdout
    before = files(earlier.root)
    again = command("init", "--upgrade", earlier.root)
    assert (again.exit_code, files(earlier.root)) == (0, before)
    assert "nothing was changed" in again.stdout


def test_a_reading_of_ones_own_gets_an_empty_title_and_keeps_its_cells(earlier: places.Workspace, command: Command) -> None:
    readings = earlier.data / "readings.csv"
    own = 'mine,2026-01,,3,2026-01-15,"two lines,\nand a comma"\n'
    readings.write_text(readings.read_text() + own)
    weights = earlier.priors / "readings.toml"
    weights.write_text(weights.read_text().replace("main=0.45", "main=0.44, mine=0.01"))
    result = command("init", "--upgrade", earlier.root)
    assert result.exit_code == 0, result.stderr
    assert readings.read_text().endswith(own.replace("mine,", "mine,,"))


def test_nothing_is_written_if_something_else_is_wrong(earlier: places.Workspace, command: Command) -> None:
    events = earlier.data / "events.csv"
    events.write_text(events.read_text().replace(",A,", ",Z,", 1))
    before = files(earlier.root)
    result = command("init", "--upgrade", earlier.root)
    assert result.exit_code == 3
    assert "events.csv" in result.stderr
    assert "readings.csv" not in result.stderr
    assert files(earlier.root) == before


def test_a_damaged_history_stops_the_upgrade(earlier: places.Workspace, command: Command) -> None:
    (earlier.priors / "history" / "2026.toml").write_text('[[edit]]\nnumber = 1\nname = "ladder.fresh"\n')
    before = files(earlier.root)
    result = command("init", "--upgrade", earlier.root)
    assert result.exit_code == 7
    assert files(earlier.root) == before


def test_only_a_workspace_is_upgraded(tmp_path: Path, command: Command) -> None:
    assert command("init", "--upgrade", tmp_path).exit_code == 2
    assert "is not a workspace" in command("init", "--upgrade", tmp_path / "nowhere").stderr
