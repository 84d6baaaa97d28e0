"""What tests of several rooms share: a fixed clock, the bundled workspace and a copy of it, and the command run in this process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from click.testing import CliRunner, Result

from forecast import workspace as places
from forecast.cli import main
from forecast.cli._context import Surroundings

NOW = datetime(2026, 11, 24, 14, 15, tzinfo=UTC)

# No deadline: the first example of a property may import or compile something.
hypothesis.settings.register_profile("forecast", deadline=None, derandomize=True)
hypothesis.settings.load_profile("forecast")


@pytest.fixture
def now() -> datetime:
    """The moment at which tests happen."""
    return NOW


@pytest.fixture
def bundled() -> places.Workspace:
    """The data and priors of the checkout, to be read only."""
    root = places.bundled()
    return places.Workspace(root / "data", root / "priors", root / "reports", "bundled")


@pytest.fixture
def workspace(tmp_path: Path) -> places.Workspace:
    """A fresh copy of the bundled workspace, to be written to, in tmp_path / "workspace"."""
    return places.create(tmp_path / "workspace")


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., Result]:
    """Runs `forecast` with the words given, by the tests' clock, in an empty folder: `command("--json", "data", "check")`.

    The result has `exit_code`, `stdout` and `stderr`.
    """

    def run(*words: str | Path, cwd: Path = tmp_path, environ: dict[str, str] | None = None) -> Result:
        surroundings = Surroundings(clock=lambda: NOW, environ=environ or {}, cwd=cwd)
        return CliRunner().invoke(main, [str(word) for word in words], obj=surroundings, prog_name="forecast")

    return run
