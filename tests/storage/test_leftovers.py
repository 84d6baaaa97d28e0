"""What a killed writer leaves is removed by who writes next; what a living one holds, and what is a person's, is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from forecast.data.entry.file_edits import read_with_changes
from forecast.forecasting.scenarios.template import create_scenario_file
from forecast.priors.apply_edits import write_edits
from forecast.priors.load import load_priors
from forecast.priors.parsing import parse_prior
from forecast.storage.atomic import replace_files, replace_text
from forecast.storage.temporary_folder import temporary_folder
from forecast.workspace import Workspace
from tests.conftest import NOW

KILLED = """
import os, sys
from pathlib import Path
os.replace = os.link = lambda *_: os.kill(os.getpid(), 9)
{code}
"""
IN_A_FOLDER = """
import os
from forecast.storage.temporary_folder import temporary_folder
with temporary_folder() as folder:
    print(folder, flush=True)
    input()
"""


def killed(code: str, *words: str | Path) -> None:
    """Run this in a process that dies in the moment in which it would rename."""
    done = subprocess.run([sys.executable, "-c", KILLED.format(code=code), *map(str, words)], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def hidden(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob(".*"))


WRITERS: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "data": (
        "data/events.csv",
        "from forecast.storage.atomic import replace_files; p = Path(sys.argv[1]); replace_files({p: p.read_bytes()})",
        lambda path: replace_files({path: path.read_bytes()}),
    ),
    "priors": (
        "priors/leverage.toml",
        "from forecast.storage.atomic import replace_text; p = Path(sys.argv[1]); replace_text(p, p.read_text())",
        lambda path: replace_text(path, path.read_text()),
    ),
    "scenarios": (
        "data/scenarios/mine.toml",
        "from forecast.forecasting.scenarios.template import create_scenario_file; create_scenario_file(Path(sys.argv[1]))",
        create_scenario_file,
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_next_writer_removes_what_a_killed_one_left(workspace: Workspace, name: str) -> None:
    file, code, write = WRITERS[name]
    path = workspace.data.parent / file
    mine = [path.parent / name for name in (".events.csv.original", ".events.csv.swp", ".notes.abcdefgh")]
    for own in mine:
        own.write_text("a person's")
    killed(code, path)
    assert len(hidden(path.parent)) == len(mine) + 1
    write(path)
    assert hidden(path.parent) == sorted(p.name for p in mine)


def test_a_change_of_priors_sweeps_their_folder_and_their_history(workspace: Workspace) -> None:
    priors = load_priors(workspace.priors)
    output = {"why": "because", "by": "ann", "source": "judgement", "now": NOW}
    write_edits(workspace.priors, priors, {"leverage.effect": parse_prior("leverage.effect", "Normal(1, 0.5)")}, **output)  # type: ignore[arg-type]
    history = next(p for p in (workspace.priors / "history").iterdir() if p.name.startswith("2026"))
    left = [workspace.priors / ".leverage.toml.ab12cd34.tmp", history.parent / f".{history.name}.ab12cd34.tmp"]
    for path in left:
        path.write_text("half")
    write_edits(
        workspace.priors, load_priors(workspace.priors), {"leverage.effect": parse_prior("leverage.effect", "Normal(1, 0.6)")}, **output  # type: ignore[arg-type]
    )  # fmt: skip
    assert not any(path.exists() for path in left)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary folder, for this test alone."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def start() -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen([sys.executable, "-c", IN_A_FOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_temporary_folder_of_the_dead_is_removed_and_one_of_the_living_stays(temporary: Path, bundled: Workspace) -> None:
    (temporary / "forecast-mine").mkdir()
    (temporary / ".forecast-stage-of-my-own").mkdir()
    dead, left = start()
    living, held = start()
    dead.kill()
    dead.communicate()
    try:
        assert left.is_dir()
        read_with_changes(bundled.data, {})
        assert sorted(p.name for p in temporary.iterdir()) == sorted([".forecast-stage-of-my-own", "forecast-mine", held.name])
    finally:
        living.communicate("\n")
    assert not held.exists()
    assert living.returncode == 0


def test_without_locks_a_temporary_folder_is_made_and_none_is_removed(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(37, os.strerror(37))

    left = temporary / ".forecast-stage-abcdef01"
    left.mkdir()
    monkeypatch.setattr("fcntl.flock", refuse)
    with temporary_folder() as folder:
        assert folder.is_dir()
    assert [p.name for p in temporary.iterdir()] == [left.name]
