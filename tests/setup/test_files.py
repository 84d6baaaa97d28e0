"""What a fresh machine relies on: pins that name no address, and an interpreter that is found by running it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from forecast import workspace as places

ROOT = places.PACKAGE.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REAL = Path(sys.executable).resolve()


def test_the_lock_names_no_address_and_no_folder() -> None:
    assert "://" not in LOCK
    assert not re.search(r"(^|\s)(-i|-f|--[a-z-]*(index|find-links|host)[a-z-]*|/\w+)", LOCK.replace("--hash=", ""), re.MULTILINE)


def test_every_pin_is_exact_and_has_hashes() -> None:
    pins = re.findall(r"^(\S+?)==(\S+)((?:.|\n)*?)(?=^\S|\Z)", LOCK, re.MULTILINE)
    names = {name.split("[")[0] for name, _, _ in pins}
    assert len(pins) > 50
    assert all("--hash=sha256:" in rest for _, _, rest in pins)
    lines = [line for line in LOCK.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(lines) == len(pins)
    asked = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    assert {re.split(r"[\[<>=~!]", need)[0].lower() for need in asked} <= names


def test_the_interpreter_is_new_enough() -> None:
    assert sys.version_info >= (3, 12)
    assert PROJECT["project"]["requires-python"] == ">=3.12"
    assert (ROOT / ".python-version").read_text().strip() == "3.13"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine in a folder: the path has a Python that is too old and shims that fail, and a stand-in for uv that notes its words."""
    for folder in ("bin", "checkout/.ci", "checkout/.uv/bin", "home"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "environment", tmp_path / "checkout" / ".ci" / "environment")
    for tool in ("dirname", "ln", "mkdir", "rm", "sh", "touch"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    script(tmp_path / "bin" / "python3", "exit 1")  # what an old interpreter answers when asked whether it is new enough
    for shim in ("python3.13", "python3.12", "python"):
        script(tmp_path / "bin" / shim, "echo 'command not found' >&2; exit 127")
    venv = f'if [ "$1" = venv ]; then mkdir -p .venv/bin; ln -s {REAL} .venv/bin/python; fi'
    script(tmp_path / "checkout" / ".uv" / "bin" / "uv", f'echo "$@" >> {tmp_path}/uv.log; {venv}')
    return tmp_path


def script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def environment(machine: Path) -> list[str]:
    """What the script asked of uv."""
    command = ["sh", machine / "checkout" / ".ci" / "environment"]
    plain = {"PATH": str(machine / "bin"), "HOME": str(machine / "home")}
    subprocess.run(command, executable=shutil.which("sh"), env=plain, check=True, capture_output=True)
    assert (machine / "checkout" / ".venv" / ".made").exists()
    return (machine / "uv.log").read_text().splitlines()


def test_shims_that_fail_are_passed_over_for_an_interpreter_that_runs(machine: Path) -> None:
    hidden = machine / "home" / ".pyenv" / "versions" / "3.13.0" / "bin"
    hidden.mkdir(parents=True)
    script(hidden / "python", f'exec {REAL} "$@"')
    asked = environment(machine)
    assert asked[0] == f"venv --quiet --python {REAL} .venv"
    assert asked[1].startswith("pip sync --quiet --require-hashes")
    assert "--editable ." in asked[2]


def test_without_any_uv_fetches_an_interpreter(machine: Path) -> None:
    assert environment(machine)[:2] == ["python install 3.13", "venv --quiet --python 3.13 .venv"]


def test_a_second_time_the_environment_is_kept(machine: Path) -> None:
    environment(machine)
    before = len((machine / "uv.log").read_text().splitlines())
    assert not any(line.startswith("venv") for line in environment(machine)[before:])


def test_scripts_run_on_a_plain_shell() -> None:
    subprocess.run(["sh", "-n", ROOT / ".ci" / "environment"], check=True)
    subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=True)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
