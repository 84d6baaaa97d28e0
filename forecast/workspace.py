"""Workspaces: a workspace is any folder with `data/`, `priors/` and `reports/`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forecast.errors import ForecastError, StoreError, UsageError
from forecast.storage.files import UnreadableError, read_bounded

PACKAGE: Final = Path(__file__).resolve().parent
VARIABLE: Final = "FORECAST_WORKSPACE"
GIT: Final = ".gitattributes"
"""Makes git keep the bytes of every file, since digests in reports/ are of bytes and git may change line ends."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The three folders of a workspace.

    why: how it was chosen, in words. fallback: it was neither named nor the current folder, so it is only read.
    """

    data: Path
    priors: Path
    reports: Path
    why: str
    fallback: bool = False

    @property
    def root(self) -> Path:
        """The folder that holds the three."""
        return self.data.parent


def find_workspace(option: str | Path | None, environ: Mapping[str, str], cwd: Path) -> Workspace:
    """The workspace to use: the one asked for, else the current folder, else the one that came with the program.

    In this order: the option, the variable FORECAST_WORKSPACE, `cwd` if it has data/ and priors/, and else, only to be read, the checkout
    of an editable install or the copy inside an installed wheel.
    Raises UsageError if a folder that was asked for is no workspace, StoreError if something that is no folder is named reports.
    """
    chosen = _choose(option, environ, cwd)
    if chosen.reports.exists() and not chosen.reports.is_dir():
        raise StoreError(
            f"{chosen.reports} is not a folder, so no run can be kept there.", "Move it away; the next command makes the folder."
        )
    return chosen


def _choose(option: str | Path | None, environ: Mapping[str, str], cwd: Path) -> Workspace:
    if option is not None:
        return _asked_for(cwd / option, "asked for with --workspace")
    if environ.get(VARIABLE):
        return _asked_for(cwd / environ[VARIABLE], f"asked for with {VARIABLE}")
    if _has_inputs(cwd):
        return _at(cwd, "the current folder")
    source = bundled_root()
    inside = source.is_relative_to(PACKAGE)
    return _at(source, "the copy inside the installed package" if inside else "the checkout that the package is installed from", True)


def bundled_root() -> Path:
    """The folder with the data and priors that came with the program: the checkout, or the copy inside a wheel."""
    for root in (PACKAGE / "_workspace", PACKAGE.parent):
        if _has_inputs(root):
            return root
    raise ForecastError("The bundled data and priors are missing from this installation.", "Install the package again.")


def create_workspace(folder: Path) -> Workspace:
    """Copy the bundled workspace into a new or empty folder, so that it can be edited.

    Raises UsageError if the folder holds anything, ForecastError if it cannot be written; in both cases nothing is left behind.
    """
    source = bundled_root()
    existed = folder.is_dir()
    if folder.exists() and not (existed and not any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder; a new workspace would mix with what is there.", "Name a new folder.")
    try:
        for name in ("data", "priors"):
            shutil.copytree(source / name, folder / name, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        (folder / "reports").mkdir()
        shutil.copy(source / "reports" / "README.md", folder / "reports" / "README.md")
        (folder / GIT).write_text("* -text\n", encoding="utf-8")
    except OSError as e:
        _empty(folder, keep=existed)
        raise ForecastError(f"{folder} could not be written: {e.strerror or e}.", "Choose a folder you may write to.") from e
    return _at(folder, "newly made")


def _asked_for(root: Path, why: str) -> Workspace:
    if not _has_inputs(root):
        lacks = " and ".join(f"{name}/" for name in ("data", "priors") if not (root / name).is_dir())
        raise UsageError(f"{root} ({why}) is not a workspace: it has no {lacks}.", "`forecast init DIR` makes one.")
    return _at(root, why)


def check_writable(where: Workspace) -> None:
    """Raises UsageError if a workspace must not be written: a fallback that was not named, or the copy inside an installed wheel."""
    if where.fallback:
        raise UsageError(
            f"The current folder is not a workspace, and {where.root}, {where.why}, is written to only if you name it.",
            "`forecast init DIR` makes a workspace of your own; --workspace DIR or FORECAST_WORKSPACE names one.",
        )
    if where.data.is_relative_to(PACKAGE):
        raise UsageError(
            "The workspace is the copy inside the installed package, which must not be edited.",
            "`forecast init DIR` makes one of your own.",
        )


def workspace_files(where: Workspace) -> dict[str, bytes]:
    """The bytes of every file of `data/` and `priors/`, by its path in the workspace, such as "data/events.csv".

    Hidden files and folders, `__pycache__` and unreadable files (`storage.files`) are left out.
    """
    files: dict[str, bytes] = {}
    for name, folder in (("data", where.data), ("priors", where.priors)):
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if any(part.startswith(".") or part == "__pycache__" for part in inside.parts):
                continue
            with suppress(UnreadableError):
                files[f"{name}/{inside.as_posix()}"] = read_bounded(path)
    return files


def write_snapshot(folder: Path, snapshot: Mapping[str, bytes]) -> None:
    """Write files such as `workspace_files` returns below a folder."""
    for name, raw in snapshot.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)


def _has_inputs(root: Path) -> bool:
    return (root / "data").is_dir() and (root / "priors").is_dir()


def _at(root: Path, why: str, fallback: bool = False) -> Workspace:
    return Workspace(root / "data", root / "priors", root / "reports", why, fallback)


def _empty(folder: Path, *, keep: bool) -> None:
    for name in ("data", "priors", "reports"):
        shutil.rmtree(folder / name, ignore_errors=True)
    with suppress(OSError):
        (folder / GIT).unlink()
    if not keep and folder.is_dir():
        folder.rmdir()
