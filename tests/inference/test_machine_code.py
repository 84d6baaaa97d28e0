"""Compiled code between processes: loaded if it is ours and right, compiled again on any doubt."""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forecast.inference import machine_code as cache
from forecast.inference.machine_code import CodeError, code_key, entries, machine_code

KERNEL = "forecast.model.tolerance_kernel"


def copies(address: int) -> str:
    """What is wrong with `copy` at an address."""
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, ctypes.c_uint64, *[ctypes.c_void_p] * 3)(address)
    point, kept = np.arange(5.0), np.zeros(5)
    call(5, 5, point.ctypes.data, kept.ctypes.data, None)
    return "" if (kept == point).all() else "it does not copy"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one entry."""
    folder = tmp_path_factory.mktemp("cache")
    machine_code(KERNEL, "copy", copies, folder)
    return folder


@pytest.fixture
def folder(compiled: Path, tmp_path: Path) -> Path:
    for path in compiled.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / path.name).chmod(0o600)
    return tmp_path


def entry(folder: Path) -> Path:
    (path,) = folder.glob("*.code")
    return path


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch, compiled: Path) -> list[str]:
    """The functions that are compiled in a test; what the compiler would make comes from the entry."""
    seen: list[str] = []
    header, raw = cache._read(entry(compiled), None)

    def compile_(module: str, function: str) -> tuple[str, bytes]:
        seen.append(function)
        return header["symbol"], raw

    monkeypatch.setattr(cache, "_compile", compile_)
    return seen


def test_the_second_load_compiles_nothing_and_checks_what_it_loads(folder: Path, compilations: list[str]) -> None:
    checked: list[int] = []

    def check(address: int) -> str:
        checked.append(address)
        return copies(address)

    code = machine_code(KERNEL, "copy", check, folder)
    assert checked == [code.address]
    assert compilations == []


def edited(path: Path, change: Callable[[dict[str, object], bytes], tuple[dict[str, object], bytes]]) -> None:
    first, _, raw = path.read_bytes().partition(b"\n")
    header, raw = change(json.loads(first), raw)
    path.write_bytes(json.dumps(header).encode() + b"\n" + raw)


def _flip(header: dict[str, object], raw: bytes) -> tuple[dict[str, object], bytes]:
    return header, raw[:-100] + bytes([raw[-100] ^ 1]) + raw[-99:]


def _other_key(name: str) -> Callable[[dict[str, object], bytes], tuple[dict[str, object], bytes]]:
    def change(header: dict[str, object], raw: bytes) -> tuple[dict[str, object], bytes]:
        key = header["key"]
        assert isinstance(key, dict)
        return header | {"key": key | {name: "another"}}, raw

    return change


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a bit flipped": lambda p: edited(p, _flip),
    "cut short": lambda p: p.write_bytes(p.read_bytes()[:-200]),
    "of another processor": lambda p: edited(p, _other_key("processor")),
    "of another source": lambda p: edited(p, _other_key("source")),
    "of another library": lambda p: edited(p, _other_key("nutpie")),
    "no header": lambda p: p.write_bytes(b"\x7fELF" * 100),
    "header of another kind": lambda p: p.write_bytes(b'["key"]\nabc'),
    "empty": lambda p: p.write_bytes(b""),
    "deeply nested": lambda p: p.write_bytes(b"[" * 100_000 + b"\n"),
    "another symbol": lambda p: edited(p, lambda header, raw: (header | {"symbol": "main"}, raw)),
    "others can write": lambda p: p.chmod(0o666),
    "a link": lambda p: (p.rename(p.with_suffix(".real")), p.symlink_to(p.with_suffix(".real"))),
    "a folder": lambda p: (p.unlink(), p.mkdir()),
    "too large": lambda p: p.write_bytes(b"\n" * (cache._LIMIT + 1)),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_poisoned_or_foreign_file_is_refused_and_compiled_again(
    folder: Path, compilations: list[str], caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    DAMAGE[kind](entry(folder))
    code = machine_code(KERNEL, "copy", copies, folder)
    assert copies(code.address) == ""
    assert compilations == ["copy"]
    assert f"{entry(folder)} is not used, and is compiled again: " in caplog.text


def test_code_that_is_whole_but_wrong_is_refused(folder: Path, compilations: list[str], caplog: pytest.LogCaptureFixture) -> None:
    answers = iter(["it is wrong", ""])
    machine_code(KERNEL, "copy", lambda _: next(answers), folder)
    assert compilations == ["copy"]
    assert "it is wrong" in caplog.text


def test_fresh_code_that_is_wrong_is_an_error(tmp_path: Path, compilations: list[str]) -> None:
    with pytest.raises(CodeError, match="it is wrong"):
        machine_code(KERNEL, "copy", lambda _: "it is wrong", tmp_path)
    assert compilations == ["copy"]


def test_a_folder_that_cannot_be_written_costs_a_compilation_and_a_warning(
    tmp_path: Path, compilations: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    code = machine_code(KERNEL, "copy", copies, tmp_path / "file" / "cache")
    assert copies(code.address) == ""
    assert compilations == ["copy"]
    assert "cannot be written" in caplog.text


def test_the_key_names_everything_the_code_depends_on() -> None:
    key = code_key(KERNEL, "copy")
    assert set(key) == {
        "function", "source", "python", "system", "processor", "features", "llvmlite", "numba", "numpy", "nutpie",
    }  # fmt: skip
    assert code_key(KERNEL, "value_and_gradient") != key


def test_entries_say_which_files_would_be_used(folder: Path) -> None:
    name = entry(folder).name
    edited(entry(folder), _other_key("numba"))
    (folder / "old-1.code").write_bytes(b"")
    (folder / "notes.txt").touch()
    first, second = entries(folder)
    assert (first.path.name, first.function, first.damage) == (name, f"{KERNEL}.copy", "made by another version or for another machine")
    assert (second.path.name, second.damage) == ("old-1.code", "its first line is no header")
    assert os.listdir(folder)


def test_a_function_that_needs_more_than_mathematics_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
import numba
import numpy as np
SIGNATURES = {"f": numba.types.float64(numba.types.int64)}
def f(n):
    return np.empty(n).sum()
"""
    (tmp_path / "allocating_kernel.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CodeError, match="needs NRT_"):
        machine_code("allocating_kernel", "f", lambda _: "", tmp_path)
    assert not list(tmp_path.glob("*.code"))
