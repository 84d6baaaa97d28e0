"""Every command there is: it says what it does, takes the shared options, and the examples in its help work."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from forecast import workspace as places
from forecast.cli import main
from forecast.cli._context import Environment
from forecast.cli._root import Group
from forecast.runs import store
from tests.conftest import NOW
from tests.support.outside_view import StandIn
from tests.support.prior_forecasts import prior_forecast

type Command = Callable[..., Result]


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield (*path, name), found
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))


ALL = dict(commands())


def examples(command: click.Command) -> list[str]:
    lines = re.sub(r" \\\n +", " ", command.epilog or "").splitlines()
    return [line.strip() for line in lines if line.strip().startswith("forecast ")]


EXAMPLES = sorted({line for command in [main, *ALL.values()] for line in examples(command)})


def fits(example: str) -> bool:
    return example.startswith(
        (
            *("forecast run", "forecast refit", "forecast scenario run", "forecast priors reference", "forecast priors check --predict"),
            "forecast data check",
        )
    ) and not example.startswith("forecast runs")


def needs_a_run(example: str) -> bool:
    words = ("report", "status", "priors try", "priors sensitivity", "explain", "diff", "questions", "runs publish")
    return example.startswith(tuple(f"forecast {word}" for word in words))


QUICK = [e for e in EXAMPLES if not fits(e) and not needs_a_run(e)]
SLOW = sorted((e for e in EXAMPLES if e not in QUICK), key=lambda e: (not e.startswith("forecast run "), e))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_the_help_fits_80_columns(path: tuple[str, ...], command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, command(*path, "--help").stdout.splitlines())) <= 80


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_a_command_says_what_it_does_and_takes_the_shared_options(path: tuple[str, ...]) -> None:
    command = ALL[path]
    flags = {flag for option in command.params for flag in option.opts}
    assert {"--workspace", "--json", "-q", "-v"} <= flags
    assert command.help
    assert command.name == path[-1]
    assert isinstance(command, Group) or examples(command)
    assert isinstance(command, Group) or not isinstance(command, click.Group)


def test_a_list_of_commands_says_what_each_says_of_itself() -> None:
    for group in [main, *(found for found in ALL.values() if isinstance(found, Group))]:
        for name, lazy in group.lazy.items():
            assert lazy.load().get_short_help_str(200) == lazy.help, name
        for command in group.commands.values():
            assert not command.get_short_help_str(100).endswith("..."), f"the summary of {command.name} does not fit"


@pytest.mark.parametrize("example", QUICK)
@pytest.mark.usefixtures("workspace")
def test_a_quick_example_works(example: str, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    if example.startswith("forecast cache"):
        monkeypatch.setenv("FORECAST_CACHE", str(tmp_path / "cache"))
    if "--upgrade" in example:
        places.create_workspace(tmp_path / "workspace" / "mine")
    result = command(*shlex.split(example)[1:], cwd=tmp_path / "workspace")
    assert result.exit_code == 0, result.stderr
    assert result.stdout


@pytest.mark.slow
def test_the_examples_that_fit_or_need_a_run_work(workspace: places.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one workspace, those that make a run first, without a sampler: test_slow_run.py runs the command for real.

    `status` may find the bundled data old by the tests' clock.
    """
    monkeypatch.setattr("forecast.jobs.run.fit", lambda *_, **__: prior_forecast())
    monkeypatch.setattr("forecast.jobs.priors.reference.compile_sampler", lambda *_: StandIn())
    ticks = itertools.count()
    environment = Environment(clock=lambda: NOW + timedelta(minutes=next(ticks)), environ={}, cwd=workspace.data.parent)
    for example in ("forecast run --publish", *SLOW):  # what moved the forecast needs two published runs
        words = re.sub(r"\b\d{8}T\d{6}Z-\w+", lambda _: store.list_runs(workspace.reports)[0].run_id, example)
        result = CliRunner().invoke(main, shlex.split(words)[1:], obj=environment, prog_name="forecast")
        assert result.exit_code in ((0, 8) if example.startswith("forecast status") else (0,)), f"{example}: {result.stderr}"
        assert result.stdout, example
