"""The wheel that a user installs, in an empty folder, and the editable install, in another."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from forecast import workspace as places

ROOT = places.PACKAGE.parent


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(c) for c in command], cwd=cwd, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the checkout by the pinned backend, without any network."""
    where = tmp_path_factory.mktemp("build")
    leave = shutil.ignore_patterns(".*", "__pycache__")
    for name in ("forecast", "data", "priors"):
        shutil.copytree(ROOT / name, where / name, ignore=leave)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, where / name)
    (where / "reports").mkdir()
    shutil.copy(ROOT / "reports" / "README.md", where / "reports")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", cwd=where)
    assert built.returncode == 0, built.stderr
    (made,) = (where / "dist").glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`forecast` in a fresh environment that holds the wheel; what it depends on is lent by the environment of the tests."""
    home = tmp_path_factory.mktemp("venv")
    assert run(sys.executable, "-m", "venv", home, cwd=home).returncode == 0
    done = run(home / "bin" / "python", "-m", "pip", "install", "--no-deps", "--no-index", wheel, cwd=home)
    assert done.returncode == 0, done.stderr
    (site,) = home.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")  # a plain path: the editable install there stays out
    return home / "bin" / "forecast"


@pytest.mark.slow
def test_the_wheel_carries_the_workspace_the_licence_and_every_file_of_the_package(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    for root, prefix in (
        (ROOT / "data", "forecast/_workspace/data"),
        (ROOT / "priors", "forecast/_workspace/priors"),
        (ROOT / "forecast", "forecast"),
    ):
        for path in root.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"{prefix}/{path.relative_to(root)}" in held
    assert "forecast/_workspace/reports/README.md" in held
    assert any(name.endswith("licenses/LICENSE") for name in held)
    assert not any(part in name for name in held for part in ("tests/", "docs/", ".tmp-"))


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    for words in (["--version"], ["data", "check"], ["priors", "check"], ["runs", "list"]):
        done = run(installed, *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    for words in (["run"], ["refit"], ["priors", "set", "leverage.effect", "Normal(1, 1)", "--why", "So.", "--by", "me"]):
        done = run(installed, *words, cwd=tmp_path)
        assert done.returncode == 2, done.stderr
        assert "forecast init DIR" in done.stderr
    assert list(tmp_path.iterdir()) == []
    where = run(installed.parent / "python", "-c", "import forecast; print(forecast.__file__)", cwd=tmp_path)
    assert where.stdout.startswith(str(installed.parent.parent))


@pytest.mark.slow
def test_the_wheel_makes_a_workspace_that_can_be_edited(installed: Path, tmp_path: Path) -> None:
    assert run(installed, "init", "mine", cwd=tmp_path).returncode == 0
    assert (tmp_path / "mine" / "data" / "events.csv").read_bytes() == (ROOT / "data" / "events.csv").read_bytes()
    with (tmp_path / "mine" / "data" / "events.csv").open("a") as events:
        events.write("broken\n")
    done = run(installed, "data", "check", cwd=tmp_path / "mine")
    assert done.returncode == 3
    assert run(installed, "data", "check", cwd=tmp_path).returncode == 0
    assert run(installed, "--workspace", "mine", "data", "check", cwd=tmp_path).returncode == 3


@pytest.mark.slow
def test_the_editable_install_works_in_an_empty_folder(tmp_path: Path) -> None:
    command = Path(sys.executable).parent / "forecast"
    for words in (["--version"], ["data", "check"], ["init", "mine"]):
        done = run(command, *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert places.bundled_root() == ROOT
