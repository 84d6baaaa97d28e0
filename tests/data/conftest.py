"""Someone at a terminal who adds rows to a workspace that is quick to read."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forecast.cli import data_add, main
from forecast.cli._context import Environment
from tests.conftest import NOW
from tests.support.data_editing import BUNDLED, copied, shortened


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace whose longest files are cut short, with the codebook."""
    (tmp_path / "priors").mkdir()
    shutil.copy(BUNDLED / "CODEBOOK.md", shortened(copied(tmp_path)))
    return tmp_path


@pytest.fixture
def typed(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`forecast data add` with someone at the terminal who types these lines and then ends the input."""
    monkeypatch.setattr(data_add, "on_terminal", lambda: True)

    def run(*words: str, lines: tuple[str, ...] = ()) -> Result:
        environment = Environment(clock=lambda: NOW, environ={}, cwd=root)
        typed_in = "".join(f"{line}\n" for line in lines)
        return CliRunner().invoke(main, ["data", "add", *words], obj=environment, input=typed_in, prog_name="forecast")

    return run
