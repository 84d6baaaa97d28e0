"""Where compiled code is kept: in the home folder if that can be written, else in a temporary one that is this user's alone."""

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
    monkeypatch.delitem(sys.modules, "pytensor", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp"


def at_home(monkeypatch: pytest.MonkeyPatch, home: Path, **environ: str) -> dict[str, str]:
    monkeypatch.setenv("HOME", str(home))
    caches.use_writable_caches(environ)
    return environ


def test_a_home_that_can_be_written_is_used(temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert at_home(monkeypatch, tmp_path) == {}
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("home", ["/dev/null", "/proc/nothing"])
def test_another_home_is_replaced_by_a_private_temporary_folder_and_said(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, home: str
) -> None:
    with caplog.at_level(logging.WARNING):
        environ = at_home(monkeypatch, Path(home), PYTENSOR_FLAGS="floatX=float64")
    (folder,) = temporary.iterdir()
    assert environ == {"PYTENSOR_FLAGS": f"floatX=float64,base_compiledir={folder}/pytensor", "NUMBA_CACHE_DIR": f"{folder}/numba"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert f"compiled code is kept in {folder}" in caplog.text
    assert at_home(monkeypatch, Path(home), PYTENSOR_FLAGS="floatX=float64") == environ  # the same folder the next time


@pytest.mark.parametrize("kind", ["shared", "file", "link"])
def test_a_folder_that_others_could_have_written_is_not_trusted(
    temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    usual = temporary / f"forecast-cache-{os.getuid()}"
    {"shared": usual.mkdir, "file": usual.touch, "link": lambda: usual.symlink_to(tmp_path)}[kind]()
    if kind == "shared":
        usual.chmod(0o777)
    flags = at_home(monkeypatch, Path("/dev/null"))["PYTENSOR_FLAGS"]
    assert not flags.startswith(f"base_compiledir={usual}/")
    assert flags.startswith(f"base_compiledir={temporary}/forecast-cache-")


def test_who_names_a_folder_is_obeyed(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = "base_compiledir=/mine"
    assert at_home(monkeypatch, Path("/dev/null"), PYTENSOR_FLAGS=flags) == {"PYTENSOR_FLAGS": flags}


@pytest.mark.slow
def test_the_models_can_be_imported_without_a_home(tmp_path: Path) -> None:
    environ = os.environ | {"HOME": "/dev/null", "TMPDIR": str(tmp_path)}
    script = "import forecast.model.leverage, forecast.inference.sample, pytensor; print(pytensor.config.compiledir)"
    done = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
    assert done.stderr.count("\n") == 1
