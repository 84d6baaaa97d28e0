"""Where compiled code is kept: in the user's cache folder if that can be written, else in a temporary one that is this user's alone."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from forecast.storage import caches


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (caches.CACHE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delitem(sys.modules, "pytensor", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp"


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "home/.cache/tolerance-forecast"),
        ({"XDG_CACHE_HOME": "{}/xdg"}, "xdg/tolerance-forecast"),
        ({"XDG_CACHE_HOME": "relative/is/ignored"}, "home/.cache/tolerance-forecast"),
        ({"XDG_CACHE_HOME": "{}/xdg", "FORECAST_CACHE": "{}/own"}, "own"),
    ],
)
def test_the_folder_is_the_users_and_nobody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    folder = caches.cache_folder()
    assert folder == tmp_path / expected
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("home", ["/dev/null", "/proc/nothing"])
def test_another_home_is_replaced_by_a_private_temporary_folder_with_a_warning(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, home: str
) -> None:
    monkeypatch.setenv("HOME", home)
    with caplog.at_level(logging.WARNING):
        folder = caches.cache_folder()
    assert [folder] == list(temporary.iterdir())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert f"cannot be written, so compiled code and charts are kept in {folder}" in caplog.text
    assert caches.cache_folder() == folder  # the same the next time


def test_a_cache_that_others_can_write_is_not_used(
    temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    monkeypatch.setenv("FORECAST_CACHE", str(tmp_path / "open"))
    assert caches.cache_folder().parent == temporary
    assert "can be written by others" in caplog.text


@pytest.mark.parametrize("kind", ["shared", "file", "link"])
def test_a_temporary_folder_that_others_could_have_made_is_not_trusted(
    temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("HOME", "/dev/null")
    usual = temporary / f"forecast-cache-{os.getuid()}"
    {"shared": usual.mkdir, "file": usual.touch, "link": lambda: usual.symlink_to(tmp_path)}[kind]()
    if kind == "shared":
        usual.chmod(0o777)
    folder = caches.cache_folder()
    assert folder.parent == temporary
    assert folder != usual


@pytest.mark.usefixtures("temporary")
def test_libraries_compile_into_the_cache_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECAST_CACHE", str(tmp_path / "own"))
    environ = {"PYTENSOR_FLAGS": "floatX=float64"}
    caches.use_cache_folder(environ)
    own = tmp_path / "own"
    assert environ == {"PYTENSOR_FLAGS": f"floatX=float64,base_compiledir={own}/pytensor", "NUMBA_CACHE_DIR": f"{own}/numba"}
    chosen = {"PYTENSOR_FLAGS": "base_compiledir=/elsewhere", "NUMBA_CACHE_DIR": "/else"}
    caches.use_cache_folder(environ := dict(chosen))
    assert environ == chosen


@pytest.mark.usefixtures("temporary")
def test_clearing_removes_code_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a-1.code", "numba/x/y.nbi", "pytensor/z.so", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    assert caches.sizes_of_folders(tmp_path) == {"numba": 5, "pytensor": 5}
    assert caches.clear_cache(tmp_path) == (3, 15)
    assert {p.name for p in tmp_path.iterdir()} == {"notes.txt", "numba", "pytensor", "tmp"}
    assert caches.clear_cache(tmp_path) == (0, 0)


@pytest.mark.slow
def test_the_models_can_be_imported_without_a_home(tmp_path: Path) -> None:
    environ = os.environ | {"HOME": "/dev/null", "TMPDIR": str(tmp_path)}
    for name in (caches.CACHE, "XDG_CACHE_HOME", caches.NUMBA, caches.FLAGS):
        environ.pop(name, None)
    script = "import forecast.model.tolerance, pytensor; print(pytensor.config.compiledir)"
    done = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
    assert done.stderr.count("\n") == 1
