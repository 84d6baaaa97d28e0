"""docs/tutorial.md: its commands are run in order, by its clock, and print what it shows, but for the numbers.

The fit is replaced by draws from the priors. `python -m tests.setup.test_tutorial` writes what the commands print now into the page: as
many lines before and after `…` as stand there; where `…` stands alone, twelve lines before it.
"""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from forecast import workspace as places
from forecast.cli import main
from forecast.cli._context import Environment
from forecast.forecasting.forecast_result import Forecast
from forecast.forecasting.inputs import Inputs
from forecast.forecasting.origin_state import build_origin_state
from tests.support.prior_forecasts import drawn_forecast

PAGE = places.PACKAGE.parent / "docs" / "tutorial.md"
HOME = "/home/ana"
PARTS = re.compile(r"<!-- clock: (?P<day>\S+) -->|(?<=```console\n)(?P<block>.*?)(?=```)", re.DOTALL)
CUT = "…"


def drawn_from_priors(inputs: Inputs, seed: int = 7, *_: Any, **__: Any) -> Forecast:
    """In place of `fit`."""
    return drawn_forecast(build_origin_state(inputs.data, inputs.priors, seed), seed)


def played(text: str, home: Path) -> Iterator[tuple[str, str, str]]:
    """Each command of the page, the output it shows and the output it prints. Commands are five minutes apart."""
    now, folder = datetime(2026, 1, 1, 9, tzinfo=UTC), home
    for part in PARTS.finditer(text):
        if part["day"]:
            now = datetime.fromisoformat(part["day"]).replace(hour=9, tzinfo=UTC)
            continue
        for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", part["block"], re.MULTILINE):
            now += timedelta(minutes=5)
            if command.startswith("cd "):
                folder /= command.removeprefix("cd ")
                yield command, shown, ""
                continue
            environment = Environment(clock=lambda now=now: now, environ={}, cwd=folder)
            result = CliRunner().invoke(main, shlex.split(command)[1:], obj=environment, prog_name="forecast")
            assert result.exit_code == 0, f"{command}: {result.stderr}"
            yield command, shown, result.stdout.replace(str(home), HOME)


def form(text: str) -> str:
    """The words of an output: numbers, ids of runs and edits, and the width of columns left out."""
    text = re.sub(r"\d{8}T\d{6}Z-\w+", "RUN", text)
    text = re.sub(r"\b\d+-[0-9a-f]{8,64}\b", "DIGEST", text)
    return " ".join(re.sub(r"[<>+−±-]*\d[\d.,]*", "0", text).split())


def differing_parts(shown: str, printed: str) -> list[str]:
    """Parts of what is shown, between lines of `…`, that do not follow one another in what is printed. Without `…` all must be shown."""
    if CUT not in shown:
        return [] if form(shown) == form(printed) else [shown]
    rest, missing = form(printed), []
    for part in filter(None, map(form, shown.split(CUT))):
        if part in rest:
            rest = rest.partition(part)[2]
        else:
            missing.append(part)
    return missing


@pytest.mark.parametrize(
    ("shown", "is_shown"),
    [("Headline 3.4 %\n…\n", True), ("…\nRun 20261124T143000Z-fe1226\n", True), ("…\nLevel\n…\nHeadline\n", False), ("Level 4\n", False)],
)
def test_what_differs_in_form_is_noticed(shown: str, is_shown: bool) -> None:
    printed = "Headline 12 %\n\nLevel   4\nRun 20270101T000000Z-abcdef\n"
    assert (differing_parts(shown, printed) == []) == is_shown


@pytest.mark.slow
def test_the_tutorial_does_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.jobs.run.fit", drawn_from_priors)
    commands = [(command, differing_parts(shown, printed)) for command, shown, printed in played(PAGE.read_text("utf-8"), tmp_path)]
    assert [command for command, wrong in commands if wrong] == [], commands
    verbs = " ".join(command for command, _ in commands)
    assert all(verb in verbs for verb in ("try", "set", "refit", "explain", "predict", "resolve", "score"))


def excerpt(shown: str, printed: str) -> str:
    """As much of what is printed as is shown."""
    if CUT not in shown:
        return printed
    head, tail = (part.count("\n") for part in shown.split(f"{CUT}\n"))
    lines = printed.splitlines(keepends=True)
    head = head or (0 if tail else 12)
    return "".join([*lines[:head], f"{CUT}\n", *(lines[-tail:] if tail else [])])


def with_output(page: str, command: str, shown: str, printed: str) -> str:
    lines = "\n".join(line.rstrip() for line in excerpt(shown, printed).rstrip().splitlines())
    return page.replace(f"$ {command}\n{shown}", f"$ {command}\n{lines}\n", 1) if printed else page


def rewrite() -> None:
    text = PAGE.read_text("utf-8")
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        patch.setattr("forecast.jobs.run.fit", drawn_from_priors)
        for command, shown, printed in list(played(text, Path(home))):
            text = with_output(text, command, shown, printed)
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    rewrite()
