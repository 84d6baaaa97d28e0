"""Commands that write: to a workspace that someone named or stands in, never to a mere fallback, and they say where."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from forecast import workspace as places
from forecast.errors import StoreError, UsageError
from forecast.priors.load import load_priors
from tests.cli.test_commands import ALL

type Command = Callable[..., Result]

EVENT = [
    "--family", "D", "--date", "2026-06-12", "--published", "2026-06-12", "--channel", "data", "--evidence", "source_read",
    "--confidence", "high", "--source", "CDC", "--description", "Release.",
]  # fmt: skip
WRITES: dict[tuple[str, ...], list[str]] = {
    ("run",): [],
    ("refit",): [],
    ("data", "add", "event"): [*EVENT, "--yes"],
    ("data", "add", "claim"): ["--start", "2026-06", "--yes"],
    ("data", "add", "poll"): ["--pollster", "Reforma", "--yes"],
    ("data", "pull"): [],
    ("priors", "set"): ["leverage.effect", "Normal(0.8, 0.3)", "--why", "Doubt.", "--by", "me"],
    ("priors", "elicit"): ["leverage.effect", "--odds", "1.2,3,8", "--yes", "--why", "Doubt.", "--by", "me"],
    ("priors", "reference"): ["--write"],
    ("scenario", "new"): ["border-closure"],
    ("questions", "add"): ["pact", "Is there a pact?", "--date", "2027-12-31", "--by", "me"],
    ("questions", "predict"): ["reach-4-12m", "0.1", "--by", "me"],
    ("questions", "resolve"): ["reach-4-12m", "yes", "--source", "x", "--date", "2026-11-01", "--by", "me"],
    ("runs", "prune"): ["--keep", "1"],
    ("runs", "publish"): ["20261124T141500Z-ab12cd"],
    ("priors", "undo"): ["1"],
    ("schedule", "cron"): [],  # which will write whenever it is run
    ("schedule", "systemd"): [],
}
READS = [
    "report", "status", "diff", "explain", "init", "data check", "data show", "data sources", "priors list", "priors show", "priors check",
    "priors try", "priors log", "priors pool", "priors sensitivity", "scenario list", "scenario run", "questions list", "questions score",
    "questions verify", "runs list", "runs verify", "data", "data add", "priors", "scenario", "questions", "runs", "schedule",
    "cache", "cache show", "cache clear",  # no workspace
]  # fmt: skip


def contents(root: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_every_command_is_known_to_write_or_to_read() -> None:
    assert {" ".join(path) for path in ALL} == {*map(" ".join, WRITES), *READS}


@pytest.fixture
def fallback(workspace: places.Workspace, monkeypatch: pytest.MonkeyPatch) -> places.Workspace:
    """A copy of the bundled workspace that stands for the bundled one."""
    monkeypatch.setattr(places, "bundled_root", lambda: workspace.root)
    return workspace


@pytest.mark.parametrize("path", WRITES, ids=" ".join)
def test_a_fallback_is_never_written(command: Command, fallback: places.Workspace, tmp_path: Path, path: tuple[str, ...]) -> None:
    before = contents(tmp_path)
    (tmp_path / "empty").mkdir()
    result = command(*path, *WRITES[path], cwd=tmp_path / "empty")
    assert result.exit_code == 2, result.stderr
    assert str(fallback.root) in result.stderr
    assert "forecast init DIR" in result.stderr
    assert "--workspace DIR" in result.stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize("words", [["data", "show"], ["runs", "list"], ["priors", "show", "leverage.effect"], ["questions", "list"]])
def test_a_fallback_is_read(command: Command, fallback: places.Workspace, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert command(*words, cwd=tmp_path / "empty").exit_code == 0
    assert list((tmp_path / "empty").iterdir()) == []


@pytest.mark.parametrize("words", [["data", "add", "event", *EVENT, "--dry-run"], ["data", "pull", "--dry-run"]])
def test_what_would_be_written_to_a_fallback_can_be_seen(
    command: Command, fallback: places.Workspace, tmp_path: Path, words: list[str]
) -> None:
    (tmp_path / "empty").mkdir()
    result = command(*words, cwd=tmp_path / "empty")
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("how", ["stand", "option", "variable"])
def test_the_same_folder_is_written_if_it_is_named(command: Command, fallback: places.Workspace, tmp_path: Path, how: str) -> None:
    words = ["priors", "set", *WRITES["priors", "set"]]
    root = fallback.root
    result = {
        "stand": lambda: command(*words, cwd=root),
        "option": lambda: command("--workspace", root, *words),
        "variable": lambda: command(*words, environ={places.VARIABLE: str(root)}),
    }[how]()
    assert result.exit_code == 0, result.stderr
    assert str(load_priors(fallback.priors).spec("leverage.effect")) == "Normal(0.8, 0.3)"


NAMED = {
    ("priors", "set"): "priors/history/2026.toml, priors/leverage.toml",
    ("priors", "elicit"): "priors/history/2026.toml, priors/leverage.toml",
    ("data", "add", "event"): "data/events.csv",
    ("questions", "add"): "reports/ledger/",
}


@pytest.mark.parametrize("path", NAMED, ids=" ".join)
def test_what_was_written_is_named_with_its_workspace(command: Command, workspace: places.Workspace, path: tuple[str, ...]) -> None:
    result = command(*path, *WRITES[path], cwd=workspace.root)
    assert result.exit_code == 0, result.stderr
    assert f"Written in {workspace.root}: {NAMED[path]}." in result.stdout


@pytest.mark.parametrize("path", [path for path in NAMED if path != ("priors", "elicit")], ids=" ".join)
def test_a_program_is_told_the_workspace_too(command: Command, workspace: places.Workspace, path: tuple[str, ...]) -> None:
    result = command(*path, *WRITES[path], "--json", cwd=workspace.root)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["workspace"] == str(workspace.root)


def test_reports_that_is_no_folder_is_said(workspace: places.Workspace, command: Command) -> None:
    (workspace.reports / "README.md").unlink()
    workspace.reports.rmdir()
    workspace.reports.touch()
    for words in (["status"], ["report"], ["runs", "list"], ["refit"], ["questions", "list"]):
        result = command(*words, cwd=workspace.root)
        assert result.exit_code == StoreError.exit_code
        assert f"{workspace.reports} is not a folder" in result.stderr


def test_a_fallback_in_an_installed_package_keeps_its_reports_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = places.create_workspace(tmp_path / "package" / "_workspace")
    monkeypatch.setattr(places, "PACKAGE", tmp_path / "package")
    found = places.find_workspace(None, {}, tmp_path)
    assert (found.reports, found.fallback) == (inside.reports, True)
    for where in (found, places.find_workspace(inside.root, {}, tmp_path)):  # named or not
        with pytest.raises(UsageError, match="forecast init DIR"):
            places.check_writable(where)
