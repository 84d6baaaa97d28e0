"""The house keeps its rooms: imports point one way, and only some rooms may sample, touch files, or import click and PyMC."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import forecast

PACKAGE = Path(forecast.__file__).parent

# Each room may import its own and those of the rows above it, not its neighbours in the row. What is no folder is a file.
ROWS = [
    {"errors", "domain", "formatting", "progress", "typing"},
    {"storage"},
    {"arrays", "workspace"},
    {"data"},
    {"priors"},
    {"model"},
    {"inference"},
    {"forecasting"},
    {"reweighting"},
    {"sensitivity", "attribution"},
    {"runs"},
    {"evaluation", "report"},
    {"jobs"},
    {"cli"},
]
FILES = {"storage", "data", "priors", "runs", "report", "workspace"}
ALLOWED = {
    "cli/_streams.py": {("os", "open")},  # /dev/null, where a stream is closed
    "inference/machine_code.py": {("", "replace_file"), ("Path(spec.origin)", "read_bytes")},  # the cache of compiled code
}
SAMPLERS = {"sample", "sample_numpyro_nuts", "sample_blackjax_nuts"}
WRITERS = {
    "open", "write_text", "write_bytes", "read_text", "read_bytes", "mkdir", "unlink", "rename", "replace_file", "touch", "rmdir",
    "symlink_to", "hardlink_to", "to_netcdf", "to_zarr", "from_netcdf", "savez", "savez_compressed", "save", "loadtxt", "savetxt",
}  # fmt: skip


def room(path: Path) -> str:
    """The room of a file: its folder in the package, or its own name at the top."""
    inside = path.relative_to(PACKAGE)
    return inside.parts[0].removesuffix(".py")


SOURCES = sorted(p for p in PACKAGE.rglob("*.py") if room(p) not in ("__init__", "__main__", "_workspace"))


@functools.cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(parse(path)))


def imported(path: Path) -> Iterator[str]:
    """The dotted names of all that a file imports, inside functions too, but not for the eyes of the type checker alone."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@functools.cache
def called(path: Path) -> frozenset[tuple[str, str]]:
    """What a file calls: the name before the last dot (empty if there is none) and the name after it."""
    functions = [node.func for node in nodes(path) if isinstance(node, ast.Call)]
    methods = {(ast.unparse(function.value), function.attr) for function in functions if isinstance(function, ast.Attribute)}
    return frozenset(methods | {("", function.id) for function in functions if isinstance(function, ast.Name)})


@functools.cache
def parse(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"))


def row(name: str) -> int:
    return next(i for i, rooms in enumerate(ROWS) if name in rooms)


def offences(rule: Callable[[Path], object]) -> dict[str, object]:
    """What a rule finds wrong, by file. One test a rule, not one a rule and file: there are a thousand of these."""
    return {str(path.relative_to(PACKAGE)): found for path in SOURCES if (found := rule(path))}


def test_imports_point_one_way() -> None:
    def wrong(path: Path) -> list[str]:
        here = room(path)
        theirs = {name: name.split(".")[1] for name in imported(path) if name.startswith("forecast.")}
        return [name for name, there in theirs.items() if not (there == here or row(there) < row(here) or row(here) == row(there) == 0)]

    assert offences(wrong) == {}


def test_only_some_rooms_import_click_and_pymc() -> None:
    def wrong(path: Path) -> set[str]:
        tops = {name.split(".")[0] for name in imported(path)}
        found: set[str] = set()
        if room(path) != "cli":
            found |= tops & {"click"}
        if room(path) not in ("model", "inference"):
            found |= tops & {"pymc", "pytensor", "nutpie"}
        if room(path) in ("errors", "domain", "formatting", "progress", "storage", "workspace"):
            found |= tops - set(sys.stdlib_module_names) - {"forecast"}
        if room(path) == "arrays":
            numba = {"numba"} if path.name == "compiled_ladder.py" else set()
            found |= tops - set(sys.stdlib_module_names) - {"forecast", "numpy"} - numba
        return found

    assert offences(wrong) == {}


def test_only_one_file_calls_a_sampler() -> None:
    def wrong(path: Path) -> set[tuple[str, str]]:
        calls = {(owner.split(".")[0], name) for owner, name in called(path)}
        return {(owner, name) for owner, name in calls if name in SAMPLERS and owner in ("pm", "pymc", "nutpie", "pmjax", "")}

    assert set(offences(wrong)) <= {"inference/sample.py"}


def test_only_some_rooms_touch_files() -> None:
    def wrong(path: Path) -> set[str]:
        allowed = ALLOWED.get(path.relative_to(PACKAGE).as_posix(), set())
        return set() if room(path) in FILES else {name for _, name in called(path) - allowed if name in WRITERS}

    assert offences(wrong) == {}


def test_randomness_and_the_clock_come_from_outside() -> None:
    """No global random numbers anywhere; the clock is read in one file of the command line."""

    def wrong(path: Path) -> set[tuple[str, str]]:
        calls = called(path)
        found = {(o, n) for o, n in calls if o in ("np.random", "numpy.random") and n not in ("default_rng", "SeedSequence")}
        if ("np.random", "default_rng") in calls and "default_rng()" in path.read_text(encoding="utf-8"):
            found.add(("np.random", "default_rng"))
        if path != PACKAGE / "cli" / "_context.py":
            found |= {(o, n) for o, n in calls if o in ("datetime", "date", "datetime.date") and n in ("now", "today", "utcnow")}
            found |= calls & {("time", "time")}
        return found

    assert offences(wrong) == {}


def test_every_room_has_its_row() -> None:
    assert {room(p) for p in SOURCES} <= set().union(*ROWS)


def light(code: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_importing_the_package_is_light() -> None:
    before = light("pass")
    assert light("import forecast; dir(forecast)") - before - set(sys.stdlib_module_names) == {"forecast"}


def test_priors_need_nothing_heavier_than_numpy() -> None:
    assert not light("import forecast.priors.load") & {"scipy", "pymc", "pytensor", "arviz", "pandas", "xarray"}


def test_the_public_names_are_lazy_and_real() -> None:
    assert set(forecast.__all__) == {"__version__", *forecast.PUBLIC}
    for name in forecast.__all__:
        assert getattr(forecast, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        forecast.nothing  # noqa: B018  # looking it up is the test


def test_no_two_public_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for path in SOURCES:
        for node in ast.iter_child_nodes(parse(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
