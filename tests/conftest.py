"""What tests of several rooms share: a fixed clock, the bundled workspace and a copy of it, and the command run in this process."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from click.testing import CliRunner, Result

from forecast import workspace as places
from forecast.cli import main
from forecast.cli._context import Environment
from forecast.data import read
from forecast.data.checks import registry
from forecast.storage import caches, toml

NOW = datetime(2026, 11, 24, 14, 15, tzinfo=UTC)

# A cache of the tests' own, kept between runs: some tests clear or damage what they find there, and the user's cache is none of theirs.
os.environ[caches.CACHE] = str(Path(__file__).parents[1] / ".pytest_cache" / "compiled")

# No deadline: the first example of a property may import or compile something.
hypothesis.settings.register_profile("forecast", deadline=None, derandomize=True)
hypothesis.settings.load_profile("forecast")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A file whose tests are all slow is not even imported where no slow test is asked for."""
    left_out = "not slow" in config.option.markexpr and collection_path.suffix == ".py"
    return True if left_out and re.search(r"^pytestmark = .*pytest\.mark\.(slow|soak)\b", collection_path.read_text(), re.M) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files whose tests fit models or start processes come first, so that neither of two processes is left with one of them at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, not item.path.name.startswith("test_slow")))


@pytest.fixture(scope="session", autouse=True)
def _the_same_bytes_are_read_once() -> Iterator[None]:
    """Hundreds of tests read the bundled data, most of them unchanged: what was read and checked once in a process is not again.

    Reading a table depends on nothing but its bytes; a check, on nothing but the tables that it is handed. A folder in which one file
    was changed has that file read, and what the file is part of checked.
    """

    def table_of(path: Path, record: object) -> tuple[object, bytes]:
        if not path.is_file() or path.stat().st_size > 1_000_000:
            raise OSError("no file, or too large to remember")
        return record, path.read_bytes()

    def settings_of(folder: Path) -> tuple[tuple[str, bytes], ...]:
        paths = sorted(folder.glob("*.toml"))
        if not all(path.is_file() and path.stat().st_size < 1_000_000 for path in paths):
            raise OSError("no file, or too large to remember")
        return tuple((path.name, path.read_bytes()) for path in paths)

    def handed(check: Any, tables: Any, more: Any, severity: str) -> tuple[Any, ...]:
        others = (thing if isinstance(thing, date) else id(thing) for thing in more)
        return check, *map(id, tables), *others, severity

    parse = _once(toml.parse_toml, lambda text, name: (text, name))

    def parsed(text: str, name: str) -> Any:
        document, problems = parse(text, name)
        return document, list(problems)  # which whoever reads a file adds to

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toml, "parse_toml", parsed)
        patch.setattr(read, "read_table", _once(read.read_table, table_of))
        patch.setattr(read, "read_settings", _once(read.read_settings, settings_of))
        patch.setattr(registry, "run_check", _once(registry.run_check, handed))
        yield


def _made_of(forecast: Any) -> tuple[int, ...]:
    return id(forecast.origin_state), id(forecast.readings), id(forecast.answers), id(forecast.pool)


def _inputs(data: Any, priors: Any, seed: int) -> tuple[str, str, int]:
    from forecast.data.fingerprint import data_digest

    return data_digest(data), priors.digest(), seed


REMEMBERED = {
    # What a headline is made of takes seconds to say, and many tests write a report of the one forecast they share.
    "forecast.report.payload.build": ("sensitivity", _made_of),
    # `data check` fits models 2 to 4, which takes seconds, to see which scenarios can be run.
    "forecast.jobs.data.check": ("build_origin_state", _inputs),
}
"""Module: its function that is remembered, and what its result depends on."""


def pytest_runtest_setup() -> None:
    """The functions of `REMEMBERED` get a memory once a test has imported their module: importing them takes seconds too."""
    for name in [name for name in REMEMBERED if name in sys.modules]:
        function, key = REMEMBERED.pop(name)
        module = sys.modules[name]
        setattr(module, function, _once(getattr(module, function), key, 4))


def _once(function: Callable[..., Any], key: Callable[..., Any], most: int = 400) -> Callable[..., Any]:
    """The function with a memory of its latest uses. It holds on to the arguments too, so that an id among the keys is of what it was."""
    kept: dict[Any, tuple[Any, Any]] = {}

    def remembering(*args: Any) -> Any:
        try:
            named = key(*args)
        except OSError:  # what cannot be read is for the function to refuse
            return function(*args)
        entry = kept.pop(named, None) or (args, function(*args))
        kept[named] = entry  # a dictionary keeps its order: the oldest use is the first
        if len(kept) > most:
            del kept[next(iter(kept))]
        return entry[1]

    return remembering


@pytest.fixture
def now() -> datetime:
    """The moment at which tests happen."""
    return NOW


@pytest.fixture
def bundled() -> places.Workspace:
    """The data and priors of the checkout, to be read only."""
    root = places.bundled_root()
    return places.Workspace(root / "data", root / "priors", root / "reports", "bundled")


@pytest.fixture
def bundled_drivers(bundled: places.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """`data check` takes models 2 to 4 as fitted to the bundled data, whatever was edited: for edits that mean nothing to them."""
    from forecast.forecasting.inputs import DEFAULT_SEED, load_workspace
    from forecast.jobs.data import check

    inputs = load_workspace(bundled, today=NOW.date())
    state = check.build_origin_state(inputs.data, inputs.priors, DEFAULT_SEED)
    monkeypatch.setattr(check, "build_origin_state", lambda *_: state)


@pytest.fixture
def workspace(tmp_path: Path) -> places.Workspace:
    """A fresh copy of the bundled workspace, to be written to, in tmp_path / "workspace"."""
    return places.create_workspace(tmp_path / "workspace")


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., Result]:
    """Runs `forecast` with the words given, by the tests' clock, in an empty folder: `command("--json", "data", "check")`.

    The result has `exit_code`, `stdout` and `stderr`.
    """

    def run(*words: str | Path, cwd: Path = tmp_path, environ: dict[str, str] | None = None) -> Result:
        environment = Environment(clock=lambda: NOW, environ=environ or {}, cwd=cwd)
        return CliRunner().invoke(main, [str(word) for word in words], obj=environment, prog_name="forecast")

    return run
