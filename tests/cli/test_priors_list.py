"""`forecast priors list`: grouped, and saying which priors matter, from the report of the newest run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from forecast.cli.priors import THEMES, list_lines
from forecast.jobs.priors.headline import headline_moves
from forecast.priors.catalogue import CATALOGUE
from forecast.priors.load import load_priors
from forecast.runs import store
from forecast.workspace import Workspace
from tests.conftest import NOW
from tests.support.sound_reports import EXAMPLE, sound_report

type Command = Callable[..., Result]


def move(points: float) -> dict[str, float]:
    return {"difference": points / 100}


EXAMINED: dict[str, Any] = {
    "scaled": [
        {"name": "leverage.effect", "moves": [move(0.5), move(-0.4)], "tilts": [move(-1.3), move(1.6)]},
        {"name": "ladder.rise.4", "moves": [move(0.0), move(0.0)], "tilts": [move(0.001), move(0.0)]},
        {"name": "readings.weights", "moves": [], "tilts": []},
    ],
    "sweeps": [
        {"name": "readings.weights", "accepted": True, **move(-6.1)},
        {"name": "leverage.effect", "accepted": False, **move(9.9)},
    ],
}


def _whole(examined: dict[str, Any]) -> dict[str, Any]:
    """The example's part of a report, with these rows: what they do not say is as there."""
    example = EXAMPLE["sensitivity"]
    scaled, sweep = next(row for row in example["scaled"] if row["moves"] and row["tilts"]), example["sweeps"][0]

    def moves(row: dict[str, Any], key: str) -> list[dict[str, Any]]:
        return [scaled[key][0] | message for message in row[key]]

    rows = [scaled | row | {key: moves(row, key) for key in ("moves", "tilts")} for row in examined["scaled"]]
    return example | {"scaled": rows, "sweeps": [sweep | row for row in examined["sweeps"]]}


@pytest.fixture
def published(workspace: Workspace) -> Path:
    """A run that is published, with only what is read here."""
    run_id = store.new_run_id(NOW, "a" * 64)
    text = json.dumps(sound_report(run_id, sensitivity=_whole(EXAMINED)))
    path = store.write_run(workspace.reports, run_id, lambda folder: (folder / "report.json").write_text(text) and None, {})
    store.publish(workspace.reports, run_id)
    return path


def test_a_prior_moves_the_headline_by_the_most_that_any_change_of_it_did(workspace: Workspace, published: Path) -> None:
    outcome = headline_moves(workspace.reports)
    assert outcome is not None
    run, moves = outcome
    assert run == published.name
    assert moves == pytest.approx({"leverage.effect": 0.016, "ladder.rise.4": 0.00001, "readings.weights": 0.061})


def test_without_a_run_there_is_no_such_column(workspace: Workspace, command: Command) -> None:
    assert headline_moves(workspace.reports) is None
    shown = list_lines(list(load_priors(workspace.priors).values()), None, {}, 80)
    assert "moves" not in [line.strip() for line in shown]
    rows = json.loads(command("priors", "list", "--json", "--workspace", workspace.data.parent).stdout)
    assert {row["headline_moves_by"] for row in rows} == {None}


def test_every_theme_has_one_heading_and_every_prior_its_place(workspace: Workspace) -> None:
    loaded = load_priors(workspace.priors)
    shown = list_lines(list(loaded.values()), None, {}, 80)
    headings = [line.partition(":")[0] for line in shown if line and not line.startswith(" ")]
    assert headings == list(dict.fromkeys(name.partition(".")[0] for name in CATALOGUE))
    assert set(headings) == set(THEMES)
    firsts = [line.split()[0] for line in shown if line.startswith("  ") and line[2] != " "]
    assert sorted(firsts) == sorted(loaded)


@pytest.mark.parametrize("width", [80, 60, 160])
def test_the_table_fits_and_shows_what_matters(workspace: Workspace, width: int) -> None:
    moves = {"leverage.effect": 0.016, "ladder.rise.4": 0.00001}
    shown = list_lines(list(load_priors(workspace.priors).values()), "20261124T141500Z-aaaaaa", moves, width)
    assert max(map(len, shown)) <= width
    by_name = {line.split()[0]: line.split()[1] for line in shown if line.startswith("  ") and line[2] != " "}
    assert (by_name["leverage.effect"], by_name["ladder.rise.4"], by_name["direct.rate"]) == ("1.6", "0", "–")


def test_in_a_pipe_each_prior_is_a_row_of_the_same_columns(workspace: Workspace, published: Path, command: Command) -> None:
    result = command("priors", "list", "--workspace", workspace.data.parent, environ={"COLUMNS": "40"})
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert rows[0] == ["name", "prior", "headline_moves_by", "words"]
    assert {len(row) for row in rows} == {4}
    assert [row[0] for row in rows[1:]] == list(CATALOGUE)
    assert "…" not in result.stdout
    assert next(float(row[2]) for row in rows if row[0] == "readings.weights") == pytest.approx(0.061)


def test_a_damaged_run_is_named_and_the_priors_are_listed(workspace: Workspace, published: Path, command: Command) -> None:
    (published / "report.json").write_text("{}")
    result = command("priors", "list", "--workspace", workspace.data.parent)
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 1 + len(CATALOGUE)
    assert "report.json" in result.stderr


def test_listing_priors_imports_nothing_heavy() -> None:
    import subprocess

    code = "import sys, forecast.jobs.priors.headline, forecast.cli.priors; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "scipy", "pymc"} & {name.split(".")[0] for name in loaded}
