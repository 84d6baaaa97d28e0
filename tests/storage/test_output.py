"""The one writer for a path that a person gives: what it writes through, what it keeps, and what it refuses."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from forecast import workspace as places
from forecast.errors import ForecastError, UsageError
from forecast.storage.output import Output

OLD, NEW = "what is there\n", "a report, λ\n"


def write(path: Path, text: str = NEW, *, force: bool = False, kept: tuple[Path, ...] = ()) -> Output:
    output = Output.checked(path, force=force, kept=kept)
    output.write(text)
    return output


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_a_new_file_has_the_permissions_of_new_files(tmp_path: Path) -> None:
    write(tmp_path / "new.html")
    assert (tmp_path / "new.html").read_text() == NEW
    assert stat.S_IMODE((tmp_path / "new.html").stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["new.html"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o660])
def test_a_file_that_is_there_keeps_its_permissions_and_is_replaced_only_by_force(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "mine.html"
    path.write_text(OLD)
    path.chmod(mode)
    with pytest.raises(UsageError, match=r"exists already.*--force"):
        write(path)
    assert path.read_text() == OLD
    write(path, force=True)
    assert path.read_text() == NEW
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert os.listdir(tmp_path) == ["mine.html"]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed_and_stays(tmp_path: Path, there: bool) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "report.html", tmp_path / "link"
    if there:
        target.write_text(OLD)
        target.chmod(0o600)
        with pytest.raises(UsageError, match="exists already"):
            write(tmp_path / "link2" if link.exists() else _linked(link, target))
    else:
        _linked(link, target)
    write(link, force=there)
    assert link.is_symlink()
    assert target.read_text() == NEW
    assert not there or stat.S_IMODE(target.stat().st_mode) == 0o600


def _linked(link: Path, target: Path) -> Path:
    link.symlink_to(target)
    return link


def test_a_name_that_others_share_is_replaced_for_this_one_alone(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(OLD)
    os.link(tmp_path / "data.csv", tmp_path / "mine")
    write(tmp_path / "mine", force=True)
    assert ((tmp_path / "data.csv").read_text(), (tmp_path / "mine").read_text()) == (OLD, NEW)


def test_a_named_pipe_is_written_through(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    assert write(pipe).through
    reader.join()
    assert read == [NEW]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/null")
    for path in (Path("/dev/null"), tmp_path / "link"):
        assert write(path).through
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(ForecastError, match="/dev/full could not be written: No space left on device"):
        write(Path("/dev/full"))


def test_what_cannot_be_a_file_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "socket"))
    wrong = [tmp_path, tmp_path / "file" / "x", tmp_path / "no" / "x", tmp_path / "loop", tmp_path / ("x" * 300), tmp_path / "socket"]
    for path in [*wrong, Path("a\0b")]:
        with pytest.raises(UsageError):
            Output.checked(path, force=True, kept=())
    listening.close()


def test_nothing_is_left_where_the_disk_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "mine").write_text(OLD)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ForecastError, match="mine could not be written: No space left on device"):
        write(tmp_path / "mine", force=True)
    assert os.listdir(tmp_path) == ["mine"]
    assert (tmp_path / "mine").read_text() == OLD


INSIDE = ["data/events.csv", "data/new.csv", "priors/leverage.toml", "reports/latest", "reports/ledger/head.json", "reports/x/y.html"]


@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize("way", ["straight", "dots", "link", "linked folder"])
def test_nothing_is_written_inside_the_workspaces_folders(tmp_path: Path, inside: str, way: str) -> None:
    root = tmp_path / "workspace"
    for name in ("data", "priors", "reports/ledger", "reports/x"):
        (root / name).mkdir(parents=True)
    kept = tuple(root / name for name in ("data", "priors", "reports"))
    path = {
        "straight": lambda: root / inside,
        "dots": lambda: root / "data" / ".." / inside,
        "link": lambda: _linked(tmp_path / "link", root / inside),
        "linked folder": lambda: _linked(tmp_path / "folder", root) / inside,
    }[way]()
    with pytest.raises(UsageError, match="is inside"):
        write(path, force=True, kept=kept)
    assert not (root / inside).exists()
    write(root / "report.html", kept=kept)


type Command = Callable[..., Result]


@pytest.mark.parametrize("words", [["report", "--output"], ["priors", "show", "leverage.effect", "--figure"]])
def test_every_command_that_writes_for_a_person_uses_it(
    command: Command, workspace: places.Workspace, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """The path is checked before anything is read: here neither the runs nor the priors could be."""

    def read(*_: object, **__: object) -> None:
        raise AssertionError("something was read before the path was checked")

    monkeypatch.setattr("forecast.report.files.load_report", read)
    monkeypatch.setattr("forecast.priors.load.load_priors", read)
    mine = workspace.root / "mine.svg"
    mine.write_text(OLD)
    for path, words_said in ((mine, "--force"), (workspace.reports / "x.svg", "is inside"), (workspace.root / "no" / "x.svg", "no folder")):
        result = command(*words, path, cwd=workspace.root)
        assert result.exit_code == 2, result.stderr
        assert words_said in result.stderr
    assert mine.read_text() == OLD


def test_a_figure_is_drawn_over_an_old_one_by_force(command: Command, workspace: places.Workspace) -> None:
    mine = workspace.root / "mine.svg"
    words = ["priors", "show", "leverage.effect", "--figure", "mine.svg"]
    assert command(*words, cwd=workspace.root).exit_code == 0
    first = mine.read_text()
    assert command(*words, cwd=workspace.root).exit_code == 2
    mine.write_text(OLD)
    assert command(*words, "--force", cwd=workspace.root).exit_code == 0
    assert mine.read_text() == first
