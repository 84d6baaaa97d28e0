"""`forecast init` and `forecast runs`, through the command; and where the workspace is looked for."""

from __future__ import annotations

import errno
import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import Result

from forecast import workspace as places
from forecast.errors import ForecastError, UsageError
from forecast.runs import publication_lock, store
from tests.support.sound_reports import sound_report

IDS = ["20260101T000000Z-aaaaaa", "20260102T000000Z-bbbbbb"]
type Command = Callable[..., Result]


def write_run(reports: Path, run_id: str) -> None:
    def write(folder: Path) -> None:
        (folder / "report.md").write_text("# Report\n")
        (folder / "report.json").write_text(json.dumps(sound_report(run_id)))

    store.write_run(reports, run_id, write, {})


@pytest.fixture
def reports(workspace: places.Workspace) -> Path:
    """Two runs in a workspace, the older one published."""
    for run_id in IDS:
        write_run(workspace.reports, run_id)
    store.publish(workspace.reports, IDS[0])
    return workspace.reports


def inputs(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for name in ("data", "priors") for p in (root / name).rglob("*") if p.is_file()}


def test_init_copies_the_bundled_workspace(command: Command, tmp_path: Path) -> None:
    result = command("init", "mine")
    assert result.exit_code == 0, result.stderr
    assert inputs(tmp_path / "mine") == inputs(places.bundled_root())
    assert [p.name for p in (tmp_path / "mine" / "reports").iterdir()] == ["README.md"]
    assert [p.name for p in (tmp_path / "mine").rglob("*") if p.name.startswith(".")] == [".gitattributes"]


def test_init_fills_an_empty_folder_and_no_other(command: Command, tmp_path: Path) -> None:
    assert command("init", ".").exit_code == 0
    for target in (".", "data", "data/events.csv"):
        before = sorted(tmp_path.rglob("*"))
        result = command("init", target)
        assert result.exit_code == 2
        assert "not an empty folder" in result.stderr
        assert sorted(tmp_path.rglob("*")) == before


def test_init_that_cannot_write_leaves_nothing(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = command("init", "file/mine")
    assert result.exit_code == 1
    assert "could not be written" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_the_workspace_is_looked_for_in_order(workspace: places.Workspace, tmp_path: Path) -> None:
    root = workspace.data.parent
    other = places.create_workspace(tmp_path / "other")
    variable = {places.VARIABLE: str(root)}
    assert places.find_workspace("other", variable, tmp_path).data == other.data
    assert places.find_workspace(None, variable, other.data.parent).data == workspace.data
    assert places.find_workspace(None, {}, root).data == workspace.data
    default = places.find_workspace(None, {}, tmp_path)
    assert default.data == places.bundled_root() / "data"
    assert default.reports in (places.bundled_root() / "reports", tmp_path / "reports")


def test_a_folder_that_is_no_workspace_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "half" / "data").mkdir(parents=True)
    result = command("--workspace", "half", "runs", "list")
    assert result.exit_code == 2
    assert "no priors/" in result.stderr
    assert "forecast init" in result.stderr
    with pytest.raises(UsageError, match=places.VARIABLE):
        places.find_workspace(None, {places.VARIABLE: "nowhere"}, tmp_path)


def test_runs_list_shows_the_newest_first_and_the_published(command: Command, reports: Path) -> None:
    result = command("runs", "list", cwd=reports.parent)
    _, newer, older = result.stdout.splitlines()
    assert newer.startswith(IDS[1])
    assert newer.endswith("no")
    assert older.startswith(IDS[0])
    assert older.endswith("latest")
    document = json.loads(command("runs", "list", "--json", cwd=reports.parent).stdout)
    assert [(r["run_id"], r["created"], r["latest"]) for r in document] == [
        (IDS[1], "2026-01-02T00:00:00+00:00", False),
        (IDS[0], "2026-01-01T00:00:00+00:00", True),
    ]


def test_runs_verify_finds_one_flipped_bit(command: Command, reports: Path) -> None:
    assert command("runs", "verify", cwd=reports.parent).exit_code == 0
    path = reports / IDS[1] / "report.md"
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    for words in (["runs", "verify"], ["runs", "verify", "20260102"], ["runs", "verify", "--json"]):
        result = command(*words, cwd=reports.parent)
        assert result.exit_code == 7
        assert "report.md was altered" in result.stdout
        assert IDS[1] in result.stderr
    assert command("runs", "verify", "latest", cwd=reports.parent).exit_code == 0


def test_runs_verify_names_the_nearest_run(command: Command, reports: Path) -> None:
    result = command("runs", "verify", "20260102T000000Z-bbbbbc", cwd=reports.parent)
    assert result.exit_code == 2
    assert IDS[1] in result.stderr


def test_runs_prune_makes_room(command: Command, reports: Path) -> None:
    result = command("runs", "prune", "--keep", "0", "--json", cwd=reports.parent)
    assert (result.exit_code, json.loads(result.stdout)["removed"]) == (0, [IDS[1]])
    assert [run.run_id for run in store.list_runs(reports)] == [IDS[0]]


def test_runs_prune_makes_room_on_a_disk_that_takes_no_byte(
    command: Command, reports: Path, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    class Full(io.FileIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def opened(path: Path, mode: str = "r", *how: object, **more: object) -> object:
        return Full(path, "a+") if mode == "a+b" else real(path, mode, *how, **more)  # type: ignore[call-overload]

    real = Path.open
    monkeypatch.setattr(Path, "open", opened)
    result = command("runs", "prune", "--keep", "0", cwd=reports.parent)
    assert result.exit_code == 0, result.stderr
    assert [run.run_id for run in store.list_runs(reports)] == [IDS[0]]
    with pytest.raises(ForecastError, match="The disk is full"):
        publication_lock.publisher(reports, "forecast refit", now).__enter__()


def test_runs_prune_says_what_it_removed_also_if_the_index_cannot_be_written(
    command: Command, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise ForecastError("index.html could not be written: No space left on device.")

    monkeypatch.setattr("forecast.jobs.index.write_index", full)
    result = command("runs", "prune", "--keep", "0", "--json", cwd=reports.parent)
    assert (result.exit_code, json.loads(result.stdout)["removed"]) == (1, [IDS[1]])
    assert "index.html could not be written" in result.stderr


def test_runs_prune_waits_for_a_publisher(command: Command, reports: Path, now: datetime) -> None:
    with publication_lock.publisher(reports, "forecast refit", now):
        result = command("runs", "prune", "--keep", "0", cwd=reports.parent)
    assert result.exit_code == 5
    assert "forecast refit" in result.stderr
    assert len(store.list_runs(reports)) == 2
