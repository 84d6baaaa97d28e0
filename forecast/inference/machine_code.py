"""Machine code of one function, kept between processes.

Numba compiles the function once. The code is optimised as a whole until it needs nothing but mathematical functions of the C library, and
is kept as an object file with a key of everything that it depends on. Every process, also the one that compiled it, loads that file, so
that a first run and a later one draw the same numbers. A file is used only if it is the user's own, its key and digest are right, and the
caller's check of what it computes agrees; otherwise it is compiled again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import logging
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from forecast.storage.atomic import replace_file
from forecast.storage.caches import CODE, read_own
from forecast.storage.files import MissingError, UnreadableError

_LIMIT: Final = 5_000_000
_EXTERNAL: Final = frozenset({"exp", "expm1", "log", "log1p", "pow", "sqrt"})
"""The functions that the code may take from the C library."""
_LOG: Final = logging.getLogger(__name__)

type Check = Callable[[int], str]
"""From the address of a function to what is wrong with it; empty if nothing is."""


class CodeError(Exception):
    """A function cannot be compiled to code that stands alone, or the code computes something else."""


@dataclass(frozen=True, eq=False)
class MachineCode:
    """A loaded function.

    address  where it starts
    engine   what holds it in memory; it is valid as long as this lives
    """

    address: int
    engine: Any


@dataclass(frozen=True)
class CacheEntry:
    """A file of the cache: its size in bytes, its function, the day it was written; damage says why it is not used, else it is empty."""

    path: Path
    size: int
    function: str
    written: str
    damage: str


def machine_code(module: str, function: str, check: Check, folder: Path) -> MachineCode:
    """The code of `function` of `module`, whose signature is in its `SIGNATURES`; loaded from the folder if it is there, else compiled.

    The module must stand alone: its own text is all of the source that the key knows. CodeError if fresh code fails the check.
    """
    key = code_key(module, function)
    path = folder / f"{function}-{_digest(key)[:16]}{CODE}"
    try:
        header, raw = _read(path, key)
        code = _load(header["symbol"], raw)
        reason = check(code.address)
    except MissingError:
        reason = ""
    except (_RefusedError, UnreadableError) as e:
        reason = str(e)
    else:
        if not reason:
            return code
    if reason:
        _LOG.warning("%s is not used, and is compiled again: %s.", path, reason)
    symbol, raw = _compile(module, function)
    _keep(path, {"key": key, "symbol": symbol, "sha256": hashlib.sha256(raw).hexdigest()}, raw)
    code = _load(symbol, raw)
    if reason := check(code.address):
        raise CodeError(f"the compiled code of {module}.{function} is wrong: {reason}")
    return code


def code_key(module: str, function: str) -> dict[str, str]:
    """Everything that the code depends on: the source, the compiler, the libraries that call it, and the processor."""
    import llvmlite.binding as llvm

    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise CodeError(f"there is no source of {module}")
    return {
        "function": f"{module}.{function}",
        "source": hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()} {' '.join(platform.libc_ver())}",
        "processor": llvm.get_host_cpu_name(),
        "features": _digest(dict(llvm.get_host_cpu_features())),
        **{name: importlib.metadata.version(name) for name in ("llvmlite", "numba", "numpy", "nutpie")},
    }


def entries(folder: Path) -> list[CacheEntry]:
    """The files of the cache, by name."""
    return [_entry(path) for path in sorted(folder.glob(f"*{CODE}"))]


def _entry(path: Path) -> CacheEntry:
    status = path.lstat()
    written = datetime.fromtimestamp(status.st_mtime, UTC).date().isoformat()
    try:
        header, _ = _read(path, None)
        key = header["key"]
        module, _, function = key["function"].rpartition(".")
        damage = "" if code_key(module, function) == key else "made by another version or for another machine"
        return CacheEntry(path, status.st_size, key["function"], written, damage)
    except (_RefusedError, UnreadableError, CodeError, ImportError, OSError) as e:
        return CacheEntry(path, status.st_size, "", written, str(e))


class _RefusedError(Exception):
    """A file of the cache is not what it should be."""


def _read(path: Path, key: Mapping[str, str] | None) -> tuple[dict[str, Any], bytes]:
    """Header and code of a file; the key is compared if there is one. MissingError if there is no file."""
    first, _, raw = read_own(path, _LIMIT).partition(b"\n")
    try:
        header = json.loads(first)
        known, symbol, digest = header["key"], header["symbol"], header["sha256"]
        texts = all(isinstance(text, str) for text in (symbol, digest, known["function"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        texts = False
    if not texts:
        raise _RefusedError("its first line is no header")
    if key is not None and known != key:
        raise _RefusedError("it was made from other source, by other versions or for another machine")
    if hashlib.sha256(raw).hexdigest() != digest:
        raise _RefusedError("its content is not what its header says")
    return header, raw


def _keep(path: Path, header: Mapping[str, Any], raw: bytes) -> None:
    """Write a file of the cache, for this user alone. If that fails the process goes on with what it has compiled."""
    try:
        replace_file(path, json.dumps(header).encode() + b"\n" + raw, 0o600)
    except OSError as e:
        _LOG.warning("%s cannot be written, so the next run compiles again: %s.", path, e.strerror)


def _compile(module: str, function: str) -> tuple[str, bytes]:
    """Name and object file of the function."""
    import llvmlite.binding as llvm
    import numba

    source = importlib.import_module(module)
    compiled = numba.cfunc(source.SIGNATURES[function], error_model="numpy")(getattr(source, function))
    ir = llvm.parse_assembly(compiled.inspect_llvm())
    # Numba's wrapper reports Python errors by functions of its own. None can occur; seen as a whole, all that falls away.
    for value in (*ir.functions, *ir.global_variables):
        if not value.is_declaration and value.name != compiled.native_name:
            value.linkage = "internal"
    machine = _target_machine()
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(ir, builder)
    needed = {f.name for f in ir.functions if f.is_declaration and not f.name.startswith("llvm.")}
    if foreign := sorted(needed - _EXTERNAL) + [v.name for v in ir.global_variables if v.is_declaration]:
        raise CodeError(f"the code of {module}.{function} needs {', '.join(foreign)}")
    return compiled.native_name, machine.emit_object(ir)


def _load(symbol: str, raw: bytes) -> MachineCode:
    """The function of an object file, in memory."""
    import llvmlite.binding as llvm

    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine())
    try:
        engine.add_object_file(llvm.ObjectFileRef.from_data(raw))
        engine.finalize_object()
        address = engine.get_function_address(symbol)
    except RuntimeError as e:
        raise _RefusedError(f"it cannot be loaded ({e})") from e
    if not address:
        raise _RefusedError("it lacks its function")
    return MachineCode(address, engine)


def _target_machine() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, reloc="pic", codemodel="default", jit=True
    )


def _digest(of: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()
