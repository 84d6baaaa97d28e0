"""`forecast cache`: what is kept, whether it is used, and its removal. Always in a folder of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Command = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORECAST_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_an_empty_cache_is_said_to_be_empty(command: Command, folder: Path) -> None:
    result = command("cache", "show")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"Compiled code and charts are kept in {folder}.\nNothing is there yet; the first run puts it there.\n"


def test_files_are_listed_with_the_reason_why_one_is_not_used(command: Command, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "copy-1.code").write_bytes(b"poisoned\n")
    (folder / "numba").mkdir()
    (folder / "numba" / "x.nbc").write_bytes(bytes(60_000))
    shown = command("cache", "show")
    assert "copy-1.code" in shown.stdout
    assert "its first line is no header" in shown.stdout
    assert "Folder numba: 0.1 MB." in shown.stdout
    listed = json.loads(command("cache", "show", "--json").stdout)
    assert listed["folder_bytes"] == {"numba": 60_000}
    assert [(row["file"], row["used"]) for row in listed["files"]] == [("copy-1.code", False)]


def test_clearing_says_what_it_removed_and_leaves_other_files(command: Command, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "copy-1.code").write_bytes(bytes(2_000))
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    assert command("cache", "clear").stdout == "1 file removed (2 kB).\n"
    assert command("cache", "clear", "--json").stdout.strip().startswith("{")
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
